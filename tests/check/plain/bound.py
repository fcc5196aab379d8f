"""Whether a certificate proves what it claims: the bound L of MODEL.md, recomputed in exact integers over all eligible pairs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from matcher.check.exact import ceil_div
from matcher.model import Instance
from matcher.policy import Policy
from matcher.result import PlacementRow, UnplacedRow
from tests.check.plain.arcs import Arcs, Exact, all_arcs, exact_array, tenants
from tests.check.plain.certificate import Claim, StageClaim, read_claim
from tests.check.plain.constraints import free_seats
from tests.check.plain.costs import Account, account, floor_members, floor_target, unplaced_term
from tests.check.plain.forest import NEVER, Forest, check_merged, plant
from tests.check.plain.rows import check_roll_call
from tests.check.plain.seats import Seat, by_offer, fixed_seats
from tests.check.plain.tariff import Tariff, check_nights, likeness
from tests.check.plain.world import World, read_world


@dataclass(frozen=True)
class Ground:
    """What all stages stand on. facts: costs of the fixed ones alone, with the links among them."""

    world: World
    fixed: Mapping[str, list[Seat]]
    facts: Account
    arcs: Sequence[Arcs]
    forest: Forest


def check_bound(
    instance: Instance,
    policy: Policy,
    date: dt.date,
    certificate: Mapping[str, Any],
    placed: Sequence[PlacementRow],
    unplaced: Sequence[UnplacedRow],
) -> tuple[list[str], int | None]:
    """Recompute value and bound of every stage and compare them with what the certificate claims.

    certificate: certificate.json as parsed. placed, unplaced: the rows that `check_plan` accepts.
    Returns one sentence for each violation, and the recomputed bound in all (1/10 person-km): the stages' sum, rounded up
    stage by stage; None where the certificate proves nothing at all.
    """
    world = read_world(instance, policy, date)
    claim, faults = read_claim(world, certificate)
    faults += check_roll_call(world, placed, unplaced)
    if claim is not None:
        faults += check_merged(world, claim.merged_links)
    if claim is None or faults:
        return faults, None
    values = _values(world, placed)
    ground = _ground(world, claim)
    bounds: list[int] = []
    for stage in claim.stages:
        faults += check_nights(world, stage, ground.fixed, tenants(list(ground.arcs)))
        scaled = _scaled_bound(ground, stage, [values[before.name] for before in claim.stages])
        if scaled is None:
            faults.append(f"[bound] stage {stage.name}: no plan can place everybody who is pinned")
            continue
        bounds.append(ceil_div(scaled, claim.scale))
        faults += _compare(stage, values[stage.name], bounds[-1])
    if len(bounds) < len(claim.stages) or any(fault.startswith("[nights]") for fault in faults):
        return faults, None
    if claim.bound != sum(bounds):
        faults.append(f"[bound] the prices prove {sum(bounds)} in all, not {claim.bound}")
    return faults, sum(bounds)


def _compare(stage: StageClaim, value: int, bound: int) -> list[str]:
    faults: list[str] = []
    if stage.value != value:
        faults.append(f"[value] stage {stage.name}: the plan costs {value}, not {stage.value}")
    if stage.bound != bound:
        faults.append(f"[bound] stage {stage.name}: the prices prove {bound}, not {stage.bound}")
    if bound > value:
        faults.append(f"[bound] stage {stage.name}: the bound {bound} is above the plan's {value}, so one of them is wrong")
    return faults


def _values(world: World, placed: Sequence[PlacementRow]) -> dict[str, int]:
    """What the plan costs in each stage."""
    rows = {row.household_id: row for row in placed}
    where = {i: world.offers[row.accommodation_id] for i, row in rows.items()}
    free, _ = free_seats(world, where, rows)
    return account(world, where, [*fixed_seats(world), *free]).stages(world)


def _ground(world: World, claim: Claim) -> Ground:
    fixed = fixed_seats(world)
    facts = account(world, {i: world.offer(a) for i, a in world.fixed.items()}, fixed)
    arcs = all_arcs(world)
    return Ground(world, by_offer(fixed), facts, arcs, plant(world, arcs, claim.merged_links))


def _scaled_bound(ground: Ground, stage: StageClaim, values: Sequence[int]) -> int | None:
    """scale · L before rounding; None where no joint placement is left. values: of all stages, in order.

    L = F + Σ_g μ_g (N_g − P_g) + Σ_trees min(…) − Σ_r π_r C'_r − Σ_j λ_j V_j
    """
    world, weights = ground.world, stage.weights
    stages = ground.facts.stages(world)
    total = weights["ties"] * stages["ties"] + weights["rest"] * stages["rest"]
    for group, price in stage.floor_prices.items():
        target, persons = floor_target(world, group)
        total += price * (target - persons)
    tariff = Tariff(world, stage)
    total -= tariff.rent(ground.fixed)
    total -= sum(multiplier * value for multiplier, value in zip(stage.multipliers, values, strict=False))
    counted = {g: {h.household_id for h in floor_members(world, g)} for g in stage.floor_prices}
    states = [_states(world, stage, each, tariff, counted) for each in ground.arcs]
    least = ground.forest.least(states, weights["ties"])
    return None if least > NEVER // 2 else total + least


def _states(world: World, stage: StageClaim, arcs: Arcs, tariff: Tariff, counted: Mapping[str, set[str]]) -> Exact:
    """Cost of each state of a party, in 1/scale: unplaced first (never, where pinned), then each offer with its best rooms."""
    weights, party = stage.weights, arcs.party
    out = NEVER
    if not world.is_pinned(party):
        out = sum(weights[f"unplaced_{h.priority}"] * unplaced_term(world, h) for h in party.households)
        out += sum(p * h.persons for g, p in stage.floor_prices.items() for h in party.households if h.household_id in counted[g])
    kind = likeness(world, party)
    paid = exact_array([tariff.pay(party, kind, a) for a in arcs.offers])
    return np.concatenate([exact_array([out]), weights["ties"] * arcs.ties + weights["rest"] * arcs.rest + paid])
