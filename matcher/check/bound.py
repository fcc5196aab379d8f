"""Whether a certificate proves what it claims: the bound L of MODEL.md, recomputed in exact integers over all eligible pairs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from matcher.check.account import Account, account
from matcher.check.arcs import Arcs
from matcher.check.certificate import Claim, StageClaim, read_claim
from matcher.check.costs import floor_target
from matcher.check.exact import ceil_div
from matcher.check.forest import Forest, check_merged, plant
from matcher.check.market import open_market
from matcher.check.numbers import numbers_for
from matcher.check.rows import check_roll_call
from matcher.check.seats import Seat, by_offer, fixed_seats, housed, housed_facts, seat_all
from matcher.check.tariff import given_back
from matcher.check.tenants import Tenants, check_nights
from matcher.check.world import World, read_world
from matcher.doors import takes
from matcher.model import Instance
from matcher.policy import Policy
from matcher.result import PlacementRow, UnplacedRow


@takes(instance=Instance, policy=Policy, date=dt.date, certificate=Mapping, placed=Sequence, unplaced=Sequence)
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
    fixed = fixed_seats(world)
    plan = housed(world, placed)
    values = account(world, plan, seat_all(world, plan, fixed)[0]).stages(world)
    tenants, least = _least(world, claim, by_offer(fixed))
    facts = housed_facts(world)
    constant = account(world, facts, seat_all(world, facts, fixed)[0])
    bounds: list[int] = []
    for position, stage in enumerate(claim.stages):
        faults += check_nights(stage, tenants)
        lowest = least[position]
        if lowest is None:
            faults.append(f"[bound] stage {stage.name}: no plan can place everybody who is pinned")
            continue
        before = [values[earlier.name] for earlier in claim.stages]
        bounds.append(ceil_div(_rest(world, stage, constant, by_offer(fixed), before) + lowest, claim.scale))
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


def _least(world: World, claim: Claim, fixed: Mapping[str, Sequence[Seat]]) -> tuple[Tenants, list[int | None]]:
    """By stage, the sum over all trees and all other parties of the least that each can cost, in 1/scale."""
    market = open_market(world)
    tenants = Tenants(world, market, fixed, claim.stages)
    arcs = Arcs(world, market, claim.stages, numbers_for(world, claim))
    trees = plant(world, claim.merged_links)
    merged = {i for tree in trees for party in tree.parties for i in party.ids}
    alone = arcs.sum_of_least(merged, tenants)
    joint = Forest(arcs).sum_of_least(trees, tenants) if trees else [0] * len(alone)
    return tenants, [None if a is None or b is None else a + b for a, b in zip(alone, joint, strict=True)]


def _rest(world: World, stage: StageClaim, facts: Account, fixed: Mapping[str, list[Seat]], values: Sequence[int]) -> int:
    """scale · L without the parties: F + Σ_g μ_g (N_g − P_g) − Σ_r π_r C'_r − Σ_j λ_j V_j. values: of all stages, in order.

    facts: costs of the fixed ones alone, with the links among them.
    """
    stages = facts.stages(world)
    total = stage.weights["ties"] * stages["ties"] + stage.weights["rest"] * stages["rest"]
    for group, price in stage.floor_prices.items():
        target, persons = floor_target(world, group)
        total += price * (target - persons)
    total -= given_back(world, stage, fixed)
    return total - sum(multiplier * value for multiplier, value in zip(stage.multipliers, values, strict=False))
