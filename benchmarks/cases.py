"""The instances that are measured, and who is measured on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matcher import generate

DATE = "2026-11-22"
ROOT = Path(__file__).resolve().parent.parent
OURS, LONG = "ours", "auto*20"
"""Runs of the program are called "ours:STRATEGY", or "ours:STRATEGY*EFFORT"; LONG is to use up its time."""
BEDS = (1.0, 0.9, 1.15)
SECONDS = {300: 20.0, 1_000: 60.0, 10_000: 60.0, 33_500: 240.0, 100_000: 300.0, 1_000_000: 600.0}
"""Time limit of every contender by size; the program stops by itself before."""
FIRST_SEED = 7101
_SEEDS_OF = {300: 5, 1_000: 5, 10_000: 3, 33_500: 2, 100_000: 1, 1_000_000: 1}
SEEDS = {size: tuple(range(FIRST_SEED, FIRST_SEED + count)) for size, count in _SEEDS_OF.items()}
"""None of them was ever used for tuning."""
PLAIN, CHOSEN = ("cp-sat-near30", "cp-sat-good12"), ("highs-good12", "scip-good12")
RIVALS_AT = {
    300: ("greedy", "flow", "cp-sat-all", "cp-sat-near30", "highs-all", "scip-all"),
    1_000: ("greedy", "flow", *PLAIN, "highs-near30", "scip-near30", *CHOSEN),
    10_000: ("greedy", "flow", *PLAIN, "highs-near30", "scip-near30", *CHOSEN),
    33_500: ("greedy", "flow", *PLAIN, *CHOSEN),
    100_000: ("greedy", "flow"),
    1_000_000: ("greedy",),
}
FIRST_GAP_FILES = ("large/c10100", "large/e10100")
"""Assignment files of the short run."""
EXACT_UP_TO = 1_000
"""Above that, the exact strategy is asked by `auto` alone, if at all."""


@dataclass(frozen=True)
class Case:
    """One instance of `matcher generate`. links: share of the households that are tied to another one."""

    households: int
    beds: float
    links: float
    rooms: bool
    seed: int

    @property
    def group(self) -> str:
        """Cases of one group are summed up in one table."""
        rooms = "rooms" if self.rooms else "no rooms"
        return f"{self.households:,} households, {self.beds:g} beds a person, {self.links * 100:g} % linked, {rooms}"

    @property
    def key(self) -> str:
        """Unique among cases; a file name."""
        return f"{self.households}-{self.beds:g}-{self.links:g}-{'rooms' if self.rooms else 'plain'}-{self.seed}"

    def folder(self, below: Path) -> Path:
        """The instance's folder, generated if it is not there yet."""
        folder = below / self.key
        if not (folder / ".complete").exists():
            generate(folder, self.households, self.seed, self.beds, rooms=self.rooms, links=self.links)
            (folder / ".complete").touch()
        return folder


@dataclass(frozen=True)
class Job:
    """One measurement: `who` (a strategy of ours as "ours:NAME", or a rival) on a case, within `seconds`."""

    case: Case
    who: str
    seconds: float


def short_jobs(names: tuple[str, ...]) -> Iterator[Job]:
    """About ten minutes: two sizes, beds as many as persons."""
    case = Case(1_000, 1.0, 0.0, True, FIRST_SEED)
    for who in (*(f"{OURS}:{name}" for name in names), "greedy", "flow", "cp-sat-near30", "highs-good12"):
        yield Job(case, who, 20.0)
    case = Case(10_000, 1.0, 0.0, True, FIRST_SEED)
    for who in (f"{OURS}:auto", "greedy", "flow", "cp-sat-near30", "cp-sat-good12", "highs-good12"):
        yield Job(case, who, 60.0)
    for who in (f"{OURS}:auto", "greedy"):
        yield Job(Case(10_000, 1.0, 0.05, True, FIRST_SEED), who, 60.0)


def full_jobs(names: tuple[str, ...], sizes: tuple[int, ...] = tuple(SECONDS), seeds: int = 5) -> Iterator[Job]:
    """Everything. From 10,000 households on, the rivals meet the first seed only. seeds: so many of each size at the most."""
    for households in sizes:
        for case in cases(households, seeds):
            ours = [name for name in names if name != "exact" or households <= EXACT_UP_TO]
            ours += [LONG] if households == 1_000 else []
            for name in ours:
                yield Job(case, f"{OURS}:{name}", SECONDS[households])
            if households < 10_000 or case.seed == SEEDS[households][0]:
                for who in RIVALS_AT[households]:
                    yield Job(case, who, SECONDS[households])


def cases(households: int, seeds: int = 5) -> Iterator[Case]:
    """All cases of a size: beds by links, rooms on; and once without rooms."""
    for beds, links, rooms in (*((b, n, True) for n in (0.0, 0.05) for b in BEDS), (1.0, 0.0, False)):
        for seed in SEEDS[households][:seeds]:
            yield Case(households, beds, links, rooms, seed)
