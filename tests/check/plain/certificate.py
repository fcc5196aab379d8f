"""certificate.json as numbers: read without trust, every name and number checked against the instance."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from matcher.result import STAGES
from tests.check.plain.costs import highest_floor_price
from tests.check.plain.seats import capacities
from tests.check.plain.world import World

EVERY_NIGHT = ""


@dataclass(frozen=True)
class StageClaim:
    """What a certificate says of a stage. prices: accommodation → resource → night (None: every night) → units of 1/scale.

    weights: what a cost unit of each stage's terms counts here, in 1/scale: scale for the stage's own (in the stage `all`:
    for every one), λ for the ones before, else 0.
    """

    name: str
    value: int
    bound: int
    multipliers: tuple[int, ...]
    prices: Mapping[str, Mapping[str, Mapping[dt.date | None, int]]]
    floor_prices: Mapping[str, int]
    weights: Mapping[str, int]


@dataclass(frozen=True)
class Claim:
    """A whole certificate."""

    scale: int
    bound: int
    stages: tuple[StageClaim, ...]
    merged_links: tuple[tuple[str, str], ...]


class Malformed(Exception):
    """A certificate that cannot be read; the message says where."""


def read_claim(world: World, certificate: Mapping[str, Any]) -> tuple[Claim | None, list[str]]:
    """The certificate, or None and what is wrong with it. Only a claim without faults proves anything."""
    try:
        claim = _claim(world, certificate)
    except Malformed as error:
        return None, [f"[certificate] {error}"]
    faults = [fault for stage in claim.stages for fault in _check_stage(world, stage)]
    last = claim.stages[-1].name
    for key in ("prices", "floor_prices"):
        if key in certificate and certificate[key] != certificate["stages"][-1][key]:
            faults.append(f"[certificate] {key} are not those of the stage {last}")
    return (None if faults else claim), faults


def _claim(world: World, data: Mapping[str, Any]) -> Claim:
    scale = _whole(data.get("scale"), "scale")
    if scale == 0:
        raise Malformed("scale is 0")
    names = STAGES if world.policy.order == "strict" else ("all",)
    stages = data.get("stages")
    if not isinstance(stages, list) or [stage.get("name") if isinstance(stage, dict) else None for stage in stages] != list(names):
        raise Malformed(f"stages are not {', '.join(names)}")
    pairs = data.get("merged_links")
    if not isinstance(pairs, list) or not all(isinstance(p, list | tuple) and [type(i) for i in p] == [str, str] for p in pairs):
        raise Malformed("merged_links are not pairs of ids")
    return Claim(
        scale=scale,
        bound=_whole(data.get("bound"), "bound", lowest=None),
        stages=tuple(_stage(stage, scale, names[:k]) for k, stage in enumerate(stages)),
        merged_links=tuple((p[0], p[1]) for p in pairs),
    )


def _stage(data: Mapping[str, Any], scale: int, before: tuple[str, ...]) -> StageClaim:
    name = data["name"]
    multipliers = data.get("multipliers")
    if not isinstance(multipliers, list | tuple) or len(multipliers) != len(before):
        raise Malformed(f"stage {name} has not one multiplier for each stage before")
    multipliers = tuple(_whole(m, f"a multiplier of stage {name}") for m in multipliers)
    prices = {
        accommodation_id: {resource: dict(_by_night(nights, name)) for resource, nights in _table(resources, name).items()}
        for accommodation_id, resources in _table(data.get("prices"), name).items()
    }
    return StageClaim(
        name=name,
        value=_whole(data.get("value"), f"value of stage {name}"),
        bound=_whole(data.get("bound"), f"bound of stage {name}", lowest=None),
        multipliers=multipliers,
        prices=prices,
        floor_prices={g: _whole(price, f"floor price of {g}") for g, price in _table(data.get("floor_prices"), name).items()},
        weights=dict.fromkeys((*STAGES, "all"), scale if name == "all" else 0)
        | dict(zip(before, multipliers, strict=True))
        | {name: scale},
    )


def _by_night(data: object, stage: str) -> Iterator[tuple[dt.date | None, int]]:
    for key, price in _table(data, stage).items():
        try:
            night = None if key == EVERY_NIGHT else dt.date.fromisoformat(key)
        except ValueError:
            raise Malformed(f"stage {stage}: {key!r} is no date") from None
        if night is not None and night.isoformat() != key:
            raise Malformed(f"stage {stage}: {key!r} is no date")
        yield night, _whole(price, f"a price of stage {stage}")


def _table(data: object, stage: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise Malformed(f"stage {stage}: a table is missing")
    return data


def _whole(value: object, what: str, lowest: int | None = 0) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or (lowest is not None and value < lowest):
        raise Malformed(f"{what} is no whole number" + ("" if lowest is None else f" from {lowest} up"))
    return value


def _check_stage(world: World, stage: StageClaim) -> list[str]:
    """Prices only of resources that there are; no floor price above what a missing person costs in this stage."""
    faults: list[str] = []
    for accommodation_id, resources in stage.prices.items():
        offer = world.offers.get(accommodation_id)
        known = capacities(offer) if offer is not None else {}
        faults += [f"[prices] stage {stage.name}: {accommodation_id} has no resource {r}" for r in sorted(resources.keys() - known.keys())]
        if offer is None:
            faults.append(f"[prices] stage {stage.name}: there is no accommodation {accommodation_id}")
    highest = stage.weights["floors"] * highest_floor_price(world)
    for group, price in stage.floor_prices.items():
        if group not in world.policy.floors.share:
            faults.append(f"[floor_prices] stage {stage.name}: {group} has no floor")
        elif price > highest:
            faults.append(f"[floor_prices] stage {stage.name}: {group} at {price} is above {highest}")
    return faults
