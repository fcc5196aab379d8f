"""`matcher verify`: is a written plan right, and does its certificate prove what it claims? Needs no solver."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from matcher.check import check_bound, check_plan
from matcher.compile import compile_instance
from matcher.doors import PATH, takes
from matcher.errors import Fault, InputError
from matcher.io import read_instance
from matcher.model import Instance
from matcher.policy import Policy, policy_from_plain, read_policy
from matcher.publish import quarantined_csv
from matcher.published import Published, read_published, with_distances
from matcher.result import LEFT_OUT_REASONS, TERMS
from matcher.rows import Rows, plan_of_rows
from matcher.summary import counts, travel_data
from matcher.warnings import plan_warnings


@dataclass(frozen=True)
class Verdict:
    """What verify found. violations: sentences, empty if all is right. bound: as recomputed, in 1/10 person-km, or None."""

    violations: tuple[str, ...]
    cost: int
    bound: int | None
    notes: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Nothing was found wrong."""
        return not self.violations


@takes(folder=PATH, out=PATH, encoding=str, mapping=(*PATH, type(None)), others=(*PATH, type(None)))
def verify(
    folder: Path | str, out: Path | str, *, encoding: str = "utf-8", mapping: Path | str | None = None, others: Path | str | None = None
) -> Verdict:
    """Re-check the run in `out` against the instance in `folder`. Raises InputError if either cannot be read.

    mapping, others: as of `read_instance`, where the run was made from an export in another form.
    """
    published = read_published(out)
    date, quarantine, policy = settings_of(published.summary)
    instance = with_distances(
        read_instance(folder, quarantine=quarantine, encoding=encoding, mapping=mapping, others=others, day=date), policy, out
    )
    violations: list[str] = []
    if published.summary.get("input_sha256") != instance.sha256:
        violations.append("[input] the instance is not the one that this run was made from (input_sha256 differs)")
    if published.summary.get("travel", {}) != travel_data(instance, policy).get("travel", {}):
        violations.append("[travel] the run measured distances on other roads than are here now")
    faults, bound = judge(instance, policy, date, published)
    violations += faults
    if not violations:  # the rest is counted from rows that are known to be right
        violations += _count_faults(instance, policy, published) + _reading_faults(instance, policy, date, published)
        violations += _quarantine_faults(instance, Path(out))
    cost = sum(published.summary["cost_terms"].get(term, 0) for term in TERMS)
    return Verdict(tuple(violations), cost, bound, _notes(Path(folder), policy))


def judge(instance: Instance, policy: Policy, date: dt.date, published: Published) -> tuple[list[str], int | None]:
    """(what is wrong with the plan, its certificate and the numbers that follow from them; the bound as recomputed)."""
    terms = {term: published.summary["cost_terms"].get(term, 0) for term in TERMS}
    violations = check_plan(instance, policy, date, published.placements, published.unplaced, terms)
    faults, bound = check_bound(instance, policy, date, published.certificate, published.placements, published.unplaced)
    told = set(violations)
    return [*violations, *(fault for fault in faults if fault not in told), *_summary_faults(published, bound)], bound


def settings_of(summary: Mapping[str, Any]) -> tuple[dt.date, bool, Policy]:
    """(date, quarantine, policy) of a run from its summary. Raises InputError where they cannot be read."""
    options, terms = summary.get("options"), summary.get("cost_terms")
    try:
        if not isinstance(options, dict) or not isinstance(terms, dict) or not isinstance(summary.get("policy"), dict):
            raise ValueError("options")
        date = dt.date.fromisoformat(str(options.get("date")))
        if any(type(value) is not int for value in terms.values()):
            raise ValueError("cost_terms")
    except ValueError:
        text = "lacks the date, the policy or the costs of the run, or they cannot be read"
        raise InputError([Fault("summary.json", 0, "", "file_unreadable", text)]) from None
    return date, bool(options.get("quarantine")), policy_from_plain(summary["policy"], "summary.json")


