"""A country at a time: the problem is cut into sections that are much like the whole, each is solved in a process of its own, and
all are put together. It is cut anew across the plan that stands, around those who would gain most by being elsewhere: where they are,
where they would rather be at the prices so far, among all offers, and who is there.
"""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from matcher.apart import at_hand
from matcher.bounds import largest_costs
from matcher.errors import MatcherError
from matcher.evaluate import plan_of
from matcher.layers import Ints
from matcher.parts import UNPLACED, Link, Parties
from matcher.pricing.threads import processors
from matcher.problem import Problem
from matcher.section import Section, section_of
from matcher.strategies.base import Limits, Outcome, Silent, Watch
from matcher.strategies.fallback import fallback_plan
from matcher.strategies.isolated import solve_isolated
from matcher.strategies.prices.alike import Alike, StepsOfAlike
from matcher.strategies.prices.ascent import Floats, Found
from matcher.strategies.prices.classes import each_alone
from matcher.strategies.prices.dealing import deal
from matcher.strategies.prices.field import make_field
from matcher.strategies.prices.hand import Hand
from matcher.strategies.prices.smooth import Course, climb, work_of
from matcher.strategies.prices.standing import Stands, held_by_links, still_holds
from matcher.strategies.prices.wishes import deal_by_wishes
from matcher.strategies.start import Start

FROM, PARTIES = 300_000, 12_000
"""From so many parties on the problem is cut, into sections of about so many."""
CUTS = (("alike", 0.3), ("wishes", 0.2), ("wishes", 0.2))
"""How the problem is cut, one time after the other, and what each section is given of the work that it would be given alone."""
MOST_AT_ONCE = 4
START_S, LEAST_S, UNITS_PER_S = 2.0, 30.0, 0.7
"""Seconds that a section's process takes to begin, and that a section is given while no plan stands, though later cuts have less; units of
work that are done for sure in a second, with all that does not count as work."""
FOR_PROOF, FOR_SHARPENING, FOR_OTHERS = 0.3, 0.2, 0.3
"""Share of the time that is kept for putting together and for the proof, and of what is left after a cut, for prices in common, and for
those who are out where somebody has to be placed by hand."""
SHARPENED, MIB_A_PARTY = 400_000, 0.006
"""Up to so many parties the prices of single rows go on over the whole after each cut, beyond only after the last, for it takes minutes;
no prices in common where the search may not take so much memory."""
SAMPLE, IN_COMMON = 60_000, Course(30, 5, 12, 48, (300.0, 50.0), (100.0, 10.0))
"""So many parties tell the prices of what is alike."""
TOGETHER = Course(60, 10, 6, 20, (600.0, 30.0), (400.0, 5.0))
NAME = "section"
log = logging.getLogger(__name__)


def solve_in_sections(problem: Problem, limits: Limits, watch: Watch) -> Outcome:
    """A plan, and the bound of the sections' prices over all pairs of the whole.

    What comes out does not depend on how many sections are solved at once, unless the clock cuts.
    """
    run = _Run(problem, limits, watch)
    for turn in range(len(CUTS)):
        run.cut(turn)
        if run.hand.near_enough:
            break
        if limits.seconds_left() <= 0 or run.interrupted:
            run.cut_by = run.cut_by or "time"
            break
    return Outcome(run.hand.plan, run.hand.ends, (), run.work, None if run.hand.near_enough else run.cut_by or "effort")


