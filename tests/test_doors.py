"""Public functions refuse what is of another kind with one of the package's own errors, and say what they want."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import matcher
from matcher import InputError, MatcherError, Policy, Problem, SolveOptions, UsageError, read_policy, solve
from matcher.changes import CloseOffer
from matcher.places.oblasts import OBLASTS as REGIONS
from matcher.policy import OBLASTS, naming, policy_from_plain, usual_limit
from tests.runs import DATE, INSTANCES, instance_of, solved

FLAGS = {"quarantine", "protected", "rooms"}
"""Anything is true or not."""


class Strange:
    """Of no kind that any function takes."""


@cache
def fitting() -> Mapping[str, Any]:
    """An argument that each parameter takes, by its name."""
    folder = INSTANCES / "hard-night"
    result = solved(folder)
    return {
        "what": instance_of(folder), "result": result, "instance": result.instance, "policy": Policy(), "options": SolveOptions(),
        "household_id": "H001", "effort": 0.0, "most": 1, "changes": [CloseOffer("A001")], "key": "order", "values": [1], "date": DATE,
        "placed": result.placements, "unplaced": result.unplaced, "cost_terms": result.cost.terms, "certificate": {}, "folder": "nowhere",
        "out": "nowhere", "source": "nowhere", "path": "nowhere", "error": InputError([]), "households": 3, "seed": 1, "tables": {},
        "also": (),
    }  # fmt: skip


def doors() -> list[tuple[str, str]]:
    """Every public function with each of its parameters."""
    functions = {name: getattr(matcher, name) for name in matcher.__all__ if inspect.isfunction(getattr(matcher, name))}
    return [
        (name, parameter.name)
        for name, function in functions.items()
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD and parameter.name not in FLAGS
    ]


@pytest.mark.parametrize(("name", "wrong"), doors())
def test_an_argument_of_another_kind_is_refused_by_its_name(name: str, wrong: str) -> None:
    function = getattr(matcher, name)
    parameters = inspect.signature(function).parameters.values()
    given = {p.name: fitting()[p.name] for p in parameters if p.default is inspect.Parameter.empty and p.name in fitting()}
    if name == "instance_from_frames":
        given = {"households": pd.DataFrame(), "accommodations": pd.DataFrame()}
    with pytest.raises(UsageError, match=rf"\A{name}: {wrong} must be .*, not Strange\Z"):
        function(**{**given, wrong: Strange()})


def test_every_public_function_was_tried() -> None:
    tried = {name for name, _ in doors()}
    assert len(tried) > 18 and {"solve", "explain", "read_instance", "instance_from_frames", "whatif", "verify", "publish"} <= tried


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"time_limit_s": "soon"}, "time_limit_s: "),
        ({"gap": -1}, "gap: "),
        ({"date": "some day"}, "date: "),
        ({"strateggy": "auto"}, "there is no option 'strateggy'; choices: date, seed, strategy"),
        ({"strategy": "guess"}, "guess"),
        ({"lang": "fr"}, "lang: "),
    ],
)
def test_options_that_are_none_are_a_usage_error(options: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        solve(fitting()["instance"], **options)


def test_the_limit_of_time_grows_with_the_households_unless_one_is_given() -> None:
    assert [usual_limit(n) for n in (1, 50_000, 1_000_000)] == [300, 300, 6000]
    arguments = fitting()
    limits = [solve(arguments["instance"], **more).options for more in ({}, {"time_limit_s": 7.0})]
    assert [None if x is None else x.time_limit_s for x in limits] == [300, 7]


def test_changes_that_are_none_and_seeds_below_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"changes must be those of matcher\.changes, such as CloseOffer, not int"):
        matcher.whatif(fitting()["result"], [5])
    with pytest.raises(UsageError, match="seed must be at least 0"):
        matcher.generate(tmp_path / "new", 3, -1)
    matcher.generate(str(tmp_path / "new"), np.int64(3), np.int64(1))
    assert (tmp_path / "new" / "households.csv").is_file()


def test_a_policy_made_in_code_has_the_faults_of_a_file() -> None:
    for wrong in ({"ties": {"weight": -1}, "travl": {}}, {"ties": 5, "order": "any"}):
        with pytest.raises(InputError) as caught:
            Policy.model_validate(wrong)
        assert len(caught.value.faults) == 2 and {fault.file for fault in caught.value.faults} == {"policy"}
    with pytest.raises(InputError, match="needs two places"):
        Policy.model_validate({"travel": {"model": "road", "blocked": [["Lviv"]]}})
    with pytest.raises(InputError, match="valid dictionary"):
        Policy.model_validate(5)


def test_a_result_of_a_bare_problem_has_no_tables() -> None:
    result = solve(Problem.from_matrix(np.ones((1, 1), int), np.ones((1, 1), int), np.ones(1, int)))
    for name in ("summary", "placements_frame", "unplaced_frame", "alternatives_frame", "fairness", "advise", "find_remedies"):
        with pytest.raises(UsageError, match="only a result of an instance"):
            getattr(matcher, name)(result)
    with pytest.raises(UsageError, match="only a result of an instance"):
        matcher.publish(result, "nowhere")


def test_a_fault_that_a_policy_shows_in_use_names_the_file_that_it_came_from(tmp_path: Path) -> None:
    text = '[travel]\nmodel = "road"\nblocked = [["Lviv", "Nowhereville"]]\n'
    (tmp_path / "winter.toml").write_text(text, encoding="utf-8")
    near = {"travel": {"model": "road", "blocked": [["Lviv", "Lviv"]]}}
    heavy = {"travel": {"weight": 1e9}, "risk": {"km": 1e9}, "unplaced": {"km": [1e9] * 5}, "ties": {"weight": 1e9}}
    for policy, file, column in (
        (read_policy(tmp_path / "winter.toml"), "winter.toml", "travel.blocked"),
        (policy_from_plain(near, "policy of the request"), "policy of the request", "travel.blocked"),
        (Policy.model_validate(near), "policy", "travel.blocked"),
        (policy_from_plain(heavy, "heavy.toml", own=False), "heavy.toml", None),
    ):
        with pytest.raises(InputError) as caught:
            solve(fitting()["instance"], policy, date=DATE)
        assert {fault.file for fault in caught.value.faults} == {file}
        assert column is None or {fault.column for fault in caught.value.faults} == {column}
    assert issubclass(InputError, MatcherError)
    assert read_policy(tmp_path / "winter.toml") == policy_from_plain(read_policy(tmp_path / "winter.toml").plain(), "elsewhere")
    with pytest.raises(InputError, match=r"households\.csv:2 id"), naming(Policy()):
        raise InputError([matcher.Fault("households.csv", 2, "id", "required", "fill it")])


@pytest.mark.parametrize("table", [{"travel": {"closed": ["UA99"]}}, {"risk": {"area": {"UA99": 0.5}}}, {"travel": {"closed": ["UA-65"]}}])
def test_an_oblast_that_does_not_exist_is_a_fault_of_the_policy(table: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="is not the code of an oblast; the P-codes are UA01, UA05"):
        Policy.model_validate(table)


def test_the_policy_knows_the_oblasts_that_there_are() -> None:
    assert set(REGIONS) == OBLASTS and len(OBLASTS) == 27
    assert Policy.model_validate({"travel": {"closed": sorted(OBLASTS)}}).travel.closed == tuple(sorted(OBLASTS))
    assert Policy.model_validate({"travel": {"closed": ["PL-02", "MD-CH"]}}).travel.closed == ("PL-02", "MD-CH")
