"""A problem cut into sections: each is the same problem for its parties and offers, alike in kind, and together they lose nobody."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from matcher import section as section_module
from matcher.compile import compile_instance
from matcher.errors import InternalError
from matcher.evaluate import broken, cost_by_stage, plan_of
from matcher.model import Instance
from matcher.policy import Policy, policy_from_plain
from matcher.pricing import bound as bound_module
from matcher.problem import BLOCKED, Problem
from matcher.result import Result
from matcher.section import section_of
from matcher.solver import solve
from matcher.strategies.base import Limits, Outcome, Silent, Watch
from matcher.strategies.prices import sections
from matcher.strategies.prices.dealing import deal
from matcher.strategies.prices.standing import held_by_links, still_holds
from matcher.strategies.prices.strategy import PriceStrategy
from matcher.strategies.prices.wishes import deal_by_wishes
from matcher.strategies.registry import strategy
from matcher.strategies.start import Start
from matcher.usage import homes_of
from tests.prices.problems import problems
from tests.runs import DATE, generated, instance_of


def some_of(count: int, rng: np.random.Generator) -> np.ndarray:
    return np.flatnonzero(rng.random(count) < 0.6)


@pytest.mark.parametrize("order", ["weighted", "strict"])
def test_a_section_costs_and_allows_what_the_whole_does(order: str) -> None:
    rng = np.random.default_rng(5)
    arcs = 0
    for problem in problems(120, 40, order):
        parties, offers = some_of(len(problem.parties), rng), some_of(problem.offers, rng)
        if not len(parties) or not len(offers):
            continue
        links = [x for x in problem.links if {x.first, x.second} <= set(parties.tolist())]
        section = section_of(problem, parties, offers, links)
        whole, part = problem.arcs(parties.tolist()), section.problem.arcs()
        kept = np.isin(whole.offer, offers)
        assert np.array_equal(parties[part.party], whole.party[kept]) and np.array_equal(offers[part.offer], whole.offer[kept])
        assert np.array_equal(part.cost, whole.cost[kept])
        assert part.rooms == tuple(r for r, k in zip(whole.rooms, kept, strict=True) if k)
        assert np.array_equal(section.resources[part.resource], whole.resource[np.repeat(kept, np.diff(whole.start))])
        assert np.array_equal(part.amount, whole.amount[np.repeat(kept, np.diff(whole.start))])
        assert np.array_equal(section.problem.capacity, problem.capacity[section.resources])
        assert np.array_equal(section.problem.unplaced_by_stage(), problem.unplaced_by_stage()[parties])
        every = np.arange(len(offers))
        for one, other in zip(section.problem.links, links, strict=True):
            assert np.array_equal(section.problem.link_matrix(one, every, every), problem.link_matrix(other, offers, offers))
        arcs += len(part)
    assert arcs > 500


def large(households: int, seed: int, links: float = 0.2) -> Problem:
    return compile_instance(instance_of(generated(households, seed, 1.0, links)), Policy(), DATE).problem


def nobody(problem: Problem) -> np.ndarray:
    return np.zeros(len(problem.parties), dtype=np.bool_)


def dealt(problem: Problem, seed: int, before: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return deal(problem, 4, seed, before, kept, np.flatnonzero(problem.must))


def test_sections_are_alike_and_keep_together_what_belongs_together() -> None:
    problem = large(1000, 71)
    parties, offers = len(problem.parties), problem.offers
    out = np.full(parties, -1)
    section, of_offer = dealt(problem, 3, out, nobody(problem))
    assert all(section[x.first] == section[x.second] for x in problem.links) and len(problem.links) > 20
    for q in np.flatnonzero(problem.must):
        allowed = problem.eligible(np.array([q]), np.arange(offers))[0]
        assert (of_offer[allowed] == section[q]).any()
    persons = np.bincount(section, problem.party_persons())
    assert persons.max() - persons.min() <= 0.03 * persons.mean()
    beds = np.bincount(of_offer, sections_beds(problem))
    assert beds.max() - beds.min() <= 0.06 * beds.mean()
    assert not np.array_equal(dealt(problem, 4, out, nobody(problem))[0], section)


def test_who_is_there_stays_with_the_offer_and_linked_parties_with_a_place_stay_out_of_it() -> None:
    problem = large(1000, 71, 0.5)
    parties = len(problem.parties)
    before = np.full(parties, -1)
    before[: parties // 2] = np.arange(parties // 2) % problem.offers
    kept = held_by_links(problem.links, before >= 0)
    for link in problem.links:
        assert kept[link.first] == kept[link.second]
        assert kept[link.first] or (before[[link.first, link.second]] < 0).all()
    section, of_offer = dealt(problem, 3, before, kept)
    there = (before >= 0) & ~kept
    assert (section[kept] == -1).all() and (section[~kept] >= 0).all()
    assert (section[there] == of_offer[before[there]]).all()
    sizes = np.bincount(section[~kept])
    assert sizes.max() <= 1.5 * sizes.mean()  # else all hang together, and a section is as large as the whole


def test_sections_around_wishes_hold_who_gains_and_where_they_would_rather_be() -> None:
    problem = large(600, 73, 0.1)
    problem = replace(problem, must=np.zeros_like(problem.must))
    start = solve(problem, strategy="prices", effort=0.02)
    stands = still_holds(problem, homes_of(problem, start.plan), start.plan.rooms)
    kept = held_by_links(problem.links, stands.placed)
    prices = np.random.default_rng(3).integers(0, 3000, len(problem.resources)).astype(float)
    part, owner = deal_by_wishes(problem, stands, kept, prices, 150)
    there = stands.placed & ~kept
    assert (part[there] == owner[stands.offers[there]]).all() and (part[kept] == -1).all()
    assert (part >= 0).sum() > 100 and np.bincount(part[part >= 0]).max() <= 150
    weights = np.array([1])
    best, offer = problem.best(prices.astype(np.int64), weights)
    waiting = np.flatnonzero(~stands.placed & ~kept & (best < problem.unplaced_by_stage()[:, 0] - 200))
    assert len(waiting) > 20 and (part[waiting] >= 0).mean() > 0.6  # the others' wishes are in sections that are full
    together = np.mean([part[q] == owner[offer[q]] for q in waiting if part[q] >= 0])
    assert together > 0.5


def test_only_what_still_holds_of_an_earlier_plan_stands() -> None:
    rng = np.random.default_rng(8)
    stood = dropped = 0
    for problem in problems(150, 2000):
        if not len(problem.parties) or not problem.offers:
            continue
        arcs = problem.arcs()
        offers, rooms = np.full(len(problem.parties), -1), [()] * len(problem.parties)
        for q in range(len(problem.parties)):
            mine = np.flatnonzero(arcs.party == q)
            if len(mine) and rng.random() < 0.8:
                e = int(rng.choice(mine))
                offers[q], rooms[q] = arcs.offer[e], arcs.rooms[e]
            elif rng.random() < 0.5:
                offers[q], rooms[q] = rng.integers(0, problem.offers), (99,)
        free = replace(problem, must=np.zeros_like(problem.must))
        stands = still_holds(free, offers, rooms)
        assert broken(free, plan_of(free, stands.offers.tolist(), stands.rooms)) == []
        left = stands.without(free, rng.random(len(offers)) < 0.5)
        assert (left.capacity >= 0).all() and (left.capacity <= free.capacity).all()
        stood += int(stands.placed.sum())
        dropped += int((offers >= 0).sum() - stands.placed.sum())
    assert stood > 200 and dropped > 200


def sections_beds(problem: Problem) -> np.ndarray:
    """Beds that are counted of offers that at least one party may have."""
    beds = np.zeros(problem.offers)
    for row in problem.resources:
        if row.kind in ("persons", "unit"):
            beds[row.offer] = max(beds[row.offer], row.capacity)
    return np.where(problem.eligible(np.arange(len(problem.parties)), np.arange(problem.offers)).any(axis=0), beds, 0)


FLOORS = policy_from_plain({"floors": {"km": 1234.56, "share": {"older_person": "0.9", "disability": "1"}}})


@pytest.fixture
def small_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut as a country would be, some hundred households at a time."""
    monkeypatch.setattr(sections, "FROM", 100)
    monkeypatch.setattr(sections, "PARTIES", 200)


