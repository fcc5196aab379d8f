"""Beginning from an earlier run: nothing of it is taken on trust, and nothing of it is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from matcher import generate, publish, read_instance, solve
from matcher.generate import DATE
from matcher.policy import Policy, WarmStart
from matcher.published import read_published, warm_start_of
from matcher.summary import summary


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("warm") / "in"
    generate(path, 90, 61, 1.0, links=0.1)
    return path


@pytest.mark.parametrize("strategy", ["prices", "exact"])
def test_a_warm_run_is_as_good_as_the_run_it_begins_from(folder: Path, tmp_path: Path, strategy: str) -> None:
    instance = read_instance(folder)
    cold = solve(instance, Policy(), date=DATE, strategy=strategy, effort=0.2)
    publish(cold, tmp_path / "out")
    start = warm_start_of(read_published(tmp_path / "out"))
    assert len(start.homes) == len(cold.placements) > 50 and start.prices
    warm = solve(instance, Policy(), date=DATE, strategy=strategy, effort=0.2, warm_start=start)
    assert warm.cost.total <= cold.cost.total
    assert warm.bound >= cold.bound - abs(cold.bound) // 200
    assert summary(warm)["options"]["warm_start"] is True
    assert "warm_start" not in summary(cold)["options"]


@pytest.mark.parametrize("strategy", ["prices", "exact"])
def test_what_is_no_longer_there_or_never_was_does_no_harm(folder: Path, strategy: str) -> None:
    instance = read_instance(folder)
    offers = [a.accommodation_id for a in instance.accommodations]
    homes = {h.household_id: (offers[0], (1, 99)) for h in instance.households} | {"nobody": ("nowhere", ())}
    prices = {"nowhere": {"unit": {"": 5}}, offers[0]: {"unit": {"": -7}, "what": {"": 3}}, offers[1]: {"persons": {"": 1 << 40}}}
    start = WarmStart(scale=1, prices=prices, floors={"none": 4}, homes=homes)
    cold = solve(instance, Policy(), date=DATE, strategy=strategy, effort=0.2)
    warm = solve(instance, Policy(), date=DATE, strategy=strategy, effort=0.2, warm_start=start)
    assert warm.cost.total >= cold.bound and cold.cost.total >= warm.bound
    assert len(warm.placements) > 50
