"""Measurements: this program beside a greedy plan and beside a plain CP-SAT model, on the same instances.

`python -m benchmarks` (or `make bench`) prints the tables of docs/performance.md and writes them there. Nothing here is
tuned to an instance, and nothing here is imported by the program.
"""
