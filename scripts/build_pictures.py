"""Take the pictures of README and site anew: docs/images/terminal.svg, the commands as a terminal shows them, and page.png and map.png, the
page of the same run in a browser.

    make pictures          # the page needs a Chromium; without one only the terminal's picture is made

Nothing is drawn by hand: the commands run in a terminal of their own, and the browser opens the file that they have written.
"""

from __future__ import annotations

import errno
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
COMMANDS = (
    "matcher solve instances/chasiv-yar --out out --date 2026-11-22",
    "matcher verify instances/chasiv-yar out",
    "matcher explain instances/chasiv-yar out H017",
)
COLUMNS = 112  # characters across
SIZE = {"width": 1180, "height": 870}  # of the browser's window
_REDRAWN = re.compile(r"^.*(?:\x1b\[2K|\x1b\[1A)", re.DOTALL)  # what a progress line has wiped away
_CURSOR = re.compile(r"\x1b\[\?25[hl]")

# rich's own, without the fonts that it would fetch from elsewhere.
_SVG = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: "Fira Code", "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px;
 line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> int:
    """Write what can be made here; 1 where there is no browser for the page."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (IMAGES / "terminal.svg").write_text(drawn(typed(folder)), encoding="utf-8")
        browser = shutil.which("chromium") or shutil.which("chromium-browser")
        if browser is None:
            print("no chromium here: the pictures of the page stay as they are", file=sys.stderr)
            return 1
        photographed(folder / "out" / "report.html", browser)
    for path in sorted(IMAGES.iterdir()):
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} KiB")
    return 0


def typed(folder: Path) -> str:
    """The prompt, each command and what it says, with colours, as a terminal shows it. The results stay in folder / out."""
    (folder / "instances").symlink_to(ROOT / "instances", target_is_directory=True)
    shown = []
    for command in COMMANDS:
        words = [sys.executable, "-m", "matcher.cli.app", *shlex.split(command)[1:]]
        shown.append(f"\x1b[1;36m$\x1b[0m \x1b[1m{command}\x1b[0m\n{said(words, folder)}")
    return "\n".join(shown)


def said(words: Sequence[str], folder: Path) -> str:
    """What a program says to a terminal, as it stands there at the end. Raises CalledProcessError where it fails."""
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "PYTHONPATH": str(ROOT)}
    master, slave = pty.openpty()
    try:
        with subprocess.Popen(words, cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave) as program:
            os.close(slave)
            text = _all(master).decode("utf-8").replace("\r\n", "\n")
    finally:
        os.close(master)
    if program.returncode:
        raise subprocess.CalledProcessError(program.returncode, words, text)
    return "\n".join(line.rstrip() for line in _CURSOR.sub("", _REDRAWN.sub("", text)).splitlines()) + "\n"


def _all(master: int) -> bytes:
    """Everything until the other side is closed."""
    found = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError as error:  # Linux says so where others return nothing
            if error.errno != errno.EIO:
                raise
            return found
        if not part:
            return found
        found += part


def drawn(text: str) -> str:
    """A terminal's text as SVG."""
    from rich.console import Console
    from rich.text import Text

    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(file=nowhere, record=True, width=COLUMNS, force_terminal=True, color_system="truecolor", legacy_windows=False)
        console.print(Text.from_ansi(text))
        return console.export_svg(title="matcher", code_format=_SVG, unique_id="terminal")


def photographed(page: Path, browser: str) -> None:
    """What a browser shows of a page on first sight, and its map."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        program = play.chromium.launch(executable_path=browser, headless=True, args=["--no-sandbox", "--disable-gpu"])
        tab = program.new_page(viewport=SIZE, color_scheme="light", locale="en-GB")
        tab.goto(page.as_uri())
        tab.screenshot(path=IMAGES / "page.png")
        tab.locator("#map").screenshot(path=IMAGES / "map.png")
        program.close()


if __name__ == "__main__":
    raise SystemExit(main())
