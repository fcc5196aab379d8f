"""What every test has in common: signals as a terminal gives them.

A shell starts what it sends to the background with interrupts ignored, and a command that has run in this process leaves them ignored
when it is done; what ignores a signal hands that down to its children, and the tests that stop a run by a signal would wait for ever.
"""

import signal

import pytest


@pytest.fixture(autouse=True)
def _signals_as_from_a_terminal() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
