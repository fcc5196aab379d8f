"""Exports as KoBoToolbox writes them. This module knows the form and how that program exports it, and nothing of our format."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import xlsxwriter

PLACES = {
    "donetska": ["Kramatorsk", "sloviansk", "Покровськ", "Druzhkivka"],
    "kharkivska": ["kupiansk", "Izium", "Чугуїв"],
    "citykyiv": ["Kyiv"],
    "lvivska": ["Lviv", "drohobych"],
    "dnipropetrovska": ["Dnipro", "pavlohrad", "UA12020010010037010"],
    "sumska": ["Суми", "Okhtyrka", ""],
}
MAIN = [
    "start", "end", "background/back_office", "background/back_consent", "ben_det/ben_det_surname", "ben_det/ben_det_ph_number",
    "ben_det/ben_det_oblast", "ben_det/ben_det_settlement", "ben_det/ben_det_res_stat", "ben_det/ben_det_prev_oblast",
    "ben_det/ben_det_hh_size", "hh_char/hh_char_civ_stat", "hh_char/hh_char_preg", "fin_det/fin_det_res",
    "_id", "_uuid", "_submission_time", "_validation_status", "_notes", "_status", "_submitted_by", "__version__", "_tags", "_index",
]  # fmt: skip
PEOPLE = [
    "hh_char/hh_char_hh_det/hh_char_hh_det_gender", "hh_char/hh_char_hh_det/hh_char_hh_det_age",
    "hh_char/hh_char_hh_det/hh_char_hh_det_dis_select", "hh_char/hh_char_hh_det/hh_char_hh_det_dis_select/diff_see",
    "hh_char/hh_char_hh_det/hh_char_hh_det_dis_select/diff_walk", "hh_char/hh_char_hh_det/hh_char_hh_det_dis_level",
    "hh_char/hh_char_hh_det/calc_u18", "_index", "_parent_table_name", "_parent_index", "_submission__id", "_submission__uuid",
]  # fmt: skip
Grid = list[list[Any]]


def submissions(count: int, seed: int) -> tuple[Grid, Grid]:
    """The two sheets, row by row below their headers."""
    dice = random.Random(seed)
    main: Grid = []
    people: Grid = []
    for index in range(1, count + 1):
        oblast = dice.choice(sorted(PLACES))
        size = dice.choices(range(1, 8), (20, 25, 22, 16, 9, 5, 3))[0]
        uuid = f"{dice.getrandbits(32):08x}-{dice.getrandbits(16):04x}-4{dice.getrandbits(12):03x}-8000-{dice.getrandbits(48):012x}"
        day, number = f"2026-11-{dice.randint(1, 21):02}", 90_000 + index
        agreed = "no" if index % 97 == 0 else "yes"
        asked = agreed == "yes"
        main.append([
            f"{day}T09:12:31.345+02:00", f"{day}T09:40:02.111+02:00", "hrk", agreed, "Прізвище", 380501234567, oblast if asked else "",
            dice.choice(PLACES[oblast]) if asked else "", "idp", dice.choice(["luhanska", "khersonska", "aroc"]), size if asked else "",
            "married", dice.choice(["yes", "no"]), "нема", number, uuid, f"{day}T09:40:05",
            "", "", "submitted_via_web", "enum_4", "vX", "", index,
        ])  # fmt: skip
        for person in range(size if asked else 0):
            age = dice.randint(19, 88) if person == 0 else dice.randint(0, 88)
            hard = dice.random() < 0.12
            what = dice.choice(["diff_walk", "diff_see diff_walk", "diff_see"]) if hard else "diff_none"
            people.append([
                dice.choice(["male", "female"]), age, what, int("diff_see" in what), int("diff_walk" in what),
                dice.choice(["one", "two", "fri"]) if hard else "zero", int(age < 18), len(people) + 1,
                "Household registration", index, number, uuid,
            ])  # fmt: skip
    return main, people


def export(path: Path, main: Grid, people: Grid) -> Path:
    """The workbook that the program offers for download."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False}) as book:
        for name, header, rows in (("Household registration", MAIN, main), ("hh_char_hh_det", PEOPLE, people)):
            page = book.add_worksheet(name)
            page.write_row(0, 0, header)
            for number, row in enumerate(rows, start=1):
                for column, cell in enumerate(row):
                    if cell != "":
                        page.write(number, column, cell)
    return path
