"""Compiled pricing against the plain doors of `Problem`: every pair, every price, every party."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from matcher import bounds
from matcher.bounds import Least, Prices, lower_bound, prove
from matcher.errors import InputError
from matcher.layers import LARGEST, Ints
from matcher.pricing import core as core_module
from matcher.pricing import shelves as shelves_module
from matcher.pricing.arcs import Choices, joined, nearest_offers, write_out
from matcher.pricing.board import Board
from matcher.pricing.core import make_core
from matcher.pricing.kernels import HALF
from matcher.pricing.menus import make_menus
from matcher.pricing.shelves import make_shelves
from matcher.problem import BLOCKED, UNPLACED, Arcs, Problem
from tests.prices.problems import problems, random_prices

EVERYDAY, MANY = 90, 1200


def board_of(problem: Problem, weights: list[int], kind: type) -> Board:
    core, tables = make_core(problem, weights)
    return Board(core, make_menus(core), make_shelves(core, tables), kind)


@pytest.fixture(params=["long shelves", "short shelves"])
def shelves(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Shelves that know every table, and shelves that know next to none (and tables that are not merged)."""
    if request.param == "short shelves":
        monkeypatch.setattr(shelves_module, "MOST_ENTRIES", 12)
        monkeypatch.setattr(core_module, "MOST_ENTRIES", 4)
    return str(request.param)


def worths(problem: Problem, arcs: Arcs, prices: Ints, weights: list[int]) -> Ints:
    """Value of every arc that `Problem.arcs` writes out, summed up by hand."""
    paid = np.zeros(len(arcs.party), dtype=np.int64)
    owner = np.repeat(np.arange(len(arcs.party)), np.diff(arcs.start))
    np.add.at(paid, owner, prices[arcs.resource] * arcs.amount)
    return np.asarray(arcs.cost @ np.asarray(weights, dtype=np.int64) + paid, dtype=np.int64)


def best_by_hand(problem: Problem, prices: Ints, weights: list[int]) -> list[tuple[int, int]]:
    arcs = problem.arcs()
    best = [(BLOCKED, UNPLACED)] * len(problem.parties)
    for q, a, value in zip(arcs.party.tolist(), arcs.offer.tolist(), worths(problem, arcs, prices, weights).tolist(), strict=True):
        best[q] = min(best[q], (value, a))
    return best


