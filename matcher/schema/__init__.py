"""JSON Schema (draft 2020-12) of everything that goes in and comes out, made from what reads and writes it."""

from __future__ import annotations

from collections.abc import Mapping

from matcher._version import __version__
from matcher.io.columns import SHEETS, Sheet
from matcher.io.template import Explained, explained, purposes
from matcher.policy import Policy, SolveOptions
from matcher.publish import ALTERNATIVES, PLACEMENT_COLUMNS, QUARANTINED_COLUMNS, UNPLACED_COLUMNS
from matcher.result import REASONS, STAGES, TERMS
from matcher.schema.answers import explanation
from matcher.schema.nights import of_nights
from matcher.schema.parts import COUNT, NUMBER, OPEN, SHA256, TENTHS, TEXT, WHOLE, Schema, an_object, by_key, output_row

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def _any_case(*words: str) -> str:
    """A pattern for these words in capitals or not; patterns of JSON Schema have no switch for that."""
    return "|".join("".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in word) for word in words)


_KINDS: Mapping[str, Schema] = {
    "whole": {"type": ["integer", "string", "null"], "pattern": r"^\s*[0-9]*\s*$"},
    "number": {"type": ["number", "string", "null"], "pattern": r"^\s*(-?[0-9]+([.,][0-9]+)?)?\s*$"},
    "date": {"type": ["string", "null"], "pattern": r"^\s*([0-9]{4}-[0-9]{2}-[0-9]{2})?\s*$"},
    "yes_no": {"type": ["boolean", "integer", "string", "null"], "pattern": rf"^\s*({_any_case('yes', 'no', 'true', 'false')}|0|1)?\s*$"},
    "text": {"type": ["string", "integer", "null"]},
    "place": {"type": ["string", "null"]},
    "list": {"type": ["string", "array", "null"], "items": {"type": ["string", "integer"]}},
}  # fmt: skip


def schemas() -> dict[str, Schema]:
    """JSON Schema by name: the input files by row (`households`, …), `instance` (all files as lists of rows), `policy`, `options`, and what
    a run writes (`placements_out`, `unplaced` and `quarantined` by row, `summary`, `certificate`, `run`, `distances`); what is said of a
    household (`explanation`); what nights read and write (`nightly`, `manifest`, `decisions`, `changes` and `ending` by row); `error`."""
    rows = {name: _input_row(SHEETS[name], columns, purposes("en")[name]) for name, columns in explained("en").items()}
    tables = {name: {"type": "array", "items": schema} for name, schema in rows.items()}
    instance = an_object("An instance: the rows of every file; only the first two are required.", tables, ("households", "accommodations"))
    named = {
        **rows,
        "instance": instance,
        "policy": Policy.model_json_schema(),
        "options": SolveOptions.model_json_schema(),
        "placements_out": output_row(
            "A row of placements.csv as a run writes it; costs in person-km, distances in km.", PLACEMENT_COLUMNS, _PLACEMENT
        ),
        "unplaced": output_row("A row of unplaced.csv.", UNPLACED_COLUMNS, {"reason": {"enum": list(REASONS)}}),
        "quarantined": output_row("A row of quarantined.csv: one fault of one row that was set aside.", QUARANTINED_COLUMNS, {}),
        "summary": _summary(),
        "certificate": _certificate(),
        "run": _run(),
        "distances": _distances(),
        "explanation": explanation(),
        **of_nights(),
        "error": _error(),
    }
    return {name: {"$schema": DRAFT, "$comment": f"shelter-matcher {__version__}", "title": name, **body} for name, body in named.items()}


def _input_row(sheet: Sheet, columns: tuple[Explained, ...], purpose: str) -> Schema:
    """A row of an input file. Cells are text, as in CSV, or what JSON has for them. Unknown columns are kept out, with a warning."""
    properties = {column.name: _cell(column) for column in columns}
    body = an_object(purpose, properties, tuple(ways[0][0] for ways in sheet.required if len(ways) == 1))
    either = [[{"required": list(way)} for way in ways] for ways in sheet.required if len(ways) > 1]
    if either:
        body["anyOf"] = either[0]
    if sheet.name == "accommodations":
        body["patternProperties"] = {r"^capacity_\S+$": {**_KINDS["whole"], "description": "At most so many persons with that need."}}
    return body


def _cell(column: Explained) -> Schema:
    if column.kind == "word":
        kind: Schema = {"type": ["string", "null"]}
        if column.name != "adm1":  # many ways to write it
            kind["pattern"] = rf"^\s*({_any_case(*column.choices)})?\s*$"
    else:
        kind = dict(_KINDS[column.kind])
    out = {"description": column.meaning, **kind}
    examples = [cell for cell in column.examples if cell]
    return {**out, "examples": examples} if examples else out


