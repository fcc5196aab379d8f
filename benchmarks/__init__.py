"""Measurements: this program beside others that solve the same model, on the same instances, in one run.

`python -m benchmarks` (`make bench`) takes about ten minutes, `--full` (`make bench-full`) hours and goes on where it was
stopped. Nothing here is tuned to an instance, and nothing here is imported by the program.
"""
