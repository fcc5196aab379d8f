"""Every fault code, provoked: what is changed in the minimal instance, and the faults that must be found, no more and no fewer."""

from __future__ import annotations

from dataclasses import dataclass

from tests.io.sample import Files

H = "household_id,persons,place"
A = "accommodation_id,place,capacity"
A_ROWS = "A001,Lviv,4\nA002,Poltava,2\n"
TIES = "household_id,place,lat,lon,other_household_id,accommodation_id,kind,max_km,required,agreed,weight"


@dataclass(frozen=True)
class Case:
    """files: replace those of the minimal instance (None: not there). expected: `file:line column code`."""

    name: str
    files: dict[str, str | bytes | None]
    expected: tuple[str, ...]
    quarantine: bool = False


def _case(name: str, files: dict[str, str | bytes | None], *expected: str, quarantine: bool = False) -> Case:
    return Case(name, files, tuple(sorted(expected)), quarantine)


def _households(name: str, extra: str, cells: str, *expected: str) -> Case:
    """One household with extra columns; H002 and H003 follow on lines 3 and 4."""
    gaps = "," * len(extra.split(","))
    text = f"{H},{extra}\nH001,2,Lviv,{cells}\nH002,1,Poltava{gaps}\nH003,1,Poltava{gaps}\n"
    return _case(name, {"households": text}, *expected)


def _offers(name: str, extra: str, cells: str, *expected: str) -> Case:
    gaps = "," * len(extra.split(","))
    return _case(name, {"accommodations": f"{A},{extra}\nA001,Lviv,4,{cells}\nA002,Poltava,2{gaps}\n"}, *expected)


def _ties(name: str, rows: str, *expected: str) -> Case:
    return _case(name, {"ties": f"{TIES}\n{rows}\n"}, *expected)


FILES = [
    _case("no households", {"households": None}, "households:0 - file_missing"),
    _case("capital letter, required", {"households": None, "Households.csv": f"{H}\n"}, "households:0 - file_missing"),
    _case("capital letter, optional", {"Ties.csv": f"{TIES}\n"}, "Ties:0 - file_name"),
    _case("cp1251", {"ties": f"{TIES}\nH001,Львів,,,,,,,,,\n".encode("cp1251")}, "ties:2 - bad_encoding"),
    _case("utf-16", {"households": f"{H}\n".encode("utf-16")}, "households:1 - bad_encoding"),
    _case("utf-16 without a mark", {"households": f"{H}\n".encode("utf-16-le")}, "households:1 - bad_header"),
    _case("empty", {"ties": ""}, "ties:0 - empty_file"),
    _case("only empty lines", {"ties": "\n,,,\n;;\n"}, "ties:0 - empty_file"),
    _case("quote in the header", {"ties": 'household_id,"place\nH001,Lviv\n'}, "ties:1 - bad_header"),
    _case("columns missing", {"households": "id,place\nH001,Lviv\n"}, "households:1 - missing_column"),
    _case("lat without lon in the header", {"households": "household_id,persons,lat\nH001,2,49\n"}, "households:1 - missing_column"),
    _case("tie file without a target", {"ties": "household_id,kind\nH001,near\n"}, "ties:1 - missing_column"),
    _case("column twice", {"households": f"{H}, PERSONS \nH001,2,Lviv,3\n"}, "households:1 persons duplicate_column"),
    _case("capacity twice", {"accommodations": f"{A},capacity_x,CAPACITY_X\n"}, "accommodations:1 capacity_x duplicate_column"),
]

