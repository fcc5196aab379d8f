"""What the page is made from: one plain object, in codes and numbers, that says the same in every language.

It stands in the page itself (`<script type="application/json" id="run">`), so that the page can be written again in another
language from the page alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from matcher.advise.fair import envy
from matcher.advise.trial import Night as Run
from matcher.columns import codes
from matcher.explain import Explainer
from matcher.i18n import LANGUAGES
from matcher.lookup import ById
from matcher.model import Accommodation, Household, Instance
from matcher.placed import Placements
from matcher.report.geography import Atlas, oblast_names
from matcher.report.night import Night, of_one_run, plain
from matcher.report.offers import Offers
from matcher.report.people import MOST, PLACED, UNPLACED, people
from matcher.report.shares import UNKNOWN, shares
from matcher.report.why import explainer_of
from matcher.result import TERMS, Result
from matcher.roles import assign_roles
from matcher.warnings import plan_warnings

FORMAT = 1
OF_SUMMARY = (
    "status", "proved_by", "cost", "cost_terms", "bound", "gap", "gap_placed", "gap_km_per_person", "persons", "households",
    "by_priority", "by_group", "ties", "km", "beds", "estimated_distances", "unknown_risk", "rows", "seed", "version", "input_sha256",
)  # fmt: skip
MOST_LINES = 20_000  # ties that the map can draw


def report_data(result: Result, numbers: Mapping[str, Any], night: Night | None = None) -> dict[str, Any]:
    """The data of a result's page. numbers: its summary. night: what changed since the night before, where there was one."""
    instance, options = result.instance, result.options
    assert instance is not None and options is not None and options.date is not None
    households, known = ById(instance.households, "household_id"), ById(instance.accommodations, "accommodation_id")
    atlas = Atlas()
    offers = Offers(known, atlas)
    held = Placements.of(result.placements)
    explainer = explainer_of(result) if len(held) + len(result.unplaced) <= MOST else None
    found = people(result, explainer, atlas, offers, households)
    open_ = held.take(~held.protected)
    flows = _flows(open_, instance, households, known, atlas)
    ties = list(_tie_lines(result, open_, households, known, atlas))
    told = plain(of_one_run(result, offers) if night is None else night, offers)
    places, sheet = atlas.plain()
    beds = _beds(instance, known, open_)
    fair = shares(result, numbers, households, known)
    adm1 = {place[2] for place in places} | {row[0] for row in beds} | {row[0] for row in fair["origin"]} - {UNKNOWN}
    return {
        "format": FORMAT,
        "date": options.date.isoformat(),
        "strategy": result.strategy,
        **{name: numbers[name] for name in OF_SUMMARY},
        **_warnings(result, explainer, held),
        "terms": list(TERMS),
        "places": places,
        "map": sheet,
        "oblasts": {code: list(oblast_names(code)) for code in sorted(adm1 - {None})},
        "offers": offers.rows,
        "placed": {"fields": list(PLACED), "rows": found.placed, "hidden": found.hidden, "missing": found.missing[0]},
        "unplaced": {"fields": list(UNPLACED), "rows": found.unplaced, "missing": found.missing[1]},
        "reasons": _reasons(result),
        **told,
        "shares": fair,
        "flows": flows,
        "tie_lines": ties,
        "beds_by_oblast": beds,
        "quarantined": _quarantined(instance),
        "rules_at_stake": numbers["policy"]["order"],
        "travel_model": numbers["policy"]["travel"]["model"],
        **_worth(result),
        "envy": None if explainer is None else asdict(envy(Run(result, explainer.compiled))),
    }


def _worth(result: Result) -> dict[str, Any]:
    """What was found by solving again: offers worth finding (None where nobody looked), and the price of each floor."""
    advice, floors = (None, ()) if result.worth is None else (result.worth.advice, result.worth.floors)
    leads = None
    if advice is not None:
        leads = {"offers": [asdict(lead) for lead in advice.leads], "candidates": advice.candidates, "not_examined": advice.not_examined}
    return {"advice": leads, "floors": [asdict(floor) for floor in floors]}


def _reasons(result: Result) -> dict[str, list[int]]:
    """Households and persons by reason: of all, also of those that are not listed."""
    out: dict[str, list[int]] = {}
    for row in result.unplaced:
        total = out.setdefault(row.reason, [0, 0])
        total[0] += 1
        total[1] += row.persons or 0
    return dict(sorted(out.items()))


