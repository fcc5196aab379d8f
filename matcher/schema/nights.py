"""JSON Schema of what nights read and write."""

from __future__ import annotations

from matcher.asked import COLUMNS
from matcher.history.records import ACTIONS, reasons_of
from matcher.nightly.config import NightlyConfig
from matcher.nightly.manifest import Manifest
from matcher.schema.parts import DAY, TEXT, Schema, an_object, output_row
from matcher.stability import CHANGED, CHANGES_COLUMNS, DROPPED, ENDING_COLUMNS, KEPT, NEW

_KM: Schema = {"type": "string", "pattern": r"^([0-9]+\.[0-9])?$"}


def of_nights() -> dict[str, Schema]:
    """By name: `nightly` (nightly.toml), `manifest` (of a delivery), and by row `decisions`, `changes` and `ending`."""
    config = NightlyConfig.model_json_schema()
    del config["properties"]["base"]  # where the file stands, which is not in it
    return {
        "nightly": {**config, "description": "nightly.toml: the configuration of the nightly run (docs/operations.md)."},
        "manifest": {**Manifest.model_json_schema(), "description": "manifest.json: which files a delivery has (docs/operations.md)."},
        "decisions": _decision(),
        "changes": output_row(
            "A row of changes.csv: what a night changes for a household.",
            CHANGES_COLUMNS,
            {
                "change": {"enum": [NEW, CHANGED, DROPPED, KEPT]}, "km_from": _KM, "km_to": _KM,
                "saves_km": {"type": "string", "pattern": r"^(-?[0-9]+\.[0-9])?$"},
            },
        ),
        "ending": output_row(
            "A row of ending.csv: a placement in an offer that ends soon.",
            ENDING_COLUMNS,
            {"until": {"type": "string", "pattern": f"^({DAY})?$"}, "nights_left": {"type": "string", "pattern": "^(-?[0-9]+)?$"}},
        ),
    }  # fmt: skip


def _decision() -> Schema:
    cell: Schema = {"type": ["string", "null"]}
    known = {
        "action": {"enum": list(ACTIONS)},
        "reason": {"enum": sorted({reason for action in ACTIONS for reason in reasons_of(action)})},
        "by": TEXT,
        **{name: {**cell, "pattern": rf"^\s*({DAY})?\s*$"} for name in ("until", "decided_at")},
    }
    rows = {name: known.get(name, cell) for name in COLUMNS}
    return an_object("A row of decisions.csv: what somebody has answered (docs/deciding.md).", rows, ("action", "reason", "by"))
