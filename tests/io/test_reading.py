"""What sound files mean: values, defaults, places, canonical order, and that nothing depends on how they were written."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from matcher.errors import UsageError
from matcher.model import Instance, Spot
from tests.io.sample import FULL, MINIMAL, faults, read

H = "household_id,persons,place"


@pytest.fixture
def full(tmp_path: Path) -> Instance:
    return read(tmp_path, FULL)


def notices(instance: Instance) -> list[str]:
    return [f"{notice.file}:{notice.line} {notice.code}" for notice in instance.notices]


def test_a_household_with_every_column(full: Instance) -> None:
    household = full.households[0]
    assert household.max_rent == Decimal("12.50") and household.max_km == 800 and household.priority == 1
    assert (household.waiting_since, household.arrives, household.leaves) == (date(2026, 1, 2), date(2026, 11, 22), date(2026, 12, 1))
    assert household.needs == {"step_free", "lift"} and household.pets == {"dog", "cat"} and household.languages == {"uk", "ru"}
    assert household.accepts == {"hotel"} and household.avoids == {"UA14", "UA63"} and household.groups == {"older_person"}
    assert household.origin is not None and household.origin.adm1 == "UA63"
    assert (household.wants_return, household.protected, household.consent) == (True, False, "yes")


def test_empty_cells_mean_the_default(full: Instance) -> None:
    household = full.households[1]
    assert (household.priority, household.max_rent, household.needs, household.consent) == (3, None, frozenset(), "unknown")
    assert household.protected and household.spot == Spot(lat=49.59, lon=34.55)
    assert full.households[2].consent == "no"


def test_without_the_column_everybody_consents(tmp_path: Path) -> None:
    assert {household.consent for household in read(tmp_path, MINIMAL).households} == {"yes"}


def test_coordinates_and_place_together(full: Instance) -> None:
    spot = full.households[2].spot
    assert (spot.lat, spot.lon, spot.name, spot.adm1) == (49.6, 34.5, "Poltava", "UA53")
    assert spot.key is not None and spot.key.startswith("katottg:UA53")


def test_accommodations(full: Instance) -> None:
    hotel, host, flat = full.accommodations
    assert hotel.rooms == (2, 2, 4) and hotel.need_capacity == (("lift", 0), ("step_free", 4)) and hotel.shared
    assert hotel.vetted is None and hotel.risk == Decimal("0.25") and (hotel.min_persons, hotel.max_persons) == (1, 4)
    assert host.vetted is True and host.adm1 == "UA53" and host.rooms is None and host.need_capacity == ()
    assert flat.spot == Spot(lat=50, lon=30, key="place:P1", name="Transit", adm1="UA32")
    assert flat.adm1 == "UA32" and flat.shared and flat.status == "planned"


def test_shared_follows_the_kind(tmp_path: Path) -> None:
    kinds = ["apartment", "house", "host_family", "collective_site", "dormitory", "hotel", "modular"]
    rows = "".join(f"A{position},Lviv,4,{kind},\n" for position, kind in enumerate(kinds))
    instance = read(tmp_path, {**MINIMAL, "accommodations": f"accommodation_id,place,capacity,kind,shared\n{rows}"})
    assert [offer.shared for offer in instance.accommodations] == [False, False, False, True, True, True, True]


def test_a_place_tells_the_oblast_before_the_cell(tmp_path: Path) -> None:
    offers = "accommodation_id,place,lat,lon,capacity,adm1\nA001,Lviv,,,4,UA53\nA002,,49,24,4,UA-53\nA003,,49,24,4,PL-14\nA004,,49,24,4,\n"
    instance = read(tmp_path, {**MINIMAL, "accommodations": offers})
    assert [offer.adm1 for offer in instance.accommodations] == ["UA46", "UA53", "PL-14", None]
    assert notices(instance) == ["accommodations.csv:2 adm1_differs"]


def test_ties(full: Instance) -> None:
    apart = next(tie for tie in full.ties if tie.kind == "apart")
    site = next(tie for tie in full.ties if tie.kind == "same_site")
    near = next(tie for tie in full.ties if tie.relation == "work")
    sibling = next(tie for tie in full.ties if tie.relation == "sibling")
    assert apart.required and apart.binds and apart.other_household_id == "H002"
    assert site.required and site.accommodation_id == "A002" and site.binds
    assert near.spot == Spot(lat=50.1, lon=30.2) and near.max_km == 100
    assert sibling.weight == Decimal("2.5") and not sibling.required and sibling.kind == "near"


def test_a_tie_apart_can_be_a_mere_wish(tmp_path: Path) -> None:
    ties = "household_id,other_household_id,kind,required\nH001,H002,apart,no\n"
    assert not read(tmp_path, {**MINIMAL, "ties": ties}).ties[0].required


def test_travel_places_standing_and_overrides(full: Instance) -> None:
    assert {(row.origin.name, row.destination.name, row.km, row.blocked) for row in full.travel} == {
        ("Lviv", "Poltava", Decimal(900), False),
        ("Transit", "Lviv", None, True),
    }
    assert full.standing[0].rooms == (2, 2) and full.standing[0].since == date(2026, 11, 2)
    pin = next(override for override in full.overrides if override.action == "pin")
    assert pin.spot is not None and pin.spot.adm1 == "UA46" and pin.expires_at == date(2026, 12, 31) and pin.reason == "near the clinic"


def test_rows_in_are_counted(full: Instance) -> None:
    assert {(count.file, count.rows_in, count.accepted, count.quarantined) for count in full.counts} >= {
        ("households.csv", 3, 3, 0),
        ("ties.csv", 4, 4, 0),
        ("places.csv", 1, 1, 0),
    }
    assert len(full.counts) == 8 and full.set_aside == () and full.left_out == frozenset()


def test_ids_are_kept_to_the_letter(tmp_path: Path) -> None:
    ids = ["007", "7", "NA", "null", "None", "nan", "TRUE", "1e3", "2026-11-22", "h1", "H1", "дім №1", "a\u2028b", "a  b"]
    rows = "".join(f" {one}\t,1,Lviv\n" for one in ids)
    instance = read(tmp_path, {**MINIMAL, "households": f"{H}\n{rows}"})
    assert [household.household_id for household in instance.households] == sorted(ids)


def test_one_guarding_quote_is_taken_off(tmp_path: Path) -> None:
    cells = {"'=1": "=1", "'-1": "-1", "'+1": "+1", "'@x": "@x", "''a": "'a", "'''b": "''b", "'c": "'c", "'": "'", '"\'\td"': "\td"}
    rows = "".join(f"{cell},1,Lviv\n" for cell in cells)
    instance = read(tmp_path, {**MINIMAL, "households": f"{H}\n{rows}"})
    assert {household.household_id for household in instance.households} == set(cells.values())


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    households = (
        '\ufeffhousehold_id;persons;lat;lon;max_rent;needs\r\nH001;2;49,84;24,03;7,5;"lift;school"\r\nH002;1;49.84;24.03;1,234;\r\n'
    )
    instance = read(tmp_path, {**MINIMAL, "households": households})
    first, second = instance.households
    assert first.spot == Spot(lat=49.84, lon=24.03) and first.max_rent == Decimal("7.5") and first.needs == {"lift", "school"}
    assert second.max_rent == Decimal("1.234")


@pytest.mark.parametrize("header", ['"household_id";"persons";"place";"a,b,c,d,e"', "household_id;persons;place;a,b,c,d,e"])
def test_the_delimiter_is_the_one_that_gives_known_columns(tmp_path: Path, header: str) -> None:
    assert len(read(tmp_path, {**MINIMAL, "households": f"{header}\nH001;2;Lviv;x\n"}).households) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_line_ends(tmp_path: Path, end: str, last: bool) -> None:
    text = MINIMAL["households"].replace("\n", end)
    assert len(read(tmp_path, {**MINIMAL, "households": text if last else text.rstrip()}).households) == 3


def test_unknown_columns_are_named_once_and_kept_out(tmp_path: Path) -> None:
    instance = read(tmp_path, {**MINIMAL, "households": "household_id,phone,persons,Name,place,\nH001,+38050,2,Olena,Lviv,\n"})
    assert [notice.message for notice in instance.notices] == ["columns that are not read: 'Name', 'phone'"]
    assert "+38050" not in repr(instance) and "Olena" not in repr(instance)


def test_an_unknown_csv_file_is_noticed(tmp_path: Path) -> None:
    instance = read(tmp_path, {**MINIMAL, "tie": "household_id\n", "policy.toml": "", "README.md": ""})
    assert notices(instance) == ["tie.csv:0 unknown_file"]


def test_hxl_tags_are_skipped_on_the_second_line_only(tmp_path: Path) -> None:
    instance = read(tmp_path, {**MINIMAL, "households": f"{H}\n#id,#inhabitants,#loc\nH001,2,Lviv\n"})
    assert len(instance.households) == 1 and notices(instance) == ["households.csv:2 hxl_row"]
    later = f"{H}\nH001,2,Lviv\n#id,#inhabitants,#loc\n"
    assert faults(tmp_path, {**MINIMAL, "households": later}) == [
        "households:3 persons not_a_whole_number",
        "households:3 place unknown_place",
    ]


def test_a_declared_encoding_is_read_as_declared(tmp_path: Path) -> None:
    files = {name: text.replace("Lviv", "Львів").encode("cp1251") for name, text in MINIMAL.items()}
    assert read(tmp_path, files, encoding="cp1251").households[0].spot.adm1 == "UA46"
    assert faults(tmp_path, {**files, "households": b"\xef\xbb\xbf" + files["households"]}, encoding="cp1251") == [
        "households:1 - bad_encoding"
    ]
    wide = {name: text.encode("utf-16") for name, text in MINIMAL.items()}
    assert len(read(tmp_path, wide, encoding="UTF-16").households) == 3


@pytest.mark.parametrize("encoding", ["latin-99", "hex", "rot13", "", "a\0b"])
def test_an_encoding_that_does_not_exist(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(UsageError, match="no text encoding"):
        read(tmp_path, MINIMAL, encoding=encoding)


def test_repeated_ties_count_and_are_noticed(tmp_path: Path) -> None:
    ties = "household_id,other_household_id,kind\nH001,H002,near\nH002,H001,\nH001,H002,same_site\nH001,H002,near\n"
    instance = read(tmp_path, {**MINIMAL, "ties": ties})
    assert len(instance.ties) == 4 and notices(instance) == ["ties.csv:3 repeated_tie", "ties.csv:5 repeated_tie"]


def test_rooms_that_the_offer_does_not_have_are_noticed(tmp_path: Path) -> None:
    offers = "accommodation_id,place,capacity,kind,rooms\nA001,Lviv,8,hotel,2 2 4\nA002,Lviv,4,apartment,\n"
    placements = "household_id,accommodation_id,status,rooms\nH001,A001,accepted,4 2\nH002,A001,accepted,4 4\nH003,A002,accepted,2\n"
    instance = read(tmp_path, {**MINIMAL, "accommodations": offers, "placements": placements})
    assert notices(instance) == ["placements.csv:3 rooms_not_offered", "placements.csv:4 rooms_not_offered"]


def shuffled(text: str, rng: random.Random, delimiter: str) -> str:
    """The same table with rows and columns in another order, and another delimiter."""
    table = [line.split(",") for line in text.replace("Step_Free;lift", "lift STEP_FREE").strip().split("\n")]
    columns = list(zip(*table, strict=True))
    rng.shuffle(columns)
    header, *rows = zip(*columns, strict=True)
    rng.shuffle(rows)
    return "".join(delimiter.join(row) + "\r\n" for row in [header, *rows])


@pytest.mark.parametrize("seed", range(8))
def test_order_of_rows_and_columns_never_matters(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    original = read(tmp_path / "a", FULL)
    other = read(tmp_path / "b", {name: shuffled(text, rng, rng.choice(",;")) for name, text in FULL.items()})
    assert other == original and other.sha256 == original.sha256 and len(original.sha256) == 64


def test_the_sum_tells_contents_apart(tmp_path: Path) -> None:
    sums = {read(tmp_path / "0", FULL).sha256}
    changes = [("households", "H001,2", "H001,2 "), ("households", "12.50", "12.5"), ("ties", "2.5", "2.50")]
    for position, (name, old, new) in enumerate(changes):  # the same values, written otherwise
        assert old in FULL[name]
        sums.add(read(tmp_path / f"same{position}", {**FULL, name: FULL[name].replace(old, new)}).sha256)
    assert len(sums) == 1
    changes = [("households", "12.50", "12.51"), ("ties", "apart", "same_site"), ("places", "UA32", "UA80"), ("placements", "2 2", "4")]
    for position, (name, old, new) in enumerate(changes):
        assert old in FULL[name]
        sums.add(read(tmp_path / f"other{position}", {**FULL, name: FULL[name].replace(old, new)}).sha256)
    assert len(sums) == 1 + len(changes)


def test_reading_does_not_import_pandas() -> None:
    code = "import sys, matcher.io; sys.exit('pandas' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