def _summary_faults(published: Published, bound: int | None) -> list[str]:
    """The numbers of summary.json against the rows and the certificate."""
    summary, faults = published.summary, []
    cost = sum(int(v) for v in summary["cost_terms"].values())
    if summary.get("cost") != cost:
        faults.append(f"[summary] cost is {summary.get('cost')}, its terms add up to {cost}")
    if summary.get("bound") != published.certificate.get("bound") or (bound is not None and summary.get("bound") != bound):
        faults.append(f"[summary] bound is {summary.get('bound')}, the certificate proves {bound}")
    if bound is not None:
        placed_cost = cost - int(summary["cost_terms"].get("unplaced", 0))
        people = sum(row.persons for row in published.placements)
        people += sum(row.persons or 0 for row in published.unplaced if row.reason not in LEFT_OUT_REASONS)
        gaps = {
            "gap": (cost - bound) / max(1, abs(cost)),
            "gap_placed": (cost - bound) / max(1, placed_cost),
            "gap_km_per_person": (cost - bound) / 10 / max(1, people),
        }
        for name, value in gaps.items():
            if not isinstance(summary.get(name), int | float) or abs(summary[name] - value) > 1e-3 * (name == "gap_km_per_person") + 1e-8:
                faults.append(f"[summary] {name} is {summary.get(name)}, it should be {value:.9f}")
        if bound > cost:
            faults.append("[summary] the bound is above the cost")
        if summary.get("proved_by") == "prices" and bound != cost:
            faults.append("[summary] optimal by prices is claimed, but cost and bound differ")
    return faults


CLAIMS = {("optimal", "prices"), ("optimal", "search"), ("feasible", None), ("fallback", None)}


def _count_faults(instance: Instance, policy: Policy, published: Published) -> list[str]:
    """Numbers of summary.json that follow from the rows alone, and claims that do not go together."""
    summary = published.summary
    counted = counts(instance, policy, published.placements, published.unplaced)
    counted["rows"] = [count.model_dump() for count in instance.counts]
    faults = [f"[summary] {name} is not what the rows say" for name in counted if summary.get(name) != counted[name]]
    if (summary.get("status"), summary.get("proved_by")) not in CLAIMS:
        faults.append(f"[summary] status {summary.get('status')!r} does not go with proved_by {summary.get('proved_by')!r}")
    if summary.get("seed") != summary["options"].get("seed"):
        faults.append("[summary] seed differs from the options")
    return faults


def _reading_faults(instance: Instance, policy: Policy, date: dt.date, published: Published) -> list[str]:
    """What people read beside the plan, counted again as `solve` counts it: alternatives, ties kept, reasons in words."""
    compiled = compile_instance(instance, policy, date)
    rows = Rows(compiled, plan_of_rows(compiled, published.placements))
    right = {row.household_id: row for row in rows.placements()}
    faults = []
    if published.summary.get("warnings") != list(plan_warnings(compiled, str(published.summary["options"].get("lang", "en")))):
        faults.append("[summary] warnings are not what they should be")
    for row in published.placements:
        wanted = right[row.household_id]
        if (row.ties_kept, row.alternatives) != (wanted.ties_kept, wanted.alternatives):
            faults.append(f"[alternatives] {row.household_id}: ties_kept or the next best offers are not what they should be")
    words = {row.household_id: row for row in rows.unplaced(str(published.summary["options"].get("lang", "en")))}
    faults += [
        f"[reason] {row.household_id}: the explanation is not what it should be"
        for row in published.unplaced
        if replace(row, remedy="") != words[row.household_id]  # a remedy rests on solving again, which is not done here
    ]
    return faults


def _quarantine_faults(instance: Instance, out: Path) -> list[str]:
    path = out / "quarantined.csv"
    if not path.is_file() or path.read_bytes() != quarantined_csv(instance).encode("utf-8"):
        return ["[quarantined] quarantined.csv is not what the faulty rows say"]
    return []


def _notes(folder: Path, policy: Policy) -> tuple[str, ...]:
    path = folder / "policy.toml"
    if path.exists() and read_policy(path) != policy:
        return ("the run was made with another policy than the policy.toml in the instance's folder",)
    return ()
