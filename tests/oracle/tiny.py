"""Random tiny instances in which every feature of the model occurs often, for holding the program against the oracle.

    tiny_case(seed)                          anything
    tiny_case(seed, links=True)              always links between households
    tiny_case(seed, nights=False)            no stays that begin later or end
    tiny_case(seed, order="strict")          one order only
    tiny_case(seed, pins="any")              pins may contradict the rules or one another (default: they never do)

The same seed and options give the same case on every machine. Cases are what a correct input file could hold: the
faults that reading refuses do not occur.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal, TypeVar

from matcher.model import (
    Accommodation,
    Household,
    Instance,
    Kind,
    Member,
    Override,
    Spot,
    Standing,
    Tie,
    TieKind,
    TravelRow,
)
from matcher.policy import Policy, policy_from_plain
from tests.oracle.brute import brute_force

T = TypeVar("T")
DATE = dt.date(2026, 11, 22)

# (name, key, lat, lon, oblast): two spots of Lviv differ by a few km, "near Lviv" has no key and lies within 5 km of both
# Lviv and Sokilnyky, which are two settlements; "field" is known by its coordinates alone and near nothing.
SPOTS: tuple[Spot, ...] = (
    Spot(lat=49.8397, lon=24.0297, key="k:lviv", name="Lviv", adm1="UA46"),
    Spot(lat=49.8500, lon=23.9900, key="k:lviv", name="Lviv", adm1="UA46"),
    Spot(lat=49.8150, lon=24.0050, key=None, name=None, adm1="UA46"),
    Spot(lat=49.7800, lon=23.9700, key="k:sokilnyky", name="Sokilnyky", adm1="UA46"),
    Spot(lat=49.5535, lon=25.5948, key="k:ternopil", name="Ternopil", adm1="UA61"),
    Spot(lat=49.2331, lon=28.4682, key="k:vinnytsia", name="Vinnytsia", adm1="UA05"),
    Spot(lat=48.4647, lon=35.0462, key="k:dnipro", name="Dnipro", adm1="UA12"),
    Spot(lat=48.4800, lon=35.0700, key=None, name=None, adm1="UA12"),
    Spot(lat=48.2820, lon=37.1760, key="k:pokrovsk", name="Pokrovsk", adm1="UA14"),
    Spot(lat=50.1000, lon=29.0000, key=None, name=None, adm1=None),
    Spot(lat=50.4501, lon=30.5234, key="k:kyiv", name="Kyiv", adm1="UA80"),
)
NEEDS = ("step_free", "medical_care", "ground_floor")
GROUPS = ("older_person", "disability", "women")
RELATIONS: tuple[Any, ...] = (None, "parent", "friend", "work", "sibling")
FEATURES = (
    "needs", "wants", "pets", "languages", "groups", "rent", "risk", "rooms", "separate", "distance", "kinds", "area", "size", "hosts",
    "status", "travel_rows", "place_ties", "links", "parties", "nights", "standing", "overrides", "consent", "adults", "quarantine",
    "floors", "priorities", "waiting", "home", "weights", "cheap_unplaced", "sites", "roomy", "protected",
)  # fmt: skip

# How likely a feature is in a case; a case has few rules or many, so that most leave somebody a choice.
DENSITIES = (0.08, 0.16, 0.3)
OFTEN = {
    "weights": 0.5, "links": 0.45, "parties": 0.35, "nights": 0.3, "place_ties": 0.35, "rooms": 0.35, "sites": 0.4, "standing": 0.3,
    "overrides": 0.3, "roomy": 0.4, "protected": 0.25,
}  # fmt: skip


@dataclass(frozen=True)
class TinyCase:
    """A tiny instance with its policy and day. `features`: what was switched on when it was made."""

    seed: int
    instance: Instance
    policy: Policy
    date: dt.date
    features: frozenset[str] = frozenset()

    def __str__(self) -> str:
        lines = [f"seed {self.seed}, {self.date}, policy {self.policy.model_dump(mode='json', exclude_defaults=True)}"]
        for field in ("households", "accommodations", "members", "ties", "travel", "standing", "overrides"):
            rows = getattr(self.instance, field)
            lines += [f"{field[:-1] if len(rows) else field} {_brief(row)}" for row in rows]
        lines.append(f"left_out {sorted(self.instance.left_out)} closed {sorted(self.instance.closed)}")
        return "\n".join(lines)


def _brief(row: Any) -> str:
    values = row.model_dump(mode="json", exclude_defaults=True)
    for name, value in values.items():
        if isinstance(value, dict) and "lat" in value:
            values[name] = f"{value.get('key', '-')}@{value['lat']},{value['lon']}"
    return str(values)


class Dice:
    """Random choices by seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def chance(self, p: float) -> bool:
        return self.random.random() < p

    def pick(self, items: Sequence[T]) -> T:
        return items[self.random.randrange(len(items))]

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def some(self, items: Sequence[T], p: float) -> frozenset[T]:
        return frozenset(item for item in items if self.chance(p))

    def decimal(self, *texts: str) -> Decimal:
        return Decimal(self.pick(texts))