SHAPES = [
    _case(
        "open quote takes one row only",
        {"households": f'{H}\nH001,"2,Lviv\nH002,x,Poltava\nH003,1,"Poltava"\nH004,1,Poltava,\n'},
        "households:2 - unclosed_quote",
        "households:3 persons not_a_whole_number",
        "households:5 - wrong_cell_count",
    ),
    _case("open quote on the last line", {"households": f'{H}\nH001,2,Lviv\nH002,1,"Poltava'}, "households:3 - unclosed_quote"),
    _case(
        "two open quotes that would make one row",
        {"households": f'{H}\nH001,2,Lviv\nH002,"1,Poltava\nH003,1,"Poltava\n'},
        "households:3 - unclosed_quote",
        "households:4 - unclosed_quote",
    ),
    _case(
        "two odd quotes merge rows into one of another width",
        {"households": f'{H}\nH001,2,Lviv\nH002,"1,Poltava\nH003,1,Poltava"\nH004,1,Lviv\n'},
        "households:3 - unclosed_quote",
        "households:4 - stray_quote",
    ),
    _case("quote inside a cell", {"households": f'{H}\nH001,2,Lv"iv\n'}, "households:2 - stray_quote"),
    _case("text after a quote", {"households": f'{H}\nH001,"2"0,Lviv\n'}, "households:2 - stray_quote"),
    _case("short row", {"households": f"{H}\nH001,2\nH002,1,Poltava\n"}, "households:2 - wrong_cell_count"),
    _case("long row", {"accommodations": f"{A}\nA001,Lviv,Lvivska,4\n{A_ROWS[12:]}"}, "accommodations:2 - wrong_cell_count"),
    _case("NUL", {"households": f"{H}\nH0\0001,2,Lviv\n"}, "households:2 - bad_character"),
    _case(
        "lines are counted through quoted line ends, empty rows and HXL tags",
        {"households": f'{H},notes\r\n#id,#n,,\r\n\r\nH001,2,Lviv,"a\r\nb"\r\n,,,\r\nH002,x,Poltava,\r\n'},
        "households:7 persons not_a_whole_number",
    ),
]

CELLS = [
    _case("no id", {"households": f"{H}\n ,2,Lviv\n"}, "households:2 household_id required"),
    _case("no place", {"households": f"{H}\nH001,2,\n"}, "households:2 place required"),
    _case("no capacity", {"accommodations": f"{A}\nA001,Lviv,\n"}, "accommodations:2 capacity required"),
    *(
        _case(f"persons {text!r}", {"households": f"{H}\nH001,{text},Lviv\n"}, f"households:2 persons {code}")
        for text, code in (
            ("2.0", "not_a_whole_number"),
            ("1_0", "not_a_whole_number"),
            ("٣", "not_a_whole_number"),
            ("+2", "not_a_whole_number"),
            ("1e1", "not_a_whole_number"),
            ("two", "not_a_whole_number"),
            ("0", "out_of_range"),
            ("-1", "out_of_range"),
            ("51", "out_of_range"),
            ("9" * 5000, "out_of_range"),
        )
    ),
    *(
        _households(f"max_rent {text!r}", "max_rent", text, f"households:2 max_rent {code}")
        for text, code in (
            ("1e3", "not_a_number"),
            ("inf", "not_a_number"),
            ("NaN", "not_a_number"),
            ("1 000", "not_a_number"),
            ('"1,5"', "not_a_number"),
            ("5.", "not_a_number"),
            ("-0.01", "out_of_range"),
        )
    ),
    _households("latitude", "lat,lon", "91,30", "households:2 lat out_of_range"),
    _households("half a coordinate", "lat,lon", "50,", "households:2 lon half_a_coordinate"),
    _households("priority", "priority", "6", "households:2 priority out_of_range"),
    _households("yes or no", "protected", "maybe", "households:2 protected not_yes_no"),
    _households("consent", "consent", "y", "households:2 consent not_yes_no"),
    *(
        _households(f"date {text}", "arrives", text, "households:2 arrives not_a_date")
        for text in ("2026-02-30", "22.11.2026", "20261122", "2026-11-22T00:00", "0000-01-01", "２０２６-11-22")
    ),
    _households("pets", "pets", "dog parrot", "households:2 pets unknown_word"),
    _households("commas in a list", "needs", '"step_free,lift"', "households:2 needs bad_list"),
    _households("language", "languages", "uk ukr", "households:2 languages not_a_language"),
    _households("oblast to avoid", "avoids", "UA14 UA99", "households:2 avoids unknown_oblast"),
    _households("a name is no other country's code", "avoids", "Kharkivv", "households:2 avoids unknown_oblast"),
    _households("origin", "origin", "Nowhereville", "households:2 origin unknown_place"),
    _case("name of several settlements", {"households": f"{H}\nH001,2,Миколаївка\n"}, "households:2 place ambiguous_place"),
    _case(
        "the name of a place is no id",
        {"places": "place_id,name,lat,lon\nP1,Hub Seven,50,30\n", "households": f"{H}\nH001,2,hub seven\n"},
        "households:2 place unknown_place",
    ),
    _offers("rooms", "rooms", "2 0", "accommodations:2 rooms out_of_range"),
    _offers("risk", "risk", "1.01", "accommodations:2 risk out_of_range"),
    _offers("kind", "kind", "flat", "accommodations:2 kind unknown_word"),
    _offers("capacity for a need", "capacity_step_free", "-1", "accommodations:2 capacity_step_free out_of_range"),
    _case(
        "status of a placement",
        {"placements": "household_id,accommodation_id,status\nH001,A001,\nH002,A002,Accept\n"},
        "placements:2 status required",
        "placements:3 status unknown_word",
    ),
    _case(
        "three faults of one row",
        {"households": f"{H},pets,arrives\nH001,x,Lviv,cow,soon\nH002,1,Poltava,,\nH003,1,Poltava,,\n"},
        "households:2 persons not_a_whole_number",
        "households:2 pets unknown_word",
        "households:2 arrives not_a_date",
    ),
]