@dataclass
class _Run:
    """Who is where so far, and the prices."""

    problem: Problem
    limits: Limits
    watch: Watch

    def __post_init__(self) -> None:
        start = self.limits.start
        self.warm = start is not None
        self.stands = Stands.nobody(self.problem) if start is None else still_holds(self.problem, start.offers, start.rooms)
        self.prices = np.zeros(len(self.problem.resources)) if start is None else start.prices.copy()
        self.floors = np.zeros(len(self.problem.floors)) if start is None else start.floors.copy()
        self.hand = Hand(self.problem, self.watch, self.limits.gap)
        self.sharp: Found | None = None
        self.alike: Alike | None = None
        self.work, self.cut_by, self.interrupted = 0.0, "", False
        # Who must be placed is worth several others while searching; a plan without them is never taken.
        must = np.zeros(len(self.problem.persons), dtype=np.bool_)
        parties = Parties.of(self.problem.parties)
        must[parties.member[self.problem.must[parties.owner]]] = True
        most = 8 * max(largest_costs(self.problem))
        self.relaxed = replace(
            self.problem, must=np.zeros_like(self.problem.must), unplaced_cost=np.where(must, most, self.problem.unplaced_cost)
        )

    def cut(self, turn: int) -> None:
        """Cut the problem across what stands, solve every section, put all together."""
        kind, share = CUTS[turn]
        stands = self.stands
        # Linked parties that are placed stay where they are, and their partners as they are: else all sections would hang together.
        kept = held_by_links(self.problem.links, stands.placed)
        whole = stands.without(self.relaxed, kept)
        if kind == "alike":
            sections = max(2, round(len(self.problem.parties) / PARTIES))
            part, owner = deal(whole, sections, self.limits.seed + turn, stands.offers, kept, np.flatnonzero(self.problem.must))
        else:
            part, owner = deal_by_wishes(whole, stands, kept, self.prices, PARTIES)
            sections = int(part.max(initial=-1)) + 1
        most = (1 - FOR_PROOF) * self.limits.seconds_left()
        seconds = most * share / sum(share for _, share in CUTS[turn:])
        if self.hand.plan is None:  # any plan first
            seconds = min(most, max(seconds, sections * LEAST_S / _at_once()))
        _Cut(self, whole, part, owner, sections, share, time.monotonic() + seconds).solve()
        self.warm = True
        self._keep()
        self._complete()  # time may be over before another cut has ended
        last = turn == len(CUTS) - 1
        if turn == 0:  # any proof first
            self.hand.prove(self.prices, self.floors, ())
        sharper = self._sharpen(len(self.problem.parties) <= SHARPENED or last)
        wanted = sharper if turn == 0 else last or self.limits.gap > 0
        if wanted:  # it looks at all pairs
            self.hand.prove(self.prices, self.floors, ())

    def _sharpen(self, whole: bool) -> bool:
        """Prices of sections are those of what is in each; these become one market's. First what is alike goes up and down together, as
        a sample of the parties tells; then, for the whole, every row by itself. Tells whether there was time and
        memory for it."""
        memory, seed = self.limits.memory_mib, self.limits.seed
        if self.limits.seconds_left() <= 0 or (memory is not None and len(self.problem.parties) * MIB_A_PARTY > memory):
            return False
        field = make_field(self.problem)  # not kept: while sections are solved they need its memory
        end = time.monotonic() + FOR_SHARPENING * self.limits.seconds_left()

        def in_time() -> bool:
            if time.monotonic() <= end:
                return True
            self.cut_by = self.cut_by or "time"
            return False

        def look(_: Found, arcs: float) -> bool:
            self.work += work_of(looked, arcs)
            return in_time()

        market, alone = field.market(), each_alone(field.core)
        self.alike = self.alike or Alike.of(self.problem, alone.implied, seed)
        sample = np.sort(np.random.default_rng([seed, 17]).permutation(field.parties)[:SAMPLE])
        looked = len(sample)
        mean = Found(-np.inf, self.alike.means(self.prices), self.floors)
        common = climb(market, alone, sample, mean, IN_COMMON, look, partial(StepsOfAlike, self.alike))
        looked = field.parties

        def better(best: Found, prices: Floats, floors: Floats) -> Found:
            if self.limits.seconds_left() <= 0:
                return best
            self.work += work_of(looked, 0)
            bound = market.bound(prices, floors)
            return Found(bound, prices, floors) if bound > best.bound else best

        best = self.sharp or Found(-np.inf, self.prices, self.floors)
        best = better(better(best, common.prices, common.floors), self.prices, self.floors)
        if whole and in_time():
            best = climb(market, alone, np.arange(field.parties), best, TOGETHER, look)
            best = better(best, self.alike.means(best.prices), best.floors)  # what it left single rows at by chance
        self.sharp = best
        self.prices, self.floors = best.prices.copy(), best.floors.copy()
        return True

    def _keep(self) -> None:
        """Keep the plan of all sections together if it is the best so far and holds every promise."""
        if not (self.stands.offers[self.problem.must] == UNPLACED).any():
            self.hand.take(plan_of(self.problem, self.stands.offers.tolist(), list(self.stands.rooms)))

    def _complete(self) -> None:
        """Where somebody who must be placed is not, they are placed first and the others around them."""
        if self.hand.plan is None and self.stands.placed.any():
            start = Start(self.prices, self.floors, self.stands.offers, tuple(self.stands.rooms))
            end = time.monotonic() + FOR_OTHERS * self.limits.seconds_left()
            plan = fallback_plan(self.problem, start, end)
            if time.monotonic() > end:
                self.cut_by = self.cut_by or "time"
            if plan is not None:
                self.hand.take(plan)


