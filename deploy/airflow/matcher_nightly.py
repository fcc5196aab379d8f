"""Airflow (2.10 or newer): one run a night for one service date. Put it into the folder of your DAGs.

The service date is given, so that a run that is started again days later is still for its own night. A run that is repeated changes
nothing: `matcher nightly` says so and ends with 0.
"""

from __future__ import annotations

import datetime as dt

import pendulum
from airflow.models.dag import DAG
from airflow.operators.bash import BashOperator

KYIV = pendulum.timezone("Europe/Kyiv")
MATCHER = "/opt/matcher/.venv/bin/matcher"
CONFIG = "/etc/matcher/nightly.toml"

with DAG(
    dag_id="matcher_nightly",
    schedule="30 1 * * *",  # UTC, so that there is one every night when clocks change, too
    start_date=dt.datetime(2026, 11, 22, tzinfo=dt.UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": dt.timedelta(minutes=15), "execution_timeout": dt.timedelta(minutes=30)},
    user_defined_macros={"kyiv": KYIV},
    tags=["matcher"],
) as dag:
    deliver = BashOperator(
        task_id="deliver",
        bash_command=f"{MATCHER} deliver /srv/exports/latest /var/lib/matcher/inbox --quiet",
    )
    nightly = BashOperator(
        task_id="nightly",
        bash_command=f"{MATCHER} nightly --config {CONFIG} --date {{{{ data_interval_end.in_timezone(kyiv).to_date_string() }}}} --json",
        skip_on_exit_code=75,  # another run is at work
    )
    deliver >> nightly