ROWS = [
    _households("leaves", "arrives,leaves", "2026-11-22,2026-11-22", "households:2 leaves dates_reversed"),
    _offers("availability", "available_from,available_until", "2026-11-22,2026-11-21", "accommodations:2 available_until dates_reversed"),
    _offers("sizes", "min_persons,max_persons", "4,3", "accommodations:2 min_persons sizes_reversed"),
    _ties("no target", "H001,,,,,,,,,,", "ties:2 - tie_target"),
    _ties("two targets", "H001,,,,H002,A001,,,,,", "ties:2 - tie_target"),
    _ties("coordinates are a target too", "H001,,49,24,H002,,,,,,", "ties:2 - tie_target"),
    _ties("itself", "H001,,,,H001,,,,,,", "ties:2 other_household_id tie_to_itself"),
    _ties("required near", "H001,Lviv,,,,,,,yes,,", "ties:2 max_km tie_without_max_km"),
    _ties("required near a household", "H001,,,,H002,,near,,yes,yes,", "ties:2 max_km tie_without_max_km"),
    _ties("site of a place", "H001,Lviv,,,,,same_site,,,,", "ties:2 kind tie_to_a_place"),
    _ties("negative weight", "H001,Lviv,,,,,,,,,-1", "ties:2 weight out_of_range"),
    _case(
        "overrides without a target, or with two",
        {"overrides": "household_id,accommodation_id,place,action\nH001,,,pin\nH002,A001,Lviv,forbid\nH003,,,hold\n"},
        "overrides:2 - override_target",
        "overrides:3 - override_target",
    ),
]