def tiny_case(
    seed: int,
    *,
    order: Literal["weighted", "strict"] | None = None,
    pins: Literal["agree", "any"] = "agree",
    households: int | None = None,
    offers: int | None = None,
    density: float | None = None,
    **features: bool,
) -> TinyCase:
    """A random tiny case. features: names of `FEATURES`, True to have one surely switched on and False to have it off.

    density: how likely each other feature is; by default it differs from case to case.
    """
    unknown = set(features) - set(FEATURES)
    if unknown:
        raise TypeError(f"no such features: {sorted(unknown)}")
    dice = Dice(seed)
    drawn = dice.pick(DENSITIES)
    on = {name: dice.chance(OFTEN.get(name, drawn) if density is None else density) for name in FEATURES}
    on.update(features)
    maker = _Maker(dice, on)
    case = maker.case(
        seed,
        order if order is not None else dice.pick(("weighted", "strict")),
        dice.pick((2, 3, 3, 4, 4, 5)) if households is None else households,
        dice.pick((2, 3, 3, 4, 4)) if offers is None else offers,
    )
    if on["overrides"]:
        case = _with_pins(case, dice, pins)
    return case


def _with_pins(case: TinyCase, dice: Dice, how: str) -> TinyCase:
    """Pins, one after the other; with "agree" only those with which there still is a plan."""
    busy = {s.household_id for s in case.instance.standing if s.status != "proposed"}
    busy |= {o.household_id for o in case.instance.overrides}
    busy |= {h.household_id for h in case.instance.households if h.consent != "yes"} | case.instance.left_out
    for h in case.instance.households:
        if h.household_id in busy or not dice.chance(0.35):
            continue
        offer = dice.pick(case.instance.accommodations)
        expires = dice.pick((None, None, DATE, DATE - dt.timedelta(days=1), DATE + dt.timedelta(days=9)))
        by_place = dice.chance(0.4)
        pin = Override(
            household_id=h.household_id,
            accommodation_id=None if by_place else offer.accommodation_id,
            spot=offer.spot if by_place else None,
            action="pin",
            expires_at=expires,
        )
        instance = case.instance.model_copy(update={"overrides": (*case.instance.overrides, pin)})
        pinned = replace(case, instance=instance)
        if how == "any" or brute_force(pinned).feasible:
            case = pinned
    return case


