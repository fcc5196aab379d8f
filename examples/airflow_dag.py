"""A night's run as an Airflow DAG: validate, solve, check, hand on. Large data stays in folders; tasks pass paths.

For one machine without Airflow there is `matcher nightly`, which also keeps a lock, a history and yesterday's plan.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from airflow.decorators import dag, task
from airflow.exceptions import AirflowFailException

INSTANCE = Path(os.environ.get("SHELTER_INSTANCE", "/srv/shelter/instance"))
RUNS = Path(os.environ.get("SHELTER_RUNS", "/srv/shelter/runs"))


@dag(schedule="0 2 * * *", start_date=datetime(2026, 11, 1), catchup=False, max_active_runs=1, tags=["shelter"])  # noqa: DTZ001
def who_goes_where() -> None:
    """The proposal for the morning."""

    @task
    def validate() -> str:
        from matcher import InputError, read_instance

        try:
            return read_instance(INSTANCE).sha256
        except InputError as error:  # trying again would not mend the rows
            raise AirflowFailException(str(error)) from None

    @task
    def plan(sha256: str, day: str) -> str:
        from matcher import publish, read_instance, read_policy, solve

        instance = read_instance(INSTANCE)
        if instance.sha256 != sha256:
            raise AirflowFailException("the instance has changed since it was validated")
        policy = INSTANCE / "policy.toml"
        result = solve(instance, read_policy(policy) if policy.exists() else None, date=day, time_limit_s=600, isolate=True)
        return str(publish(result, RUNS / day))

    @task
    def check(out: str) -> str:
        from matcher import verify

        verdict = verify(INSTANCE, out)
        if not verdict.right:
            raise AirflowFailException("; ".join(verdict.violations))
        return out

    @task
    def hand_on(out: str) -> str:
        return (Path(out) / "placements.csv").as_posix()  # yours: upload, tell the office …

    hand_on(check(plan(validate(), "{{ ds }}")))


night = who_goes_where()
