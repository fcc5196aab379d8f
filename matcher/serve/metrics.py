"""GET /metrics: counts in Prometheus' text format."""

from __future__ import annotations

import resource

from matcher._version import __version__
from matcher.serve.jobs import ENDED, Jobs


def metrics_text(jobs: Jobs) -> str:
    """The page. Nothing in it is of a single run."""
    lines = [
        "# HELP matcher_info Version of the program.", "# TYPE matcher_info gauge", f'matcher_info{{version="{__version__}"}} 1',
        "# HELP matcher_runs_total Runs that have ended, by how.", "# TYPE matcher_runs_total counter",
        *(f'matcher_runs_total{{state="{state}"}} {jobs.ended[state]}' for state in sorted(ENDED)),
        "# HELP matcher_runs Runs that wait or search now.", "# TYPE matcher_runs gauge",
        f'matcher_runs{{state="queued"}} {jobs.count("queued")}', f'matcher_runs{{state="running"}} {jobs.count("running")}',
        "# HELP matcher_run_seconds_total Time that ended runs took.", "# TYPE matcher_run_seconds_total counter",
        f"matcher_run_seconds_total {jobs.spent_s:.3f}",
        "# HELP matcher_peak_memory_bytes Most memory that the service has held.", "# TYPE matcher_peak_memory_bytes gauge",
        f"matcher_peak_memory_bytes {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"
