"""What must hold of any plan: more never costs, closed is as good as gone, the lottery is the published one, and the edges."""

from __future__ import annotations

import hashlib
import hmac
import random
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from matcher.errors import ContradictionError, MatcherError
from matcher.io import read_instance
from matcher.model import Accommodation, Instance
from matcher.policy import Policy, SparePolicy
from matcher.publish import publish
from matcher.result import Result
from matcher.solver import solve
from matcher.verify import verify
from tests.io.sample import write
from tests.oracle.tiny import TinyCase, tiny_case
from tests.runs import DATE, ROOT, changed, environ, generated, instance_of

CASES = 40


def values(result: Result) -> tuple[int, ...]:
    """Cost by stage: compared as one number by weight, one after the other in strict order."""
    assert result.status == "optimal"
    return tuple(stage.value for stage in result.stages)


def best(case: TinyCase, instance: Instance, policy: Policy | None = None) -> tuple[int, ...] | None:
    """None: the pins cannot be kept."""
    try:
        return values(solve(instance, policy or case.policy, date=case.date))
    except ContradictionError:
        return None
    except MatcherError as error:
        pytest.fail(f"{error}\n{case}")


def no_worse(one: tuple[int, ...] | None, than: tuple[int, ...] | None) -> bool:
    return than is None or (one is not None and one <= than)


def with_offers(instance: Instance, offers: list[Accommodation]) -> Instance:
    return changed(instance, accommodations=tuple(sorted(offers, key=lambda a: a.accommodation_id)))


def wider(a: Accommodation, by: int) -> Accommodation:
    limits = tuple((word, number + by) for word, number in a.need_capacity)
    return changed(a, capacity=a.capacity + by, need_capacity=limits)


@pytest.mark.parametrize("order", ["weighted", "strict"])
def test_more_capacity_never_costs(order: Any) -> None:
    """Empty beds beside a family cost (`spare`), so they are free here."""
    gained = 0
    for seed in range(600_000, 600_000 + CASES):
        case = tiny_case(seed, order=order, overrides=False, needs=True, roomy=False, households=5, offers=2)
        policy = changed(case.policy, spare=SparePolicy(km=Decimal(0)))
        before = best(case, case.instance, policy)
        rng = random.Random(seed)
        offers = [wider(a, rng.choice((0, 1, 3))) for a in case.instance.accommodations]
        after = best(case, with_offers(case.instance, offers), policy)
        assert no_worse(after, before), f"{before} became {after}\n{case}"
        gained += after != before
    assert gained >= 2


@pytest.mark.parametrize("order", ["weighted", "strict"])
def test_one_more_offer_never_costs(order: Any) -> None:
    gained = 0
    for seed in range(610_000, 610_000 + CASES):
        case = tiny_case(seed, order=order, overrides=False)
        other = tiny_case(seed + 5000, order=order)
        extra = changed(other.instance.accommodations[0], accommodation_id="a0", site_id=None)
        after = best(case, with_offers(case.instance, [*case.instance.accommodations, extra]))
        before = best(case, case.instance)
        assert no_worse(after, before), f"{before} became {after}\n{case}\n{extra}"
        gained += after != before
    assert gained >= 4


def named_offers(instance: Instance) -> set[str | None]:
    return {row.accommodation_id for row in (*instance.ties, *instance.standing, *instance.overrides)}


def test_a_closed_offer_equals_a_removed_one() -> None:
    seen: Counter[str] = Counter()
    for seed in range(620_000, 620_000 + CASES):
        case = tiny_case(seed)
        instance, named = case.instance, named_offers(case.instance)
        free = [a for a in instance.accommodations if a.accommodation_id not in named]
        if not free:
            continue
        gone = free[seed % len(free)]
        rest = [a for a in instance.accommodations if a != gone]
        removed = best(case, with_offers(instance, rest))
        ways = {
            "closed": with_offers(instance, [*rest, changed(gone, status="closed")]),
            "planned": with_offers(instance, [*rest, changed(gone, status="planned")]),
            "named by a quarantined row": changed(instance, closed=instance.closed | {gone.accommodation_id}),
        }
        for way, other in ways.items():
            assert best(case, other) == removed, f"{way}\n{case}"
            seen[way] += 1
        seen["it mattered"] += best(case, instance) != removed
    assert min(seen.values()) >= 8 and sum(seen.values()) >= 100, seen