class _Maker:
    def __init__(self, dice: Dice, on: dict[str, bool]) -> None:
        self.dice, self.on = dice, on

    def case(self, seed: int, order: str, household_count: int, offer_count: int) -> TinyCase:
        dice = self.dice
        self.near_spots = [dice.pick(SPOTS) for _ in range(3)]
        households = [self.household(f"h{i}") for i in range(1, household_count + 1)]
        offers = [self.offer(f"a{i}") for i in range(1, offer_count + 1)]
        members: list[Member] = []
        if self.on["separate"] or self.on["adults"]:
            for h in households:
                if dice.chance(0.75):
                    members += self.family(h)
        standing = self.standing(households, offers) if self.on["standing"] else []
        ties = self.place_ties(households, offers) if self.on["place_ties"] else []
        if self.on["links"]:
            ties += self.links(households)
        if self.on["parties"]:
            ties += self.party_ties(households)
        ties = _without_clashes(ties)
        overrides = self.overrides(households, offers, standing) if self.on["overrides"] else []
        left_out: frozenset[str] = frozenset()
        closed: frozenset[str] = frozenset()
        if self.on["quarantine"]:
            left_out = dice.some([h.household_id for h in households], 0.2)
            closed = dice.some([a.accommodation_id for a in offers], 0.12)
        instance = Instance(
            households=tuple(households),
            accommodations=tuple(offers),
            members=tuple(members),
            ties=tuple(ties),
            travel=tuple(self.travel(households, offers)) if self.on["travel_rows"] else (),
            standing=tuple(standing),
            overrides=tuple(overrides),
            left_out=left_out,
            closed=closed,
        )
        return TinyCase(seed, instance, self.policy(order), DATE, frozenset(name for name, value in self.on.items() if value))

    def spot(self) -> Spot:
        return self.dice.pick(self.near_spots) if self.dice.chance(0.6) else self.dice.pick(SPOTS)

    def night(self, low: int, high: int) -> dt.date:
        return DATE + dt.timedelta(days=self.dice.number(low, high))

    def household(self, hid: str) -> Household:
        dice, on = self.dice, self.on
        arrives = leaves = waiting = None
        if on["nights"]:
            arrives = dice.pick((None, self.night(-20, -1), self.night(0, 6), self.night(1, 12), self.night(1, 12)))
            if dice.chance(0.6):
                leaves = (arrives or DATE) + dt.timedelta(days=dice.number(1, 14))
        if on["waiting"] and dice.chance(0.8):
            waiting = self.night(-500, 10)
        return Household(
            household_id=hid,
            persons=dice.pick((1, 1, 2, 2, 2, 3, 3, 4, 5)),
            spot=self.spot(),
            origin=self.spot() if on["home"] and dice.chance(0.8) else None,
            wants_return=on["home"] and dice.chance(0.7),
            max_rent=dice.decimal("100", "250.5", "37.77", "30", "0") if on["rent"] and dice.chance(0.5) else None,
            priority=dice.number(1, 5) if on["priorities"] else 3,
            waiting_since=waiting,
            arrives=arrives,
            leaves=leaves,
            needs=dice.some(NEEDS, 0.25) if on["needs"] else frozenset(),
            wants=dice.some(("balcony", "step_free", "garden"), 0.4) if on["wants"] else frozenset(),
            pets=dice.some(("dog", "cat"), 0.3) if on["pets"] else frozenset(),
            languages=dice.some(("uk", "en", "pl"), 0.4) if on["languages"] else frozenset(),
            groups=dice.some(GROUPS, 0.5) if on["groups"] or on["floors"] else frozenset(),
            max_km=dice.decimal("3.5", "120.05", "340", "600.25", "1500") if on["distance"] and dice.chance(0.5) else None,
            accepts=dice.some(KINDS_USED, 0.6) if on["kinds"] and dice.chance(0.6) else frozenset(),
            avoids=dice.some(("UA14", "UA12", "UA46"), 0.3) if on["area"] else frozenset(),
            protected=on["protected"] and dice.chance(0.4),
            consent=dice.pick(("yes", "yes", "yes", "no", "unknown")) if on["consent"] else "yes",
        )

    def offer(self, aid: str) -> Accommodation:
        dice, on = self.dice, self.on
        shared = dice.chance(0.6)
        spot = self.spot()
        rooms: tuple[int, ...] | None = None
        more = dice.number(0, 4) if on["roomy"] else 0
        capacity = more + dice.pick((1, 2, 3, 4, 5, 6, 8, 10) if shared else (1, 2, 3, 4, 5, 6, 6))
        if on["rooms"] and dice.chance(0.75):
            rooms = tuple(dice.pick((1, 2, 2, 3, 4)) for _ in range(dice.number(1, 6 if on["roomy"] else 5)))
            capacity = max(0, sum(rooms) + dice.pick((-2, -1, 0, 0, 0, 3)))
        kind: Kind = dice.pick(KINDS_USED) if on["hosts"] or on["kinds"] or on["languages"] else "apartment"
        available_from = available_until = None
        if on["nights"] or dice.chance(0.2):
            available_from = self.night(-6, 3) if dice.chance(0.3) else None
            ends = (9, 15, 30, 60, 91, 200, 365, 400) if on["nights"] else (60, 89, 90, 91, 95, 200, 300, 365, 400)
            available_until = DATE + dt.timedelta(days=dice.pick(ends)) if dice.chance(0.5) else None
        features: set[str] = set()
        limited: list[tuple[str, int]] = []
        if on["needs"] or on["wants"]:
            features |= dice.some((*NEEDS, "balcony"), 0.45)
            limited = [(need, dice.number(0, 6)) for need in NEEDS if dice.chance(0.6)]
        return Accommodation(
            accommodation_id=aid,
            site_id=dice.pick((None, "s1", "s2")) if on["sites"] else None,
            spot=spot,
            adm1=spot.adm1 if spot.adm1 is not None or dice.chance(0.5) else "UA18",
            kind=kind,
            capacity=capacity,
            shared=shared,
            rooms=rooms,
            features=frozenset(features),
            need_capacity=tuple(sorted(limited)),
            pets=dice.some(("dog", "cat", "other"), 0.7) if on["pets"] else frozenset(),
            languages=dice.some(("uk", "en", "pl"), 0.5) if on["languages"] else frozenset(),
            min_persons=dice.pick((None, None, 1, 2, 3)) if on["size"] else None,
            max_persons=dice.pick((None, None, 3, 4, 6)) if on["size"] else None,
            groups_only=frozenset({dice.pick(GROUPS)}) if on["groups"] and dice.chance(0.3) else frozenset(),
            available_from=available_from,
            available_until=available_until,
            vetted=dice.pick((True, True, True, None, False)) if kind == "host_family" else dice.pick((None, True, False)),
            risk=dice.decimal("0", "0.05", "0.35", "0.6", "0.61", "0.125", "0.205", "0.15") if on["risk"] and dice.chance(0.7) else None,
            cost_per_person_night=dice.decimal("0", "12.5", "30", "33.335", "9.99") if on["rent"] and dice.chance(0.8) else None,
            status=dice.pick(("open", "open", "open", "open", "planned", "closed")) if on["status"] else "open",
        )

    def family(self, h: Household) -> list[Member]:
        dice = self.dice
        adult = not self.on["adults"] or dice.chance(0.7)
        head = dice.pick((19, 35, 70)) if adult else dice.pick((8, 15, 17, None))
        ages: list[int | None] = [head]
        relations: list[Any] = ["head"]
        for _ in range(h.persons - 1):
            relation = dice.pick(("partner", "child", "child", "child", "sibling", "parent", "other", None))
            if relation == "partner" and "partner" in relations:
                relation = "child"
            old: dict[str | None, tuple[int | None, ...]] = {
                "child": (1, 5, 9, 10, 17, None),
                "sibling": (6, 9, 12, 17, 25, None),
                "parent": (60, None),
                "partner": (18, 33, None),
            }
            age = dice.pick(old.get(relation, (7, 20, 50, None)))
            ages.append(age if adult or age is None else min(age, 17))
            relations.append(relation)
        return [
            Member(
                member_id=f"{h.household_id}-{i}",
                household_id=h.household_id,
                relation=relation,
                sex=dice.pick(("f", "m", "x", "f", None)),
                age=age,
            )
            for i, (relation, age) in enumerate(zip(relations, ages, strict=True))
        ]

    def standing(self, households: Sequence[Household], offers: Sequence[Accommodation]) -> list[Standing]:
        dice = self.dice
        rows: list[Standing] = []
        for h in households:
            if not dice.chance(0.45):
                continue
            offer = dice.pick(offers)
            rooms: tuple[int, ...] | None = None
            if offer.rooms and dice.chance(0.4):
                rooms = tuple(sorted(dice.random.sample(offer.rooms, dice.number(1, len(offer.rooms)))))
            rows.append(
                Standing(
                    household_id=h.household_id,
                    accommodation_id=offer.accommodation_id,
                    status=dice.pick(("proposed", "proposed", "accepted", "moved_in")),
                    rooms=rooms,
                )
            )
        return rows

    def overrides(self, households: Sequence[Household], offers: Sequence[Accommodation], standing: Sequence[Standing]) -> list[Override]:
        """Holds and forbids; pins come later. A household with a hold gets no pin, so that the decisions agree."""
        dice = self.dice
        rows: list[Override] = []
        for h in households:
            expires = dice.pick((None, None, DATE, DATE - dt.timedelta(days=1), DATE + dt.timedelta(days=3)))
            if dice.chance(0.12):
                rows.append(Override(household_id=h.household_id, action="hold", expires_at=expires))
            elif dice.chance(0.35):
                offer, by_place = dice.pick(offers), dice.chance(0.4)
                rows.append(
                    Override(
                        household_id=h.household_id,
                        accommodation_id=None if by_place else offer.accommodation_id,
                        spot=offer.spot if by_place else None,
                        action="forbid",
                        expires_at=expires,
                    )
                )
        return rows

    def weight(self) -> Decimal:
        return self.dice.decimal("1", "1", "0.37", "2.5", "0", "0.05", "1.125")

    def max_km(self) -> Decimal:
        return self.dice.decimal("4", "30.5", "120", "350.25", "700", "1100")

    def place_ties(self, households: Sequence[Household], offers: Sequence[Accommodation]) -> list[Tie]:
        dice = self.dice
        ties: list[Tie] = []
        for h in households:
            for _ in range(dice.pick((0, 1, 1, 2))):
                to_place = dice.chance(0.55)
                kinds: tuple[TieKind, ...] = ("near", "near", "same_place", "apart")
                if not to_place:
                    kinds = (*kinds, "same_site", "same_accommodation", "apart")
                kind = dice.pick(kinds)
                required = dice.chance(0.75 if kind == "apart" else 0.3)
                ties.append(
                    Tie(
                        household_id=h.household_id,
                        spot=self.spot() if to_place else None,
                        accommodation_id=None if to_place else dice.pick(offers).accommodation_id,
                        kind=kind,
                        required=required,
                        relation=dice.pick(RELATIONS),
                        max_km=self.max_km() if (kind == "near" and required) or dice.chance(0.4) else None,
                        weight=self.weight(),
                    )
                )
        return ties

    def links(self, households: Sequence[Household]) -> list[Tie]:
        dice = self.dice
        ties: list[Tie] = []
        if len(households) < 2:
            return ties
        kinds: tuple[TieKind, ...] = ("near", "near", "same_place", "same_site", "same_accommodation", "apart", "apart")
        for _ in range(dice.pick((1, 2, 2, 3, 4, 5))):
            one, other = dice.random.sample(list(households), 2)
            kind = dice.pick(kinds)
            required = dice.chance(0.6 if kind == "apart" else 0.33)
            ties.append(
                Tie(
                    household_id=one.household_id,
                    other_household_id=other.household_id,
                    kind=kind,
                    required=required,
                    agreed=dice.chance(0.6),
                    relation=dice.pick(RELATIONS),
                    max_km=self.max_km() if (kind == "near" and required) or dice.chance(0.4) else None,
                    weight=self.weight(),
                )
            )
        return ties

    def party_ties(self, households: Sequence[Household]) -> list[Tie]:
        """Parties of two or three households, in any direction."""
        dice = self.dice
        chosen = dice.random.sample(list(households), min(len(households), dice.pick((2, 2, 3))))
        ties: list[Tie] = []
        for one, other in itertools.pairwise(chosen):
            first, second = (one, other) if dice.chance(0.5) else (other, one)
            ties.append(
                Tie(
                    household_id=first.household_id,
                    other_household_id=second.household_id,
                    kind="same_accommodation",
                    required=True,
                    agreed=True,
                )
            )
        return ties

    def travel(self, households: Sequence[Household], offers: Sequence[Accommodation]) -> list[TravelRow]:
        """Known ways between spots with keys: one direction, both with different km, blocked, or nothing but minutes."""
        dice = self.dice
        keyed = {spot.key: spot for spot in [*(h.spot for h in households), *(a.spot for a in offers)] if spot.key is not None}
        rows: dict[tuple[str | None, str | None], TravelRow] = {}
        names = sorted(keyed)
        for _ in range(dice.number(1, 8)):
            if len(names) < 2:
                break
            one, other = dice.random.sample(names, 2)
            km = dice.decimal("3.25", "45.55", "87.649", "250.05", "0.05", "612.3", "1204.96")
            rows[one, other] = TravelRow(
                origin=keyed[one],
                destination=keyed[other],
                km=None if dice.chance(0.15) else km,
                minutes=Decimal(90) if dice.chance(0.3) else None,
                blocked=dice.chance(0.12),
            )
        return list(rows.values())

    def policy(self, order: str) -> Policy:
        dice, on = self.dice, self.on
        plain: dict[str, Any] = {"order": order}
        if on["weights"]:
            plain["travel"] = {"weight": dice.decimal("1", "0.37", "0", "2.05")}
            plain["ties"] = {
                "weight": dice.decimal("3", "0.37", "1.5", "0", "12.5"),
                "cap_km": dice.decimal("1000", "333.33", "90.5", "0.25"),
                "relation_weight": {"parent": dice.decimal("2.5", "0.125"), "work": dice.decimal("0", "1.01")},
            }
            plain["home"] = {"weight": dice.decimal("0.1", "1.37", "0"), "cap_km": dice.decimal("1000", "77.77")}
            plain["wants"] = {"km": dice.decimal("50", "0.05", "12.345")}
            plain["risk"] = {
                "km": dice.decimal("3000", "33.3", "0"),
                "unknown": dice.decimal("0.3", "0.05", "0.35", "0.65" if on["risk"] else "0.205"),
            }
            plain["short"] = {"km": dice.decimal("200", "33.3", "1999.99"), "min_nights": dice.pick((0, 14, 90, 91))}
            plain["spare"] = {"km": dice.decimal("10", "0.25", "333.37", "0")}
            plain["move"] = {"km": dice.decimal("100", "0.05", "777.77")}
        if on["risk"]:
            plain.setdefault("risk", {})["area"] = {"UA14": dice.decimal("0.9", "0.55"), "UA12": dice.decimal("0.35", "0.61")}
        if on["rent"]:
            plain["rent"] = {"km_per_unit": dice.decimal("0", "0.1", "0.037")}
        if on["cheap_unplaced"]:
            plain["unplaced"] = {
                "km": dice.pick(((900, 700, 500, 300, 150), (200, 200, 200, 200, 200), (60, 5000, 0, 333, 1))),
                "km_per_day_waited": dice.decimal("2", "0.25", "0.37"),
            }
            plain["unplaced"]["km"] = [Decimal(km) + dice.decimal("0", "0.25", "0.05") for km in plain["unplaced"]["km"]]
        if on["floors"]:
            plain["floors"] = {
                "km": dice.decimal("5000", "120.5", "30000", "12.345"),
                "share": {group: dice.decimal("0.9", "0.5", "1", "0.333") for group in GROUPS if dice.chance(0.7)},
            }
        rules: dict[str, Any] = {}
        if on["separate"]:
            rules["room_rule"] = "separate"
        if on["hosts"] and dice.chance(0.3):
            rules["require_vetted"] = False
        if on["risk"] and dice.chance(0.4):
            rules["max_risk"] = dice.decimal("0.35", "1", "0.3", "0.9")
        plain["rules"] = rules
        return policy_from_plain(plain)


KINDS_USED: tuple[Kind, ...] = ("apartment", "host_family", "host_family", "collective_site")


def _without_clashes(ties: Sequence[Tie]) -> list[Tie]:
    """Without an `apart` and a required `same_*` for one pair, which reading refuses."""
    kept: list[Tie] = []
    meant: dict[tuple[object, ...], set[str]] = {}
    for tie in ties:
        target = tie.other_household_id or tie.accommodation_id or (tie.spot and (tie.spot.key, tie.spot.lat, tie.spot.lon))
        pair: tuple[object, ...] = (tie.household_id, target)
        if tie.other_household_id is not None:
            pair = tuple(sorted((tie.household_id, tie.other_household_id)))
        sort = "apart" if tie.kind == "apart" else "same" if tie.required and tie.kind != "near" else ""
        seen = meant.setdefault(pair, set())
        if sort and seen - {sort}:
            continue
        if sort:
            seen.add(sort)
        kept.append(tie)
    return kept
