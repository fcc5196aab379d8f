"""Commands of the administrator's own, run after a night: they get figures and codes, never a person's data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

from matcher.nightly.log import NightLog


def run_hook(command: Sequence[str], told: Mapping[str, Any], timeout_s: float, log: NightLog) -> bool:
    """Run one command, without a shell, and wait for it; all that it has started is killed with it after the time-out.

    told: stands on its standard input as JSON, and each plain value in its environment as MATCHER_NAME. A hook that fails is logged
    and changes nothing else. Returns whether it went well; True where there is none.
    """
    if not command:
        return True
    plain = {f"MATCHER_{name.upper()}": str(value) for name, value in told.items() if isinstance(value, str | int | float)}
    try:
        child = subprocess.Popen(  # noqa: S603  (the administrator's own command, as a list of words)
            list(command), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, **plain}, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        log.event("hook.failed", "error", command=command[0], message=f"could not be started: {error.strerror}")
        return False
    try:
        child.communicate((json.dumps(told, ensure_ascii=False, default=str) + "\n").encode(), timeout=timeout_s)
    except subprocess.TimeoutExpired:
        _kill(child)
        log.event("hook.failed", "error", command=command[0], message=f"took longer than {timeout_s:g} s and was ended")
        return False
    if child.returncode != 0:
        log.event("hook.failed", "error", command=command[0], message=f"ended with code {child.returncode}")
        return False
    log.event("hook.done", command=command[0])
    return True


def _kill(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        child.kill()
    child.communicate()