def test_one_more_household_never_makes_the_others_cheaper() -> None:
    """Taking a household out (with all that names it) never costs, floors and required ties apart."""
    seen = 0
    for seed in range(630_000, 630_000 + CASES):
        case = tiny_case(seed, links=False, parties=False, floors=False, overrides=False, standing=False, order="weighted")
        gone = case.instance.households[0].household_id
        keep: dict[str, Any] = {
            name: tuple(row for row in getattr(case.instance, name) if row.household_id != gone)
            for name in ("households", "members", "ties")
        }
        fewer = best(case, changed(case.instance, **keep, left_out=case.instance.left_out - {gone}))
        all_of_them = best(case, case.instance)
        assert no_worse(fewer, all_of_them), case
        seen += fewer != all_of_them
    assert seen >= CASES // 2


# --- the lottery ---------------------------------------------------------------------------------------------------------------------


def lot(seed: int, household_id: str) -> bytes:
    """MODEL.md, Who decides."""
    return hmac.new(str(seed).encode("ascii"), household_id.encode("utf-8"), hashlib.sha256).digest()


def competing(folder: Path, ids: list[str], beds: list[int], kind: str = "apartment") -> Instance:
    """Households that differ in nothing but their id, and too few beds."""
    households = "household_id,persons,place\n" + "".join(f"{i},1,Poltava\n" for i in ids)
    offers = "accommodation_id,place,capacity,kind\n" + "".join(f"A{n},Lviv,{size},{kind}\n" for n, size in enumerate(beds))
    return read_instance(write(folder, {"households": households, "accommodations": offers}))


@pytest.mark.parametrize("isolate", [False, True])
def test_the_one_bed_goes_to_the_first_of_the_published_draw(tmp_path: Path, isolate: bool) -> None:
    names = [("H1", "H2"), ("007", "7"), ("Ж-1", "Ж-2"), ("zz", "aa"), ("a", "A")]
    winners: Counter[str] = Counter()
    for n, pair in enumerate(names[:2] if isolate else names):
        for order in (pair, pair[::-1]):
            instance = competing(tmp_path / f"{n}-{order == pair}", list(order), [1])
            for seed in range(1 if isolate else 8):
                result = solve(instance, date=DATE, seed=seed, isolate=isolate)
                expected = min(pair, key=lambda i: lot(seed, i))
                assert [row.household_id for row in result.placements] == [expected], (order, seed)
                winners["smaller id" if expected == min(pair) else "larger id"] += 1
    if not isolate:
        assert min(winners.values()) >= 20 and sum(winners.values()) == 80, winners  # so neither id nor row order decides


def test_some_beds_for_many_go_by_the_same_draw(tmp_path: Path) -> None:
    """k beds, n equal households: the first k of the draw are placed, the first of all in the offer that is cheaper."""
    rng = random.Random(7)
    seen = 0
    for n in range(12):
        ids = [f"h{i}" for i in range(6)]
        rng.shuffle(ids)
        instance = competing(tmp_path / str(n), ids, [2, 1], rng.choice(["apartment", "hotel"]))
        seed = rng.randrange(10**9)
        result = solve(instance, date=DATE, seed=seed)
        placed = {row.household_id for row in result.placements}
        assert placed == set(sorted(ids, key=lambda i: lot(seed, i))[: len(placed)])
        by_cost = sorted(result.placements, key=lambda row: (row.terms.total, row.accommodation_id))
        draw = sorted(placed, key=lambda i: lot(seed, i))
        assert [row.terms.total for row in by_cost] == [next(r.terms.total for r in by_cost if r.household_id == i) for i in draw]
        seen += len(placed) in (2, 3)
    assert seen == 12


def test_who_is_not_equal_does_not_draw_lots(tmp_path: Path) -> None:
    """More urgent, or longer waiting, goes first whatever the seed."""
    for column, urgent, other in (("priority", "1", "2"), ("waiting_since", "2026-11-01", "2026-11-02"), ("persons", "2", "1")):
        extra = "" if column == "persons" else ",1"
        text = f"household_id,{column},place{',persons' if extra else ''}\nA,{urgent},Poltava{extra}\nB,{other},Poltava{extra}\n"
        files = {"households": text, "accommodations": "accommodation_id,place,capacity\nX,Lviv,2\n"}
        instance = read_instance(write(tmp_path / column, files))
        assert {tuple(row.household_id for row in solve(instance, date=DATE, seed=seed).placements) for seed in range(6)} == {("A",)}