def in_this_process(name: str, problem: Problem, limits: Limits, watch: Watch, _: object) -> Outcome:
    return strategy(name).solve(problem, limits, watch)


def check(instance: Instance, policy: Policy, result: Result) -> None:
    assert broken(compile_instance(instance, policy, DATE).problem, result.plan) == []
    assert result.bound <= result.cost.total


@pytest.mark.usefixtures("small_sections")
def test_what_sections_find_together_is_a_plan_with_its_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = instance_of(generated(400, 72, 1.0, 0.2))
    results = []
    for at_once in (1, 2):
        monkeypatch.setattr(sections, "MOST_AT_ONCE", at_once)
        monkeypatch.setattr(sections, "SHARPENED", 0)  # as beyond: prices of single rows go on over the whole after the last cut alone
        results.append(solve(instance, FLOORS, date=DATE, strategy="prices", effort=0.1))
    first, second = results
    assert first.plan == second.plan and first.certificate == second.certificate
    check(instance, FLOORS, first)
    monkeypatch.undo()
    whole = solve(instance, FLOORS, date=DATE, strategy="prices", effort=0.1)
    assert first.bound <= whole.cost.total and whole.bound <= first.cost.total
    assert first.cost.total <= 1.25 * whole.cost.total


@pytest.mark.usefixtures("small_sections")
def test_a_section_whose_search_dies_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    instance = instance_of(generated(600, 74, 1.1, 0.1))
    asked = []

    def dies_at_times(name: str, problem: Problem, limits: Limits, watch: Watch, cancel: object) -> Outcome:
        asked.append(len(problem.parties))
        if len(asked) % 3 == 2:
            raise InternalError("the search failed: a section of the test")
        return in_this_process(name, problem, limits, watch, cancel)

    monkeypatch.setattr(sections, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(sections, "solve_isolated", dies_at_times)
    result = solve(instance, Policy(), date=DATE, strategy="prices", effort=0.1)
    check(instance, Policy(), result)
    assert len(asked) >= 6 and result.effort.cut_by == "crash"
    assert len(result.placements) > 400


@pytest.mark.usefixtures("small_sections")
def test_a_warm_run_in_sections_is_no_worse_and_takes_nothing_on_trust(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "solve_isolated", in_this_process)
    problem = large(600, 75, 0.2)
    cold = PriceStrategy().solve(problem, Limits(5.0, time.monotonic() + 200), Silent())
    assert cold.plan is not None and cold.cut_by == "effort"
    homes = homes_of(problem, cold.plan)
    start = Start(cold.stages[0].prices.capacity / cold.stages[0].prices.scale, np.zeros(0), homes, cold.plan.rooms)
    warm = PriceStrategy().solve(problem, Limits(5.0, time.monotonic() + 200, start=start), Silent())
    assert warm.plan is not None and broken(problem, warm.plan) == []
    assert cost_by_stage(problem, warm.plan) <= cost_by_stage(problem, cold.plan)
    crowd = replace(start, offers=np.where(homes >= 0, homes[homes >= 0][0], -1))
    after = PriceStrategy().solve(problem, Limits(5.0, time.monotonic() + 200, start=crowd), Silent())
    assert after.plan is not None and broken(problem, after.plan) == []


@pytest.mark.usefixtures("small_sections")
def test_little_time_is_shared_by_all_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever work is asked for, none has so much that others get no time."""
    given: list[tuple[float, float]] = []

    def keep(name: str, problem: Problem, limits: Limits, watch: Watch, cancel: object) -> Outcome:
        given.append((limits.work, limits.seconds_left()))
        return in_this_process(name, problem, limits, watch, cancel)

    monkeypatch.setattr(sections, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(sections, "solve_isolated", keep)
    problem = large(600, 75, 0.0)
    began = time.monotonic()
    short = PriceStrategy().solve(problem, Limits(5000.0, began + 20), Silent())
    assert time.monotonic() - began < 40
    assert short.plan is not None and broken(problem, short.plan) == [] and short.cut_by == "time"
    assert len(given) >= 3 and all(work <= seconds for work, seconds in given[:3])
    assert (np.array(short.plan.home) >= 0).mean() > 0.6


@pytest.mark.usefixtures("small_sections")
def test_a_gap_that_is_asked_for_is_the_gap_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "solve_isolated", in_this_process)
    problem = large(400, 76, 0.0)
    far = PriceStrategy().solve(problem, Limits(5.0, time.monotonic() + 200, gap=1e6), Silent())
    assert far.plan is not None and far.cut_by is None
    near = PriceStrategy().solve(problem, Limits(5.0, time.monotonic() + 200, gap=1e-9), Silent())
    assert near.cut_by == "effort" and near.work > far.work


def test_the_bound_is_the_same_however_many_are_laid_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    compared = 0
    for problem in problems(60, 900):
        if not len(problem.parties) or not problem.offers:
            continue
        prices, weights = rng.integers(0, 5000, len(problem.resources)), np.array([3])
        together = bound_module.least_values(problem, prices, weights)
        monkeypatch.setattr(bound_module, "MOST_AT_ONCE", 3)
        monkeypatch.setattr(section_module, "PORTION", 3)
        assert np.array_equal(bound_module.least_values(problem, prices, weights), together)
        monkeypatch.undo()
        compared += int((together < BLOCKED).sum())
    assert compared > 100
