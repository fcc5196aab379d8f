"""The strategy itself: prices, a first plan, then rounds of flows, annealing and exact pieces until the limits are reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from matcher.bounds import MOST_PAIRS, Pair, largest_costs, link_forest, share_of
from matcher.evaluate import plan_of
from matcher.layers import Bools, Ints
from matcher.parts import UNPLACED, Parties
from matcher.pricing.arcs import Choices, arc_prices
from matcher.pricing.kernels import HALF
from matcher.problem import Problem
from matcher.strategies.base import Limits, Outcome, Watch
from matcher.strategies.prices import sections
from matcher.strategies.prices.anneal import anneal
from matcher.strategies.prices.ascent import Found, Market
from matcher.strategies.prices.blocks import improve, make_ground
from matcher.strategies.prices.classes import beds_of_rows, classes_of, each_alone
from matcher.strategies.prices.entry import Entry, Lists
from matcher.strategies.prices.field import Field, fill, make_field, rooms_of, search_lists, standing_from
from matcher.strategies.prices.flows import Flow
from matcher.strategies.prices.hand import Hand
from matcher.strategies.prices.house import OUT, Bonds, House, Standing, make_bonds, make_house, set_costs, settle, standing_of
from matcher.strategies.prices.known import mended
from matcher.strategies.prices.levels import LEVELS
from matcher.strategies.prices.master import MOST_PARTIES, refine
from matcher.strategies.prices.partners import movable, with_links
from matcher.strategies.prices.repair import keep_promises
from matcher.strategies.prices.room import make_guide
from matcher.strategies.prices.smooth import Course, climb, shortened, work_of
from matcher.strategies.start import Start

SIZES = (1, 2, 3, 4, 5, 6)
LEVEL = Course(100, 10, 12, 64, (30_000.0, 5000.0), (30_000.0, 300.0), 0.1)
SAMPLE, MOST_STEPS_OF_ROWS = 2000, 800
ROWS = Course(150, 10, 6, 32, (5000.0, 100.0), (2500.0, 50.0))
LAST = Course(150, 20, 4, 24, (60.0, 5.0), (100.0, 1.0))
LARGE, NARROW = 150_000, (20, 4, 20)
"""From so many parties on, lists are renewed less often and shorter: every so many steps, so many nearest offers, so many arcs."""
AGAIN = Course(40, 10, 6, 32, (3000.0, 100.0), (1500.0, 40.0))
SCARCE, SCARCE_LEVEL = replace(ROWS, warmth=(10_000.0, 400.0), length=(2500.0, 100.0)), replace(LEVEL, steps=200)
SHORT, MORE, MOST_MORE = 1.02, 3000, 250
"""Where there are more persons than that many times the beds, a bed is worth far more than travel: prices have a long way to go, and
the climb over rows takes so many steps more for each time that, but no more than so many."""
FURTHER, AND_MORE = 0.95, 0.75
"""In larger instances these steps, and the limit of work that has to hold them, grow with such powers of the number of parties."""
DEARER = 6000.0, 3000.0, 2000.0
DONE_WITHIN, SMALL_DONE_WITHIN = 0.0005, 0.0015
"""A search is done where no plan can be better by more than this share of what those cost who are placed, over the effort where that is
more than usual. Of small problems one piece is nearly all there is: they are done sooner."""
TRIFLE = 1e-5
"""A round that makes a plan cheaper by no more than this share has found nothing."""
FOR_PRICES = 0.7
"""Share of the work that the first prices may take."""
LIFTED_FROM, LOST, MOST_LIFT, FOR_LIFT = 3000.0, 0.0002, 8000.0, 0.3
LIFT = Course(200, 10, 8, 32, (2000.0, 20.0), (800.0, 5.0))
"""Where beds suffice only if each costs so much more than its price, and those who are out lose that share of all that is proved (those who
cannot but stay out included), prices climb once more from a level above, of so much at the most, with that share of the work besides."""
FILLS = 12
WITHIN = 1000.0
"""Who is out is given what is free if that is worse than their best by less than so much; else others make room for them."""
MOVES, PATIENCE, LONGEST_PIECE_S = 20, 2, 30.0
MOVE, FLOW = 6e-6, 2.5e-5
"""Units of work (about a second of one core each): a move of annealing, a party in a flow."""
AFTER, ASTRAY = 0.25, (0.02, 0.1)
"""Share of the work where everybody's place in an earlier run is known: most has been done then, and more would move more people. Where a
plan can still be better by the other shares after a round (without links; with them, for the proof knows nothing of those), known prices
have led astray."""
ORDINARY, GROWS = 10_000, 0.7
"""Larger instances are given more: the limit of work holds for so many parties, and grows with that power of their number."""
MOST_USE = np.iinfo(np.int32).max


class PriceStrategy:
    """See the module."""

    name = "prices"

    def refuses(self, problem: Problem) -> str | None:
        """It minimises one sum, and needs numbers that leave room for prices."""
        if len(problem.stages) > 1:
            return 'order = "strict" is solved stage by stage, which this strategy cannot do'
        if 16 * max(largest_costs(problem)) > share_of(problem):
            return "the costs are too large for its arithmetic"
        uses = problem.party_persons() if problem.in_use is None else problem.in_use
        if uses.max(initial=0) > MOST_USE:
            return "the uses are too large for its arithmetic"
        if not len(problem.parties) or not problem.offers:
            return "there are no households or no offers"
        return None

    def solve(self, problem: Problem, limits: Limits, watch: Watch) -> Outcome:
        """As good a plan as the limits allow, with the bound that its prices prove."""
        anew = limits.work
        if limits.start is not None:
            known = float((limits.start.offers != UNPLACED).mean())
            limits = replace(limits, work=(1 - (1 - AFTER) * known) * limits.work)
        if len(problem.parties) >= sections.FROM:
            return sections.solve_in_sections(problem, limits, watch)
        return _Run(problem, limits, watch, anew).run()


class SectionStrategy(PriceStrategy):
    """The same for a section of a larger problem: it is not cut again."""

    name = sections.NAME

    def solve(self, problem: Problem, limits: Limits, watch: Watch) -> Outcome:
        """As `PriceStrategy.solve`, in one piece."""
        return _Run(problem, limits, watch).run()


@dataclass
class _Run:
    """One solve: the plan in hand, the prices in hand, the work spent."""

    problem: Problem
    limits: Limits
    watch: Watch
    anew: float = 0.0

    def __post_init__(self) -> None:
        self.field: Field = make_field(self.problem)
        self.market: Market = self.field.market()
        self.forest: tuple[Pair, ...] = ()
        if len(self.problem.parties) * self.problem.offers <= MOST_PAIRS:
            self.forest = link_forest(self.problem)
        self.bonds: Bonds = make_bonds(self.problem, 1)
        self.work = 0.0
        self._larger = max(1.0, len(self.problem.parties) / ORDINARY) ** GROWS
        self.most_work = self.limits.work * self._larger
        self.chance = np.random.default_rng([self.limits.seed, 3])
        self.state = np.array([self.limits.seed + 1], dtype=np.uint64)
        self.hurried, self.level, self.in_vain = False, 0.0, np.zeros(0, dtype=np.int64)
        self.hand = Hand(self.problem, self.watch, self.limits.gap)
        must = self.field.core.out >= HALF
        most = max(1_000_000, int(self.field.core.out[~must].max(initial=0)), *largest_costs(self.problem))
        # Who must be placed is worth several others while searching; a plan without them is never taken.
        self.out: Ints = np.where(must, 8 * most, self.field.core.out)
        self.held: Bools = np.diff(self.bonds.start) > 0

    @property
    def stopped(self) -> str | None:
        """What has cut the run, if anything."""
        if self.limits.seconds_left() <= 0:
            return "time"
        return "effort" if self.work >= self.most_work else None

    @property
    def _done(self) -> bool:
        """Is the plan proved as near the best as was asked, or as is worth more work?"""
        within = (SMALL_DONE_WITHIN if self.field.parties <= MOST_PARTIES else DONE_WITHIN) / max(1.0, self.limits.effort)
        return self.hand.near_enough or self.hand.nearly(min(within, self.limits.gap or within))

    def run(self) -> Outcome:
        known = self.limits.start
        found = self._prices(known)
        standing = self._first_plan(found)
        small = self.field.parties <= MOST_PARTIES
        turn, level, idle = 0, int(small), 0
        patience = PATIENCE if self.problem.links else 1  # it is others of the linked that may move in each round
        levels = level + 1 if small and self.limits.effort <= 1 else len(LEVELS)  # further ones find little there (decision 0021)
        while not self._done and self.stopped is None and turn < 60:
            before = self.hand.cost
            standing = self._round(standing, found, turn, level)
            anew = self._from_nothing(found) if turn == 0 and known is not None and self._astray else None
            if anew is not None:
                known, found, self.in_vain = None, anew, self.in_vain[:0]
                standing = self._first_plan(found)
                continue
            if turn == 0 and not small and self.level >= LIFTED_FROM:
                found = self._lift(found, standing)
            turn += 1
            idle = 0 if _cheaper(self.hand.cost, before) else idle + 1
            if level == 0:
                level, idle = 1, 0
            elif idle == patience:
                level, idle = level + 1, 0
                if level == len(LEVELS) or (level == levels and self.hand.plan is not None):
                    break
        cut = "time" if self.hurried else None if self._done else self.stopped
        if cut is not None:
            self._fill_up(standing)
        return Outcome(self.hand.plan, self.hand.ends, self.forest, self.work, cut)

    def _prices(self, start: Start | None) -> Found:
        """First what a bed of each kind costs, as a sample of the parties tells, where nothing is known; then every row. For small problems
        the linear program."""
        parties, core = self.field.parties, self.field.core
        seconds = self.limits.seconds_left()
        everybody, alone = np.arange(parties), each_alone(core)

        def going_on(looked: int) -> Callable[[Found, float], bool]:
            return self._while_climbing(looked, seconds, 0.0, FOR_PRICES)

        if start is None:
            ties, beds = classes_of(core, self.limits.seed)
            zero = Found(-np.inf, np.zeros(len(self.market.capacity)), np.zeros(len(self.problem.floors)))
            sample = np.sort(np.random.default_rng([self.limits.seed, 7]).permutation(parties)[:SAMPLE])
            short = int(core.uses.party_persons.sum()) / max(1.0, beds) - SHORT
            level, course = (LEVEL, ROWS) if short <= 0 else (SCARCE_LEVEL, SCARCE)
            found = climb(self.market, ties, sample, zero, level, going_on(len(sample)))
            if short > 0:
                larger = max(1.0, parties / ORDINARY)
                course = replace(course, steps=course.steps + int(larger**FURTHER * min(MOST_MORE, MORE * short)))
                self.most_work *= larger**AND_MORE
            if parties > MOST_PARTIES:  # no linear program follows; the fewer parties, the more steps it takes, and the cheaper they are
                course = replace(course, steps=max(course.steps, min(MOST_STEPS_OF_ROWS, ROWS.steps * ORDINARY // parties)))
        else:
            known, looks = mended(
                self.market, core, start.prices, start.floors, self.limits.seed, lambda: self.limits.seconds_left() > 0.8 * seconds
            )
            self.hurried |= self.limits.seconds_left() <= 0.8 * seconds
            self.work += looks * work_of(parties, 0)
            found, course = Found(-np.inf, known, start.floors), AGAIN
        if parties > LARGE:
            every, near, most = NARROW
            course = replace(course, every=every, near=near, most=most)
        for each in (course, LAST):
            left = FOR_PRICES * self.most_work - self.work
            if left > 0 and not self.hurried:
                found = climb(self.market, alone, everybody, found, shortened(each, parties, left), going_on(parties))
        if parties <= MOST_PARTIES and self.stopped is None:
            found = refine(self.field, self.market, found, self.out, self.limits.seconds_left)
            self.work += 1e-3 * parties
        self.hand.prove(found.prices, found.floors, self.forest)
        return found

    def _while_climbing(self, looked: int, seconds: float, since: float, share: float) -> Callable[[Found, float], bool]:
        """What a climb over so many parties is told and asks: the work counts; it goes on with that share of all the work since then, until
        half of the seconds that were left are gone, so that there is time for a plan."""

        def look(_: Found, arcs: float) -> bool:
            self.work += work_of(looked, arcs)
            self.hurried |= self.limits.seconds_left() < 0.5 * seconds
            return not self.hurried and self.work - since < share * self.most_work

        return look

    @property
    def _astray(self) -> bool:
        """Is there so much left to gain that the prices that were known must be of another market? Those of a linear program are not."""
        alone, linked = ASTRAY
        far = self.hand.plan is not None and not self.hand.nearly(linked if self.problem.links else alone)
        return far and self.anew > 0 and self.field.parties > MOST_PARTIES and not self.hurried and self.stopped != "time"

    def _from_nothing(self, found: Found) -> Found | None:
        """Prices as if none were known, with as much work as if nothing had been, if they prove more."""
        self.most_work += self.anew * self._larger
        new = self._prices(None)
        return new if self.market.bound(new.prices, new.floors) > found.bound else None

    def _lift(self, found: Found, standing: Standing) -> Found:
        """Beds do not suffice at these prices: from prices that are higher by a level for each bed, if that proves more."""
        if self._done or self.stopped is not None or self.hurried:
            return found
        before = self.work
        look = self._while_climbing(self.field.parties, self.limits.seconds_left(), before, FOR_LIFT)
        beds = beds_of_rows(self.field.core, standing.offer)
        start = Found(-np.inf, found.prices + min(self.level, MOST_LIFT) * beds, found.floors)
        lifted = climb(self.market, each_alone(self.field.core), np.arange(self.field.parties), start, LIFT, look)
        self.most_work += self.work - before  # as many rounds as without
        if lifted.bound <= found.bound:
            return found
        self.in_vain = self.in_vain[:0]  # at other prices it may help
        self.hand.prove(lifted.prices, lifted.floors, self.forest)
        return lifted

    def _house(self, choices: Choices, standing: Standing) -> House:
        return make_house(self.problem, self.out, self.field.group, choices, standing)

    def _first_plan(self, found: Found) -> Standing:
        """Everybody in turn takes the best at the prices that has room, those first who would lose most by anything else; then
        room is made for those who are left."""
        field, parties, start = self.field, self.field.parties, self.limits.start
        before = Standing.nobody(parties) if start is None else standing_from(field, start.offers, start.rooms)
        lists = self._lists(before, found, 0)
        house = self._house(lists.priced, before)
        loss = lists.guide.other - lists.guide.best
        order = np.lexsort((self.lots, -loss))
        free = order[~self.held[order]]
        settle(house, lists.priced, free, self.out)
        standing = standing_of(house, lists.priced)
        most = np.minimum(self.out, lists.guide.best + WITHIN)
        for _ in range(FILLS):
            if self.limits.seconds_left() <= 0 or fill(field, standing, found.prices, free, most, 16) <= parties // 1000:
                break
        self._take(standing)
        return standing

    def _fill_up(self, standing: Standing) -> None:
        """Room was not made for all: who is out, and has no links, takes the best of what is free, whatever its price."""
        order = np.lexsort((self.lots, -self.out))
        free, nothing, most = order[~self.held[order]], np.zeros(len(self.market.capacity)), self.out.astype(np.float64)
        for _ in range(FILLS):
            few = fill(self.field, standing, nothing, free, most, 16) <= self.field.parties // 1000
            if few or self.limits.seconds_left() <= 0:  # the first one always: it takes seconds, and a plan without it is far worse
                break
        self._take(standing)

    def _lists(self, standing: Standing, found: Found, free: int) -> Lists:
        near = 32 if self.field.parties <= 200_000 else 12
        choices = search_lists(self.field, standing, found.prices, near, free, 2)
        priced = choices._replace(cost=(choices.cost + arc_prices(choices, found.prices)).astype(np.int64))
        return Lists(choices, priced, make_guide(choices, priced.cost.astype(np.float64), self.out))

    @cached_property
    def lots(self) -> Ints:
        """Rank of each party in the lottery, by its first household."""
        lottery = np.asarray(self.problem.lottery, dtype=np.int64)
        parties = Parties.of(self.problem.parties)
        return lottery[parties.member[parties.start[:-1]]]

    def _loose(self, house: House, lists: Lists) -> tuple[Choices, Ints, Bools]:
        """(arcs, cost of being out, who may not move) for flows and pieces: of linked parties some may, of which no two are linked, with
        what their links cost in the costs."""
        if not self.problem.links:
            return lists.choices, self.out, self.held
        free = movable(self.bonds, self.chance.permutation(np.flatnonzero(self.held)))
        return *with_links(self.bonds, house, lists.choices, free, self.out), ~free

    def _flows(self, house: House, lists: Lists, sizes: Sequence[int]) -> None:
        choices, out, held = self._loose(house, lists)
        flow = Flow(self.field.core.uses, choices, held, near=12, drawn=24)
        house = house._replace(out=out)
        set_costs(house, choices)
        for size in sizes:
            if self.stopped is not None:
                return
            flow.run(house, size, self.chance)
            self.work += FLOW * self.field.parties

    def _round(self, standing: Standing, found: Found, turn: int, level: int) -> Standing:
        """Room for those who are out, flows, a little annealing where households are linked, exact pieces."""
        lists = self._lists(standing, found, 8)
        house = self._house(lists.priced, standing)
        entry = Entry(
            self.field.core.uses, self.bonds, self.held, self.lots, lists,
            lambda standing: self._house(lists.priced, standing), self.limits.seconds_left, house,
            self.in_vain,
        )  # fmt: skip
        house = entry.run(DEARER[min(turn, len(DEARER) - 1)])
        self.work += entry.work
        self.hurried |= entry.hurried
        self.in_vain = entry.in_vain
        self.level = entry.level if entry.lost() > LOST * abs(found.bound) else 0.0
        self._flows(house, lists, SIZES)
        set_costs(house, lists.choices)
        if self.problem.links or self.problem.floors:
            moves = MOVES * self.field.parties
            anneal(house, lists.choices, self.bonds, self.state, moves, 3000.0, 30.0, 3.0, 6, 0.1, 24)
            self.work += MOVE * moves
        standing = self._take(standing_of(house, lists.choices))
        if self.stopped is not None or self.hand.near_enough:
            return standing
        choices, out, held = self._loose(house, lists)
        guide = lists.guide
        if self.problem.links:
            guide = make_guide(choices, (choices.cost + lists.priced.cost - lists.choices.cost).astype(np.float64), out)
        ground = make_ground(self.field, choices, guide, standing, out, held, found.prices)
        pieces = LEVELS[level]

        def between(parties: int) -> bool:
            self.work += pieces.work(parties)
            return self.stopped is None

        def seconds() -> float:
            return min(LONGEST_PIECE_S, self.limits.seconds_left())

        improve(ground, pieces.sweep(self.field.parties, seconds), between)
        self.hurried |= ground.hurried
        return self._take(Standing(ground.offers(), ground.room_sets()))

    def _take(self, standing: Standing) -> Standing:
        """Keep the plan if it is the best so far and holds every promise; searches go on from where they are."""
        whole = keep_promises(self.field, standing)
        plan = plan_of(self.problem, whole.offer.tolist(), _room_sets(self.field, whole))
        if (whole.offer[self.problem.must] == OUT).any():
            return standing
        self.hand.take(plan)
        return standing


def _cheaper(cost: Sequence[int], before: Sequence[int]) -> bool:
    """Has a plan become cheaper by enough to go on in the same way? Costs by stage, none where there is no plan."""
    return bool(cost) and (not before or before[0] - cost[0] > TRIFLE * abs(before[0]))


def _room_sets(field: Field, standing: Standing) -> list[tuple[int, ...]]:
    """Sizes of the rooms that each party takes, ascending; () where none are counted."""
    uses = field.core.uses
    known: dict[int, tuple[int, ...]] = {-1: ()}
    for s in np.unique(standing.set[standing.offer >= 0]).tolist():
        if s >= 0:
            known[s] = rooms_of(uses, s)
    return [known[s] if a >= 0 else () for a, s in zip(standing.offer.tolist(), standing.set.tolist(), strict=True)]
