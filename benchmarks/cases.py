"""The instances that are measured: those of the repository, and generated ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matcher import generate

DATE = "2026-11-22"
ROOT = Path(__file__).resolve().parent.parent
OWN = ("chasiv-yar", "hard-night", "pokrovsk-month")
HOUSEHOLDS = 300
BEDS_PER_PERSON = (0.9, 1.0, 1.15)


@dataclass(frozen=True)
class Case:
    """group: cases of one group are summed up in one line of the table."""

    name: str
    group: str
    folder: Path


def own_cases() -> list[Case]:
    """The instances of the repository, each a group of its own."""
    return [Case(name, name, ROOT / "instances" / name) for name in OWN]


def generated_cases(folder: Path, seeds: tuple[int, ...], beds: tuple[float, ...] = BEDS_PER_PERSON) -> Iterator[Case]:
    """Instances of `matcher generate`, written below `folder`; one group for each number of beds a person."""
    for beds_per_person in beds:
        for seed in seeds:
            group = f"{HOUSEHOLDS} households, {beds_per_person} beds a person"
            case = Case(f"{group}, seed {seed}", group, folder / f"{beds_per_person:g}-{seed}")
            generate(case.folder, HOUSEHOLDS, seed, beds_per_person)
            yield case
