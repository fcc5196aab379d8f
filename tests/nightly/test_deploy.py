"""What stands in deploy/ and docs/operations.md fits the program: commands, options, keys, figures, files."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main

from matcher.cli.app import app
from matcher.nightly.config import NightlyConfig, read_config
from matcher.nightly.metrics import Figures, metrics_text
from tests.runs import ROOT

DEPLOY = ROOT / "deploy"
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())


def command_lines() -> list[tuple[str, list[str]]]:
    """(file, words) of every matcher command in deploy/ and in the page's shell blocks."""
    texts = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in FILES}
    texts["docs/operations.md"] = "\n".join(re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    found = []
    for name, text in texts.items():
        for line in text.replace("{MATCHER}", "/bin/matcher").replace("{CONFIG}", "c").splitlines():
            for words in re.findall(r"(?:^|\s|\"|/bin/)matcher ((?:nightly|deliver|history|doctor|runs|decide) [^\"#>]*)", line):
                found.append((name, shlex.split(words.replace("{", "").replace("}", ""))))
    return found


def test_every_command_and_option_is_there() -> None:
    root: Any = typer.main.get_command(app)
    lines = command_lines()
    for name, words in lines:
        here = root
        while hasattr(here, "commands"):
            assert words[0] in here.commands, f"{name}: there is no command {words[0]}"
            here, words = here.commands[words[0]], words[1:]
        known = {option for parameter in here.params for option in (*parameter.opts, *parameter.secondary_opts)}
        used = {word for word in words if re.match(r"--?[a-z]", word)}
        assert used <= known, f"{name}: {used - known}"
    assert {name for name, _ in lines} >= {
        "deploy/systemd/matcher-nightly.service",
        "deploy/cron/matcher",
        "deploy/airflow/matcher_nightly.py",
    }


def test_the_configuration_for_deployment_is_one() -> None:
    config = read_config(DEPLOY / "nightly.toml")
    assert config.log.file == "-" and config.outbox_path == Path("/var/lib/matcher/outbox")


def test_the_page_shows_every_key_with_its_default() -> None:
    (block,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    shown = tomllib.loads(block)
    default = NightlyConfig(inbox="inbox", outbox="outbox").model_dump(mode="json", exclude={"base"})
    optional = set(re.findall(r"^# (\w+) = ", block, re.MULTILINE))

    def hold(shown: dict[str, Any], default: dict[str, Any]) -> None:
        assert shown.keys() <= default.keys()
        for key, value in default.items():
            if isinstance(value, dict):
                hold(shown.get(key, {}), value)
            elif value is None:
                assert key in optional, key
            else:
                assert shown[key] == value, key

    hold(shown, default)


def test_alerts_are_about_figures_that_are_written() -> None:
    import datetime as dt

    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    text = metrics_text(Figures(0, now, 1.0, now, now.date(), 1.0, 0.1, True, {"placed": 1}, {"placed": 1}))
    written = set(re.findall(r"^# HELP (\w+)", text, re.MULTILINE))
    rules = (DEPLOY / "prometheus" / "matcher.rules.yml").read_text(encoding="utf-8")
    used = set(re.findall(r"matcher_\w+", rules))
    assert len(used) >= 4 and used <= written
    named = set(re.findall(r"`(matcher_\w+)[`{]", PAGE))
    assert len(named) >= 5 and named <= written


def test_the_units_are_sound(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text(encoding="utf-8").replace("/opt/matcher/.venv/bin/matcher", "/bin/true")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", *sorted(map(str, tmp_path.iterdir()))], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0 and "matcher" not in done.stderr, done.stderr


def test_the_service_knows_the_exit_codes() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "systemd" / "matcher-nightly.service")
    assert unit["Service"]["SuccessExitStatus"] == "75" and unit["Service"]["RestartPreventExitStatus"] == "2 4"
    timer = (DEPLOY / "systemd" / "matcher-nightly.timer").read_text(encoding="utf-8")
    assert "OnCalendar=*-*-* 01:30:00 UTC" in timer and "Persistent=yes" in timer.replace("true", "yes")


def test_cron_does_not_start_in_the_hour_that_may_be_missing_or_twice() -> None:
    (line,) = [line for line in (DEPLOY / "cron" / "matcher").read_text(encoding="utf-8").splitlines() if "nightly.toml" in line]
    minute, hour, *days, user = line.split()[:6]
    assert (days, user) == (["*", "*", "*"], "matcher") and minute.isdigit() and int(hour) not in (2, 3)


def test_the_container_copies_what_is_there() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    copied = [line.split()[1] for line in text.splitlines() if line.startswith("COPY ") and not line.startswith("COPY --from")]
    assert len(copied) >= 2 and all((ROOT / name).exists() for name in copied)
    assert "USER matcher" in text


def test_the_airflow_example_compiles() -> None:
    source = (DEPLOY / "airflow" / "matcher_nightly.py").read_text(encoding="utf-8")
    compile(source, "matcher_nightly.py", "exec")
    assert "skip_on_exit_code=75" in source and "max_active_runs=1" in source


def test_every_event_of_the_log_is_in_the_page() -> None:
    events = set()
    for path in (ROOT / "matcher" / "nightly").glob("*.py"):
        events |= set(re.findall(r"\.event\(\s*\"([a-z.]+)\"", path.read_text(encoding="utf-8")))
    assert len(events) > 10
    assert [event for event in sorted(events) if f"`{event}`" not in PAGE] == []
