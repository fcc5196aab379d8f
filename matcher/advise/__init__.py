"""Everything that solves again: remedies, what would help most, what-if, sweeps, the price of floors."""
