"""What every test process has in common: signals as a terminal gives them.

A shell starts what it sends to the background with interrupts ignored, and what ignores a signal hands that down to its children; the
tests that stop a run by a signal would wait for ever there.
"""

import signal

signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