def test_a_change_of_seed_keeps_the_cost_and_the_numbers(tmp_path: Path) -> None:
    instance = instance_of(generated(60, 21, 0.4, 0.0))
    results = [solve(instance, date=DATE, seed=seed) for seed in range(3)]
    assert len({result.cost.total for result in results}) == 1
    assert len({len(result.unplaced) for result in results}) == 1


# --- the edges -----------------------------------------------------------------------------------------------------------------------

H, A = "household_id,persons,place\n", "accommodation_id,place,capacity\n"


def run(tmp_path: Path, **files: str) -> Result:
    """Solve, publish and verify."""
    folder = write(tmp_path / "in", files)
    result = solve(read_instance(folder), date=DATE)
    publish(result, tmp_path / "out")
    verdict = verify(folder, tmp_path / "out")
    assert verdict.right, verdict.violations
    return result


def test_without_offers_nobody_is_placed(tmp_path: Path) -> None:
    result = run(tmp_path, households=H + "H1,2,Lviv\nH2,50,Lviv\n", accommodations=A)
    assert [(row.household_id, row.reason) for row in result.unplaced] == [("H1", "no_eligible"), ("H2", "no_eligible")]
    assert (result.status, result.placements) == ("optimal", ())
    assert result.cost.total == result.cost["unplaced"] == result.bound == 52 * 400_000


def test_without_households_there_is_nothing_to_do(tmp_path: Path) -> None:
    result = run(tmp_path, households=H, accommodations=A + "A1,Lviv,4\n")
    assert (result.status, result.placements, result.unplaced) == ("optimal", (), ())
    assert result.cost.total == result.bound == 0


def test_without_anything_there_is_a_plan_of_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, households=H, accommodations=A)
    assert (result.status, result.cost.total) == ("optimal", 0)


@pytest.mark.parametrize(("capacity", "placed"), [(49, 0), (50, 1), (51, 1), (100_000, 1)])
def test_fifty_persons_fit_where_there_are_fifty_beds(tmp_path: Path, capacity: int, placed: int) -> None:
    result = run(
        tmp_path, households=H + "H1,50,Lviv\n", accommodations=f"accommodation_id,place,capacity,kind\nA1,Poltava,{capacity},hotel\n"
    )
    assert len(result.placements) == placed
    assert [row.reason for row in result.unplaced] == ["no_eligible"] * (1 - placed)


def test_an_offer_without_beds_takes_nobody(tmp_path: Path) -> None:
    result = run(tmp_path, households=H + "H1,1,Lviv\n", accommodations=A + "A1,Lviv,0\n")
    assert [row.reason for row in result.unplaced] == ["no_eligible"]


def test_fifty_rooms_and_fifty_persons(tmp_path: Path) -> None:
    """Many room sets: still exact, and quick."""
    offers = "accommodation_id,place,capacity,kind,rooms\nA1,Poltava,100,hotel," + " ".join(["1", "2", "3", "4"] * 10) + "\n"
    result = run(tmp_path, households=H + "H1,50,Lviv\nH2,50,Lviv\n", accommodations=offers)
    assert len(result.placements) == 2 and result.status == "optimal"
    assert all(sum(row.rooms) == 50 for row in result.placements)


def test_everybody_left_out(tmp_path: Path) -> None:
    files = {"households": "household_id,persons,place,consent\nH1,2,Lviv,no\nH2,1,Lviv,\n", "accommodations": A + "A1,Lviv,4\n"}
    result = run(tmp_path, **files)
    assert {row.reason for row in result.unplaced} == {"no_consent"}
    assert result.cost.total == 0


# --- the package's face ---------------------------------------------------------------------------------------------------------------

FUNCTIONS = ("check_bound", "check_plan", "explain", "generate", "publish", "read_instance", "read_policy", "solve", "verify")


@pytest.mark.parametrize("first", ["", "import matcher.verify, matcher.explain, matcher.publish", "from matcher.cli.app import app"])
def test_public_names_are_functions_whatever_was_imported_before(first: str) -> None:
    """Submodules of the same names must not shadow them: as in `from matcher import explain, publish`."""
    code = f"{first}\nfrom matcher import {', '.join(FUNCTIONS)}\nimport matcher\n"
    code += f"for name in {FUNCTIONS}:\n    print(name, type(globals()[name]).__name__, type(getattr(matcher, name)).__name__)\n"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ(), capture_output=True, text=True, check=True, timeout=60)
    kinds = {line.split()[0]: set(line.split()[1:]) for line in done.stdout.splitlines()}
    assert set(kinds) == set(FUNCTIONS)
    assert {name for name, kind in kinds.items() if kind != {"function"}} == set()
