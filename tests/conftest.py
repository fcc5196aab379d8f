"""What every test has in common: no case is judged by the clock, and signals are as a terminal gives them.

A shell starts what it sends to the background with interrupts ignored, and a command that has run in this process leaves them ignored
when it is done; what ignores a signal hands that down to its children, and the tests that stop a run by a signal would wait for ever.
"""

import signal

import pytest
from hypothesis import settings

# How long one case takes says something of what else the machine does, and nothing of the code.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def _signals_as_from_a_terminal() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
