"""A month of nights: arrivals, answers, withdrawals and lapses played against the nightly code, on a generated world.

How people decide is a simple stated model (`Habits`), drawn from the seed; it is no forecast. Every night is checked against a ledger
of its own: everybody accounted for, nobody who accepted moved, no declined pair proposed again. It is the long-run test as well as
a demonstration.
"""

from __future__ import annotations

from matcher.simulate.month import Month, NightTold, simulate
from matcher.simulate.people import Habits

__all__ = ["Habits", "Month", "NightTold", "simulate"]