def check_best(count: int, first: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    for i, problem in enumerate(problems(count, first)):
        rng = np.random.default_rng(i)
        boards = {kind: board_of(problem, [1], kind) for kind in (np.int64, np.float64)}
        for scale, top in ((1, 0), (7, 300), (1000, 3_000_000), (1, 90)):
            prices = random_prices(problem, rng, top)
            expected = best_by_hand(problem, prices, [scale])
            values, offers = problem.best(prices, np.array([scale]))
            assert list(zip(values.tolist(), offers.tolist(), strict=True)) == expected
            for kind, board in boards.items():  # whole numbers stay exact in floats of this size
                board.set_prices(prices.astype(kind), scale)
                best, offer = board.find_best()
                assert offer.tolist() == [a for _, a in expected], (i, kind, scale)
                assert [int(v) for v, a in zip(best, offer, strict=True) if a >= 0] == [v for v, a in expected if a >= 0], (i, kind, scale)
            seen["placed"] += sum(a >= 0 for _, a in expected)
            seen["nowhere"] += sum(a < 0 for _, a in expected)
        seen["rooms"] += any(s is not None for s in problem.sizes)
        seen["dates"] += any(r.date >= 0 for r in problem.resources)
        seen["needs"] += any(r.kind == "need" for r in problem.resources)
        seen["in use"] += problem.in_use is not None
        seen["parties"] += any(len(p) > 1 for p in problem.parties)
        seen["links inside"] += bool(problem.party_cost)
        seen["must"] += bool(problem.must.any())
        seen["barred"] += bool(problem.barred.any())
        seen["several places"] += int(problem.place.max(initial=0)) > 1
    return seen


@pytest.mark.usefixtures("shelves")
def test_every_best_offer_is_the_one_found_by_hand() -> None:
    seen = check_best(EVERYDAY, 0)
    assert min(seen.values()) >= 5 and len(seen) == 11, seen


@pytest.mark.slow
@pytest.mark.usefixtures("shelves")
def test_every_best_offer_is_the_one_found_by_hand_on_many_more() -> None:
    check_best(MANY, EVERYDAY)


def test_prices_that_are_no_whole_numbers() -> None:
    for i, problem in enumerate(problems(40, 2000)):
        prices = np.random.default_rng(i).random(len(problem.resources)) * 900
        board = board_of(problem, [1], np.float64)
        board.set_prices(prices)
        best, offer = board.find_best()
        arcs = problem.arcs()
        owner = np.repeat(np.arange(len(arcs.party)), np.diff(arcs.start))
        value = arcs.cost.sum(axis=1) + np.bincount(owner, prices[arcs.resource] * arcs.amount, len(arcs.party))
        least = np.full(len(problem.parties), np.inf)
        np.minimum.at(least, arcs.party, value)
        assert ((offer >= 0) == np.isfinite(least)).all()
        assert np.allclose(best[offer >= 0], least[offer >= 0], rtol=1e-12, atol=1e-9)


def check_nearest(count: int, first: int) -> None:
    for i, problem in enumerate(problems(count, first)):
        rng = np.random.default_rng(i)
        board = board_of(problem, [1], np.float64)
        arcs = problem.arcs()
        for top in (0, 500):
            prices = random_prices(problem, rng, top)
            board.set_prices(prices.astype(np.float64))
            least: dict[tuple[int, int], int] = {}
            for q, a, v in zip(arcs.party.tolist(), arcs.offer.tolist(), worths(problem, arcs, prices, [1]).tolist(), strict=True):
                least[q, a] = min(v, least.get((q, a), v))
            most = int(rng.integers(1, problem.offers + 2))
            parties = np.flatnonzero(rng.random(len(problem.parties)) < 0.8)
            for chosen in (None, parties):
                offers, costs = nearest_offers(board, most, chosen)
                for row, q in enumerate(range(len(problem.parties)) if chosen is None else parties.tolist()):
                    found = [int(a) for a in offers[row] if a >= 0]
                    everything = sorted(v for (p, _), v in least.items() if p == q)
                    assert found == offers[row][: len(found)].tolist() and len(set(found)) == len(found)
                    assert [least[q, a] for a in found] == everything[:most], (i, q)
                    base = problem.base_cost(np.array([q]), np.array(found, dtype=np.int64))[0].sum(axis=1) if found else np.zeros(0)
                    assert costs[row][: len(found)].tolist() == base.tolist()


@pytest.mark.parametrize("shape", [(300, 4), (40, 1), (7, 0), (0, 3)])
def test_like_rows_are_found_even_where_sums_mislead(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(5).integers(-2, 2, shape)
    for mislead in (False, True):
        monkeypatch.setattr(core_module, "AT_ONCE", 10)
        if mislead:
            monkeypatch.setattr(core_module, "_sums", lambda rows: np.zeros(len(rows), dtype=np.uint64))
        else:
            assert len(np.unique(core_module._sums(rows))) == len(np.unique(rows, axis=0))
        first, kind = core_module._distinct(rows)
        assert (rows[first][kind] == rows).all()
        assert len(np.unique(rows, axis=0)) == len(first) == len(set(map(tuple, rows[first].tolist())))


def test_sums_tell_rows_of_broken_rules_apart() -> None:
    rows = (np.random.default_rng(6).integers(0, 2, (500, 60)) * -1).astype(np.int8)
    assert len(np.unique(core_module._sums(rows))) == len(np.unique(rows, axis=0)) == 500


@pytest.mark.parametrize(("places", "unit", "kind"), [(n, 100, np.int32) for n in (63, 64, 65, 128, 150)] + [(65, 1 << 32, np.int64)])
def test_the_nearest_of_many_places_are_the_first_of_all_sorted(places: int, unit: int, kind: type) -> None:
    """Also where several places cost the same, and where costs are too large for 32 bits."""
    chance = np.random.default_rng(places)
    cost = chance.integers(0, 12, (5, places)) * unit
    problem = replace(Problem.from_matrix(cost, np.ones((5, places), dtype=int), np.full(places, 2)), place=np.arange(places))
    board = board_of(problem, [1], np.float64)
    assert board.core.at_place.shape[1] == places and board.core.at_place.dtype == kind
    prices = chance.integers(0, 3, len(problem.resources)).astype(np.float64) * unit
    board.set_prices(prices)
    worth = cost + prices[[problem.resources_of[a][0] for a in range(places)]]
    for most in (1, 7, places):
        offers, costs = nearest_offers(board, most)
        for q in range(5):
            assert worth[q, offers[q]].tolist() == sorted(worth[q].tolist())[:most] and len(set(offers[q].tolist())) == most
            assert costs[q].tolist() == cost[q, offers[q]].tolist()


@pytest.mark.usefixtures("shelves")
def test_the_nearest_offers_are_the_first_of_all_sorted() -> None:
    check_nearest(EVERYDAY, 0)


@pytest.mark.slow
@pytest.mark.usefixtures("shelves")
def test_the_nearest_offers_are_the_first_of_all_sorted_on_many_more() -> None:
    check_nearest(MANY, EVERYDAY)


def written(choices: Choices) -> Iterator[tuple[int, int, int, int, tuple[tuple[int, int], ...]]]:
    """(position of the party, offer, set, cost, uses) of every arc."""
    for i in range(len(choices.start) - 1):
        for e in range(choices.start[i], choices.start[i + 1]):
            span = slice(choices.use_start[choices.bundle[e]], choices.use_start[choices.bundle[e] + 1])
            uses = tuple(sorted(zip(choices.use_row[span].tolist(), choices.use_amount[span].tolist(), strict=True)))
            yield i, int(choices.offer[e]), int(choices.set[e]), int(choices.cost[e]), uses


def test_arcs_are_written_out_as_the_problem_writes_them() -> None:
    seen: Counter[str] = Counter()
    for i, problem in enumerate(problems(EVERYDAY, 4000)):
        rng = np.random.default_rng(i)
        board = board_of(problem, [1], np.float64)
        board.set_prices(random_prices(problem, rng, 300).astype(np.float64))
        arcs = problem.arcs()
        spans = [slice(arcs.start[e], arcs.start[e + 1]) for e in range(len(arcs.party))]
        taken = [tuple(sorted(zip(arcs.resource[x].tolist(), arcs.amount[x].tolist(), strict=True))) for x in spans]
        expected = Counter(
            (int(arcs.party[e]), int(arcs.offer[e]), int(arcs.cost[e].sum()), taken[e]) for e in range(len(arcs.party))
        )  # fmt: skip
        everybody = np.arange(len(problem.parties))
        home = np.full(len(everybody), -1, dtype=np.int64)
        for q in everybody:
            own = np.unique(arcs.offer[arcs.party == q])
            if len(own) and rng.random() < 0.5:
                home[q] = rng.choice(own)
        nobody = np.full(len(everybody), -1, dtype=np.int64)
        parts = [nearest_offers(board, max(1, problem.offers // 2)), nearest_offers(board, problem.offers)]
        lists = joined(board.core, everybody, parts, home, nobody)
        found = list(written(write_out(board, lists, 1000)))
        assert Counter((q, a, cost, uses) for q, a, _, cost, uses in found) == expected
        first = {q: a for q, a, *_ in reversed(found)}
        assert all(first[q] == home[q] for q in everybody if home[q] >= 0)
        # with one room set an offer, and one that has to be kept
        keep = {(q, a): s for q, a, s, *_ in found if home[q] == a and s >= 0}
        kept = np.array([keep.get((q, home[q]), -1) for q in everybody], dtype=np.int64)
        short = list(written(write_out(board, joined(board.core, everybody, parts, home, kept), 1)))
        assert set(short) <= set(found)
        assert all((q, home[q], kept[q]) in {(p, a, s) for p, a, s, *_ in short} for q in everybody if kept[q] >= 0)
        assert {(q, a) for q, a, *_ in short} == {(q, a) for q, a, *_ in found}
        seen["kept sets"] += int((kept >= 0).sum())
        seen["arcs"] += len(found)
        seen["fewer"] += len(short) < len(found)
    assert min(seen.values()) >= 20 and len(seen) == 3, seen


def test_nearest_offers_with_room_are_those_that_fit() -> None:
    """All that fit stand there; what takes of a row with nothing left does not; of offers alike for all, only what fits."""
    seen: Counter[str] = Counter()
    for i, problem in enumerate(problems(EVERYDAY, 4500)):
        rng = np.random.default_rng(i)
        board = board_of(problem, [1], np.float64)
        left = np.minimum(rng.integers(0, 4, len(problem.resources)), problem.capacity)
        prices = random_prices(problem, rng, 300).astype(np.float64)
        board.set_prices(prices, left=left)
        offers, _ = nearest_offers(board, problem.offers)
        listed = {(q, a) for q in range(len(offers)) for a in offers[q].tolist() if a >= 0}
        arcs = problem.arcs()
        fits, opens = set(), set()
        for e in range(len(arcs.party)):
            pair, span = (int(arcs.party[e]), int(arcs.offer[e])), slice(arcs.start[e], arcs.start[e + 1])
            if (arcs.amount[span] <= left[arcs.resource[span]]).all():
                fits.add(pair)
            if (left[arcs.resource[span]] > 0).all():
                opens.add(pair)
        assert fits <= listed <= opens, i
        alone = np.diff(board.core.special_start) == 0
        assert all((q, a) in fits for q, a in listed if board.menus.plain[a] and alone[q]), i
        seen["fits"] += len(fits)
        seen["left away"] += len(set(zip(arcs.party.tolist(), arcs.offer.tolist(), strict=True)) - listed)
        board.set_prices(prices)
        again, _ = nearest_offers(board, problem.offers)
        assert {(q, a) for q in range(len(again)) for a in again[q].tolist() if a >= 0} == set(
            zip(arcs.party.tolist(), arcs.offer.tolist(), strict=True)
        )
    assert min(seen.values()) >= 100 and len(seen) == 2, seen


def check_bounds(count: int, first: int, order: str, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    seen: Counter[str] = Counter()
    for i, problem in enumerate(problems(count, first, order)):
        rng = np.random.default_rng(i)
        for scale in (1, 1000):
            stages = len(problem.stages)
            stage = int(rng.integers(0, stages))
            multipliers = tuple(int(v) for v in rng.integers(0, 5 * scale, stage))
            held = tuple(int(v) for v in rng.integers(0, 1000, stage))
            floors = np.array([int(rng.integers(0, 1 + scale * f.least_rate)) for f in problem.floors], dtype=np.int64)
            prices = Prices(scale, stage, random_prices(problem, rng, 300 * scale), floors, multipliers, held)
            whole = prove(problem, prices, ())
            monkeypatch.setattr(bounds, "MOST_PAIRS", 0)
            least = lower_bound(problem, prices, ())
            monkeypatch.undo()
            assert isinstance(least, Least) == (problem.offers > 0 and len(problem.parties) > 0)
            assert (least.scaled, least.impossible) == (whole.scaled, whole.impossible), i
            assert least.rounded(scale) == whole.rounded(scale)
            seen["impossible" if whole.impossible else "possible"] += 1
    return seen


@pytest.mark.parametrize("order", ["weighted", "strict"])
def test_the_bound_of_many_pairs_is_the_bound_of_few(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = check_bounds(EVERYDAY, 6000, order, monkeypatch)
    assert seen["possible"] >= 100, seen


@pytest.mark.slow
@pytest.mark.parametrize("order", ["weighted", "strict"])
def test_the_bound_of_many_pairs_is_the_bound_of_few_on_many_more(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    check_bounds(MANY, 6000 + EVERYDAY, order, monkeypatch)


def test_prices_known_before_leave_no_trace() -> None:
    """Shelves stay sorted from one set of prices to the next; a board that is new says the same."""
    for i, problem in enumerate(problems(30, 8000)):
        rng = np.random.default_rng(i)
        used = board_of(problem, [1], np.float64)
        for _ in range(4):
            prices = rng.random(len(problem.resources)) * 500
            used.set_prices(prices)
            new = board_of(problem, [1], np.float64)
            new.set_prices(prices)
            for one, other in zip(used.find_best(), new.find_best(), strict=True):
                assert one.tobytes() == other.tobytes()
            for one, other in zip(nearest_offers(used, 5), nearest_offers(new, 5), strict=True):
                assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("top", [LARGEST, LARGEST - 1, 1 << 40])
def test_costs_at_the_extremes_are_priced_right(top: int) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        h, a = 6, 5
        cost = rng.choice([0, 1, top - 1, top, -top], (h, a))
        problem = Problem.from_matrix(cost, rng.integers(0, 3, (h, a)), [4] * a, [top] * h, allowed=rng.random((h, a)) < 0.8)
        assert 4 * top < HALF
        board = board_of(problem, [1], np.int64)
        prices = random_prices(problem, rng, top)
        board.set_prices(prices)
        best, offer = board.find_best()
        values, offers = problem.best(prices, np.array([1]))
        assert offer.tolist() == offers.tolist()
        assert [int(v) for v in best[offer >= 0]] == values[offers >= 0].tolist()


def test_costs_beyond_half_are_a_refusal_or_the_same_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs that count λ times in a later stage may be large where each of them is small."""
    seen: Counter[str] = Counter()
    monkeypatch.setattr(bounds, "MOST_PAIRS", 0)
    for i, problem in enumerate(problems(60, 9000, "strict")):
        rng = np.random.default_rng(i)
        stage = len(problem.stages) - 1
        for power in (20, 30, 36, 40, 44):
            multipliers = tuple(int(v) for v in rng.integers(0, 1 << power, stage))
            zeros = np.zeros(len(problem.floors), dtype=np.int64)
            prices = Prices(1000, stage, random_prices(problem, rng, 1000), zeros, multipliers, (0,) * stage)
            try:
                least = lower_bound(problem, prices, ())
            except InputError as error:
                seen["other refusals"] += "too large" not in str(error)
                seen["refused"] += 1
                continue
            assert least.scaled == prove(problem, prices, ()).scaled, (i, power)
            seen["right"] += 1
            seen["huge"] += sum(int(w) * c for w, c in zip(prices.weights(stage + 1), bounds.largest_costs(problem), strict=True)) > 1 << 50
    assert min(seen[name] for name in ("refused", "right", "huge")) >= 10 and seen["other refusals"] == 0, seen


def test_the_bound_of_very_many_large_costs_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four thousand times a cost so large that no 64 bits hold the sum, and as many below nothing."""
    rng = np.random.default_rng(3)
    for sign in (1, -1):
        cost = sign * rng.integers(LARGEST // 2, LARGEST, (4000, 2))
        problem = Problem.from_matrix(cost, np.ones((4000, 2)), [1, 2], sign * rng.integers(LARGEST // 2, LARGEST, 4000))
        scale = bounds.price_scale(problem)
        prices = Prices(scale, 0, np.array([5, 0]), np.zeros(0, dtype=np.int64), (), ())
        whole = prove(problem, prices, ())
        monkeypatch.setattr(bounds, "MOST_PAIRS", 0)
        assert lower_bound(problem, prices, ()).scaled == whole.scaled
        monkeypatch.undo()
        best = np.minimum(cost.min(axis=1), problem.unplaced_cost)
        assert abs(whole.scaled - scale * sum(best.tolist())) <= 5 * (4000 + 3)
        assert abs(whole.scaled) > 1 << 63


def test_rules_of_large_parties_do_not_overflow() -> None:
    """A party of 100 that may go nowhere goes nowhere, however many of its members are kept out."""
    h, a = 100, 3
    allowed = np.zeros((h, a), dtype=np.bool_)
    allowed[:, 2] = True
    allowed[7, 2] = False
    problem = Problem.from_matrix(np.ones((h, a)), np.ones((h, a)), [200] * a, [10] * h, allowed=allowed)
    no = np.zeros(1, dtype=np.bool_)
    problem = replace(problem, parties=(tuple(range(h)),), must=no, barred=no, room_need=np.zeros(1, dtype=np.int64))
    board = board_of(problem, [1], np.int64)
    board.set_prices(np.zeros(a, dtype=np.int64))
    assert board.find_best()[1].tolist() == [UNPLACED]


def test_nobody_and_nothing() -> None:
    """Boards without parties, without offers, without rows."""
    empty = np.zeros((0, 3), dtype=np.int64)
    none = np.zeros((2, 0), dtype=np.int64)
    for problem in (Problem.from_matrix(empty, empty, [1, 1, 1]), Problem.from_matrix(none, none, [], [4, 5])):
        for kind in (np.int64, np.float64):
            board = board_of(problem, [1], kind)
            board.set_prices(np.zeros(len(problem.resources), dtype=kind))
            _, offer = board.find_best()
            assert offer.tolist() == [UNPLACED] * len(problem.parties)
            assert (nearest_offers(board, 3)[0] == -1).all()