@dataclass
class _Cut:
    """The sections of one cut. whole: what they share out; part, owner: section of each party and of each offer, or -1."""

    run: _Run
    whole: Problem
    part: Ints
    owner: Ints
    sections: int
    share: float
    end: float

    def __post_init__(self) -> None:
        self.parties, self.offers = _by_number(self.part, self.sections), _by_number(self.owner, self.sections)
        self.links: list[list[Link]] = [[] for _ in range(self.sections)]
        for link in self.run.problem.links:
            if self.part[link.first] >= 0 and self.part[link.first] == self.part[link.second]:
                self.links[self.part[link.first]].append(link)
        self.at_once = _at_once()
        self.stop = threading.Event()
        self.cutting = threading.Lock()  # two at once would only fight for the interpreter

    def solve(self) -> None:
        """Solve all of them, some at once, and take what they have come to in the order of their numbers."""
        with at_hand(), ThreadPoolExecutor(self.at_once) as pool:
            try:
                for section, outcome in pool.map(self._solve, range(self.sections)):
                    self._take(section, outcome)
            except BaseException:
                self.stop.set()
                pool.shutdown(cancel_futures=True)
                raise

    def _solve(self, number: int) -> tuple[Section | None, Outcome]:
        """One section, in a process of its own."""
        run, waves = self.run, -(-(self.sections - number) // self.at_once)
        now = time.monotonic()
        if now >= self.end:
            return None, Outcome(None, cut_by="time")
        with self.cutting:
            section = section_of(self.whole, self.parties[number], self.offers[number], self.links[number])
            start = self._start_of(section) if run.warm else None
        memory = None if run.limits.memory_mib is None else max(64, run.limits.memory_mib // (self.at_once + 1))
        seconds = max(1.0, (self.end - now) / waves - START_S)
        work = run.limits.work * self.share
        if work > UNITS_PER_S * seconds:  # less work from the start is better than a search that is cut
            work, run.cut_by = UNITS_PER_S * seconds, run.cut_by or "time"
        limits = Limits(work, now + seconds, 0.0, run.limits.seed, start, self.end, memory, effort=run.limits.effort)
        try:
            return section, solve_isolated(NAME, section.problem, limits, Silent(), self.stop.is_set)
        except MatcherError as error:
            log.error("a section stays as it was, its search failed: %s", str(error).partition(":")[0])  # no positions in a log
            return section, Outcome(None, cut_by="crash")

    def _start_of(self, section: Section) -> Start:
        """What stands in a section, in its positions."""
        run = self.run
        offers = run.stands.offers[section.parties]
        here = np.searchsorted(section.offers, offers)  # who is there is in the section of their offer
        here[offers < 0] = UNPLACED
        return Start(run.prices[section.resources], run.floors, here, tuple(run.stands.rooms[q] for q in section.parties.tolist()))

    def _take(self, section: Section | None, outcome: Outcome) -> None:
        """What a section has come to; where it has come to nothing, all stays as it was."""
        run = self.run
        run.work += outcome.work
        run.interrupted |= outcome.cut_by == "interrupt"
        if outcome.cut_by in ("time", "crash", "interrupt"):
            run.cut_by = "crash" if "crash" in (run.cut_by, outcome.cut_by) else outcome.cut_by
        if section is None:
            return
        if outcome.stages:
            prices = outcome.stages[0].prices
            run.prices[section.resources] = prices.capacity / prices.scale
        if outcome.plan is not None:
            parties = Parties.of(section.problem.parties)
            home = np.asarray(outcome.plan.home, dtype=np.int64)[parties.member[parties.start[:-1]]]
            there = home >= 0
            run.stands.offers[section.parties] = UNPLACED
            run.stands.offers[section.parties[there]] = section.offers[home[there]]
            for q, rooms in zip(section.parties.tolist(), outcome.plan.rooms, strict=True):
                run.stands.rooms[q] = rooms


def _at_once() -> int:
    """Sections that are solved at the same time."""
    return min(MOST_AT_ONCE, processors())


def _by_number(part: Ints, parts: int) -> list[Ints]:
    """Positions of each part, ascending; those of no part (-1) left out."""
    order = np.argsort(part, kind="stable")
    edges = np.searchsorted(part[order], np.arange(parts + 1))
    return [order[low:high] for low, high in pairwise(edges.tolist())]
