"""One command in a process of its own: wall and CPU time, peak memory of the whole process tree, and an end to it in any case."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchmarks.cases import ROOT

EVERY_S = 0.1
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Measured:
    """cpu_s: user and system time of the process and all its children that it waited for. child_cpu_s: of its children alone, as
    last seen. peak_mib: the largest sum of resident memory over the tree (what is shared counts in each), looked at ten times a
    second, and not less than the highest that any of them stood by itself. stopped: "time" or "memory" if it had to be ended."""

    code: int
    out: str
    errors: str
    wall_s: float
    cpu_s: float
    child_cpu_s: float
    peak_mib: int
    stopped: str | None

    @property
    def complaint(self) -> str:
        """Why it went wrong, in one line; "" if it did not."""
        if self.stopped:
            return f"ended from outside: over its limit of {self.stopped}"
        last = next((line.strip() for line in reversed(self.errors.splitlines()) if line.strip()), "no message")
        return f"exit code {self.code}: {last}" if self.code else ""

    @property
    def figures(self) -> dict[str, float | int]:
        """What is written down of it."""
        return {"wall_s": round(self.wall_s, 2), "cpu_s": round(self.cpu_s, 2), "peak_mib": self.peak_mib}


def python(module: str, arguments: list[str]) -> list[str]:
    """The command that runs a module."""
    return [sys.executable, "-m", module, *arguments]


def measure(command: list[str], seconds: float, memory_mib: int, folder: Path = ROOT) -> Measured:
    """Run the command in `folder`, at most `seconds` long and `memory_mib` large."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in paths if path))
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        started = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=errors, cwd=folder, env=environment, start_new_session=True)
        tree, stopped = _Tree(process.pid), None
        try:
            while True:
                pid, status, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                tree.look()
                if stopped is None and (time.monotonic() - started > seconds or tree.now_mib > memory_mib):
                    stopped = "memory" if tree.now_mib > memory_mib else "time"
                    os.killpg(process.pid, signal.SIGKILL)
                time.sleep(EVERY_S)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        wall_s = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        said, complained = (_text(file) for file in (out, errors))
    cpu_s = usage.ru_utime + usage.ru_stime
    return Measured(process.returncode, said, complained, wall_s, cpu_s, sum(tree.child_cpu.values()), tree.peak_mib, stopped)


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def _highest_mib(process: int) -> int:
    """How high a process has stood since it began its program; what its parent held before (as `ru_maxrss` has it) does not count."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return next((int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM:")), 0)


class _Tree:
    """The process and everything below it, as /proc shows them."""

    def __init__(self, root: int) -> None:
        self.root = root
        self.now_mib = self.peak_mib = 0
        self.child_cpu: dict[int, float] = {}

    def look(self) -> None:
        parents: dict[int, int] = {}
        ticks: dict[int, int] = {}
        pages: dict[int, int] = {}
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            try:
                fields = Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError, PermissionError):  # it has just ended, or is not ours
                continue
            number = int(entry.name)
            parents[number], ticks[number], pages[number] = int(fields[1]), int(fields[11]) + int(fields[12]), int(fields[21])
        total = 0
        for number in parents:
            above = number
            while above not in (self.root, 0, 1):
                above = parents.get(above, 0)
            if above == self.root:
                total += pages[number]
                self.peak_mib = max(self.peak_mib, _highest_mib(number))
                if number != self.root:
                    self.child_cpu[number] = ticks[number] / TICKS
        self.now_mib = total * PAGE >> 20
        self.peak_mib = max(self.peak_mib, self.now_mib)