def _warnings(result: Result, explainer: Explainer | None, held: Placements) -> dict[str, Any]:
    """Warnings by language, but for those about protected households: how many there are of them."""
    secret = [held.household_ids[i] for i in np.flatnonzero(held.protected).tolist()]
    if explainer is None:
        every = {"en": result.warnings, "uk": ()}
    else:
        every = {lang: plan_warnings(explainer.compiled, lang) for lang in LANGUAGES}
    told = {lang: [one for one in said if not any(household_id in one for household_id in secret)] for lang, said in every.items()}
    return {"warnings": told, "warnings_untold": len(every["en"]) - len(told["en"])}


def _flows(open_: Placements, instance: Instance, households: ById[Household], known: ById[Accommodation], atlas: Atlas) -> list[list[Any]]:
    """[place now, oblast or place there, persons, households]: journeys of all who may be named, together by place and oblast."""
    start, starts = codes(instance.households, "spot")
    end, ends = codes(instance.accommodations, "spot")
    row, home = households.positions(open_.household_ids), known.positions(open_.offers)[open_.offer]
    sums: dict[tuple[int, int], list[int]] = {}
    pairs, first, number = np.unique(np.stack([start[row], end[home]]), axis=1, return_index=True, return_inverse=True)
    persons = np.bincount(number.ravel(), weights=open_.persons, minlength=len(first)).astype(np.int64).tolist() if len(row) else []
    count = np.bincount(number.ravel(), minlength=len(first)).tolist() if len(row) else []
    for a, b, people_, homes in zip(*pairs.tolist(), persons, count, strict=True):
        key = atlas.number(starts[a]), atlas.number(ends[b])
        assert key[0] is not None and key[1] is not None
        total = sums.setdefault((key[0], key[1]), [0, 0])
        total[0] += people_
        total[1] += homes
    return [[a, b, *total] for (a, b), total in sorted(sums.items())]


def _tie_lines(
    result: Result, open_: Placements, households: ById[Household], known: ById[Accommodation], atlas: Atlas
) -> Iterator[list[int]]:
    """[place there, place of the tie]: of everybody who may be named; never of `apart`, nor of ties to protected households."""
    instance, options = result.instance, result.options
    assert instance is not None and options is not None and options.date is not None
    if len(instance.ties) > MOST_LINES:
        return
    secret = assign_roles(instance, households, known, options.date).protected
    home = {h: open_.offers[a] for h, a in zip(open_.household_ids, open_.offer.tolist(), strict=True)}
    for tie in instance.ties:
        if tie.kind == "apart" or tie.household_id not in home or tie.other_household_id in secret:
            continue
        spot = tie.spot
        target = tie.accommodation_id or home.get(tie.other_household_id or "")
        if spot is None and target is not None:
            spot = known[target].spot
        here, there = atlas.number(known[home[tie.household_id]].spot), atlas.number(spot)
        if here is not None and there is not None and here != there:
            yield [here, there]


def _beds(instance: Instance, known: ById[Accommodation], open_: Placements) -> list[list[Any]]:
    """[oblast or None, beds offered, beds taken, beds left] of open offers. Protected households are not taken off: beds that are
    missing without a name would tell where they are."""
    persons = np.zeros(len(known), dtype=np.int64)
    np.add.at(persons, known.positions(open_.offers)[open_.offer], open_.persons)
    code, seen = codes(instance.accommodations, "adm1", "capacity", "shared", "status")
    ids = codes(instance.accommodations, "accommodation_id")[1]
    out: dict[str | None, list[int]] = {}
    for i, k in enumerate(code.tolist()):
        adm1, capacity, shared, status = seen[k]
        if status != "open" or ids[i] in instance.closed:
            continue
        here = int(persons[i])
        row = out.setdefault(adm1, [0, 0, 0])
        row[0] += capacity
        row[1] += here
        row[2] += max(0, capacity - here) if shared or not here else 0
    return [[adm1, *row] for adm1, row in sorted(out.items(), key=lambda one: one[0] or "~")]


def _quarantined(instance: Instance) -> list[list[Any]]:
    """[file, id, column, code] of each fault of each row set aside. The line, which may differ from one copy of a file to the next, and
    the message, which quotes the cell, stay in quarantined.csv."""
    rows = [[row.file, row.id or "", f.column, f.code] for row in instance.set_aside for f in row.faults]
    return sorted(rows)