_PLACEMENT: Mapping[str, Schema] = {
    "persons": {"type": "string", "pattern": "^[0-9]+$"},
    "ties_kept": {"type": "string", "pattern": "^[0-9]+$"},
    "status": {"enum": ["proposed", "accepted", "moved_in"]},
    "rooms": {"type": "string", "pattern": r"^([0-9]+( [0-9]+)*)?$"},
    "minutes": {"type": "string", "pattern": r"^([0-9]+(\.[0-9]+)?)?$"},
    "tie_km": {"type": "string", "pattern": r"^([0-9]+\.[0-9])?$"},
    **dict.fromkeys(("km", "cost", *(f"cost_{term}" for term in TERMS)), TENTHS),
    **{f"alternative_{i}_cost": {"type": "string", "pattern": r"^(-?[0-9]+\.[0-9])?$"} for i in range(1, ALTERNATIVES + 1)},
}


def _people() -> dict[str, Schema]:
    became = dict.fromkeys(("placed", "unplaced", "left_out", "quarantined"), COUNT)
    return {unit: an_object(f"How many {unit}.", became) for unit in ("persons", "households")}


def _summary() -> Schema:
    beds = an_object("Beds of one kind or oblast.", {"offered": COUNT, "persons_in": COUNT})
    proved: Schema = {"enum": ["prices", "search", None]}
    stage = an_object("A stage of strict order.", {"name": {"enum": list(STAGES)}, "value": WHOLE, "bound": WHOLE, "proved_by": proved})
    ties = an_object("Ties of placed households.", {"kept": COUNT, "all": COUNT})
    split = {"type": "object", "properties": _people()}
    return an_object(
        "summary.json: the run in numbers. Costs are integers in `unit`.",
        {
            "status": {"enum": ["optimal", "feasible", "fallback"]},
            "proved_by": proved,
            "strategy": an_object("Which, and why.", {"name": TEXT, "why": TEXT}),
            "unit": {"const": "0.1 person-km"},
            "cost": WHOLE,
            "cost_terms": an_object("The cost by term.", dict.fromkeys(TERMS, WHOLE)),
            "bound": WHOLE,
            "gap": NUMBER,
            "gap_placed": NUMBER,
            "gap_km_per_person": NUMBER,
            "stages": {"type": "array", "items": stage},
            **_people(),
            "by_priority": by_key(split),
            "by_group": by_key(split),
            "ties": an_object("Ties of placed households, protected ones apart.", {"kept": COUNT, "all": COUNT, "by_kind": by_key(ties)}),
            "km": an_object("Journeys of the persons placed, in km.", dict.fromkeys(("total", "median", "p95"), NUMBER)),
            "beds": an_object(
                "Beds of open offers.",
                {**dict.fromkeys(("offered", "persons_in", "left"), COUNT), "by_kind": by_key(beds), "by_oblast": by_key(beds)},
            ),
            "estimated_distances": an_object("By the travel model.", {"pairs_of_places": COUNT, "placements": COUNT}),
            "unknown_risk": COUNT,
            "warnings": {"type": "array", "items": TEXT},
            "policy": OPEN,
            "options": OPEN,
            "seed": WHOLE,
            "version": TEXT,
            "input_sha256": SHA256,
        },
    )  # fmt: skip


def _certificate() -> Schema:
    prices = by_key(by_key(by_key(COUNT)))
    body = {"prices": prices, "floor_prices": by_key(COUNT), "bound": WHOLE}
    multipliers = {"type": "array", "items": WHOLE}
    stage = an_object("A stage.", {"name": {"enum": ["all", *STAGES]}, "value": WHOLE, "multipliers": multipliers, **body})
    pair = {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}
    return an_object(
        "certificate.json: prices by accommodation, resource and date, in 1/scale of a unit, that bound every plan (docs/model.md).",
        {"unit": {"const": "0.1 person-km"}, "scale": {"type": "integer", "minimum": 1}, **body,
         "merged_links": {"type": "array", "items": pair}, "stages": {"type": "array", "items": stage}},
    )  # fmt: skip


def _run() -> Schema:
    return an_object(
        "run.json: what differs from run to run.",
        {"version": TEXT, "python": TEXT, "libraries": by_key(TEXT), "seconds": by_key(NUMBER),
         "peak_memory_mib": {"type": ["integer", "null"]}, "effort": NUMBER, "cut_by": {"type": ["string", "null"]}},
    )  # fmt: skip


def _distances() -> Schema:
    table = {"type": "array", "items": {"type": "array", "items": {"type": ["integer", "null"], "minimum": 0}}}
    return an_object(
        "distances.json, with the travel model `osrm`: km in tenths, and minutes, between all places of the instance.",
        {"server": TEXT, "points_sha256": SHA256, "km10": table, "minutes": table},
    )


def _error() -> Schema:
    fault = an_object("A fault of a row.", {"file": TEXT, "line": COUNT, "column": TEXT, "code": TEXT, "message": TEXT})
    kinds = ["InputError", "UsageError", "PolicyError", "ContradictionError", "NoPlanError", "InterruptedSolve", "InternalError"]
    inner = an_object(
        "What went wrong.",
        {"kind": {"enum": kinds}, "exit_code": WHOLE, "message": TEXT, "faults": {"type": "array", "items": fault},
         "ids": {"type": "array", "items": TEXT}},
        ("kind", "exit_code"),
    )  # fmt: skip
    return an_object("What commands print with --json when they fail, and the service answers.", {"error": inner})