BETWEEN = [
    _case(
        "household twice",
        {"households": f"{H}\nH001,2,Lviv\nH002,1,Poltava\n H001 ,3,Lviv\nH003,1,Lviv\n"},
        "households:2 household_id duplicate_id",
        "households:4 household_id duplicate_id",
    ),
    _case(
        "a faulty row counts among the repeated",
        {"accommodations": f"{A}\n{A_ROWS}A001,Lviv,many\n"},
        "accommodations:2 accommodation_id duplicate_id",
        "accommodations:4 accommodation_id duplicate_id",
        "accommodations:4 capacity not_a_whole_number",
    ),
    _case(
        "place twice",
        {"places": "place_id,lat,lon\nP1,50,30\nP1,51,30\n", "travel": "from,to,km\nP1,Lviv,3\n"},
        "places:2 place_id duplicate_id",
        "places:3 place_id duplicate_id",
    ),
    _case(
        "member twice",
        {"members": "member_id,household_id\nM1,H001\nM1,H001\n"},
        "members:2 member_id duplicate_id",
        "members:3 member_id duplicate_id",
    ),
    _case(
        "placed twice",
        {"placements": "household_id,accommodation_id,status\nH001,A001,proposed\nH002,A002,proposed\nH001,A002,accepted\n"},
        "placements:2 household_id duplicate_placement",
        "placements:4 household_id duplicate_placement",
    ),
    _case(
        "one pair, two spellings",
        {"travel": "from,to,km\nLviv,Poltava,900\nPoltava,Lviv,900\nЛьвів,UA53,901\n"},
        "travel:2 from duplicate_pair",
        "travel:4 from duplicate_pair",
    ),
    _case(
        "unknown ids",
        {
            "members": "member_id,household_id\nM1,H0O1\n",
            "ties": f"{TIES}\nH0O1,,,,H002,,,,,,\nH001,,,,H0O2,,apart,,,,\nH001,,,,,A0O1,,,,,x\n",
            "placements": "household_id,accommodation_id,status\nh001,A0O1,proposed\n",
            "overrides": "household_id,accommodation_id,action\nH0O1,A001,pin\n",
        },
        "members:2 household_id unknown_household",
        "ties:2 household_id unknown_household",
        "ties:3 other_household_id unknown_household",
        "ties:4 accommodation_id unknown_accommodation",
        "ties:4 weight not_a_number",
        "placements:2 household_id unknown_household",
        "placements:2 accommodation_id unknown_accommodation",
        "overrides:2 household_id unknown_household",
    ),
    _case(
        "what names a faulty row is no further fault",
        {
            "households": f"{H}\nH001,x,Lviv\nH002,1\nH003,1,P1\n",
            "ties": f"{TIES}\nH001,,,,H002,,apart,,,,\n",
            "places": "place_id,lat,lon\nP1,50,300\n",
        },
        "households:2 persons not_a_whole_number",
        "households:3 - wrong_cell_count",
        "places:2 lon out_of_range",
    ),
    _case(
        "nothing is unknown where a file could not be read",
        {"households": "id\nH001\n", "ties": f"{TIES}\nH001,,,,H002,,,,,,\n", "places": "x\n"},
        "households:1 - missing_column",
        "places:1 - missing_column",
    ),
    _case(
        "persons and members",
        {"members": "member_id,household_id\nM1,H001\nM2,H002\nM3,H002\n"},
        "households:2 persons persons_differ",
        "households:3 persons persons_differ",
    ),
    _ties(
        "apart and together",
        "H001,,,,H002,,apart,,,,\nH002,,,,H001,,same_site,,yes,,\nH001,,,,H002,,same_place,,no,,",
        "ties:2 kind tie_contradiction",
        "ties:3 kind tie_contradiction",
    ),
    _ties(
        "apart from a place and in it",
        "H001,Lviv,,,,,apart,,,,\nH001,Львів,,,,,same_place,,yes,,",
        "ties:2 kind tie_contradiction",
        "ties:3 kind tie_contradiction",
    ),
    _ties(
        "apart from an offer and at it",
        "H001,,,,,A001,apart,,,,\nH001,,,,,A001,same_site,,yes,,",
        "ties:2 kind tie_contradiction",
        "ties:3 kind tie_contradiction",
    ),
]

STOPS = [
    _case(
        "a member of nobody known",
        {"members": "member_id,household_id\nM1,H0O1\n"},
        "members:2 household_id unknown_household",
        "members:2 - cannot_quarantine",
        quarantine=True,
    )
]

CASES: list[Case] = FILES + SHAPES + CELLS + ROWS + BETWEEN + STOPS


def files_of(case: Case, minimal: Files) -> Files:
    """The minimal instance with what the case changes."""
    files = {**minimal, **case.files}
    return {name: text for name, text in files.items() if text is not None}
