"""The wheel and the source archive: what is in them, that they install where nothing else is, and that the container's steps run."""

from __future__ import annotations

import email
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.runs import ROOT, generated, scratch

EXTRAS = {"xlsx", "parquet", "api", "osrm"}
PYTHONS = ("3.11", "3.12", "3.13")
MOST_BYTES = 5_000_000


def run(*words: object, cwd: Path | None = None, timeout: float = 500, **environment: str) -> str:
    """What a program prints; it must succeed."""
    known = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST", "VIRTUAL"))}
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, env={**known, **environment}, capture_output=True, text=True, timeout=timeout, check=False
    )
    assert done.returncode == 0, f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@cache
def source() -> Path:
    """The files that are part of the project, and no others."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a clone: what belongs to the project cannot be told")
    folder = scratch() / "source"
    for name in run("git", "ls-files", cwd=ROOT).splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@cache
def built() -> tuple[Path, Path]:
    """(source archive, wheel that was built from it)."""
    pytest.importorskip("build")
    out = scratch() / "dist"
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source())
    (archive,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return archive, wheel


def test_the_wheel_has_all_of_the_package_and_nothing_else() -> None:
    archive, wheel = built()
    assert wheel.stat().st_size < MOST_BYTES and archive.stat().st_size < MOST_BYTES
    with zipfile.ZipFile(wheel) as found:
        names = {name for name in found.namelist() if ".dist-info/" not in name}
        about = email.message_from_string(found.read(next(n for n in found.namelist() if n.endswith("/METADATA"))).decode())
        licences = {Path(name).name for name in found.namelist() if "/licenses/" in name}
        notice = found.read(next(n for n in found.namelist() if n.endswith("/NOTICE"))).decode()
    wanted = {path.relative_to(source()).as_posix() for path in (source() / "matcher").rglob("*") if path.is_file()}
    left_out = {name for name in wanted - names if not name.endswith((".pot", ".md"))}
    assert left_out == set() and names - wanted == set() and len(names) > 200
    assert {"matcher/py.typed", "matcher/places/data/roads.tsv.xz", "matcher/places/data/ukraine.tsv.xz"} <= names
    assert set(about.get_all("Provides-Extra") or []) >= EXTRAS and about["Requires-Python"] == ">=3.11"
    assert licences == {"LICENSE", "NOTICE"} and about["License-Expression"] == "Apache-2.0 AND CC-BY-4.0 AND ODbL-1.0"
    data = [name for name in names if re.search(r"/(data|shapes)/", name) and not name.endswith(".md")]
    assert len(data) >= 3 and all(name in notice for name in data), "NOTICE names the licence of everything built in"


def test_the_source_archive_builds_the_same_wheel() -> None:
    archive, wheel = built()
    with tarfile.open(archive) as found:
        inside = {name.partition("/")[2] for name in found.getnames()}
    with zipfile.ZipFile(wheel) as found:
        assert {name for name in found.namelist() if name.startswith("matcher/")} <= inside
    assert {"LICENSE", "NOTICE", "README.md", "pyproject.toml"} <= inside


def interpreter(version: str) -> str:
    """A Python of that version, or skip."""
    places = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"), *filter(None, [shutil.which(f"python{version}")])]
    for place in map(str, places):
        seen = subprocess.run([place, "-c", "import sys, venv; print(sys.version_info[:2])"], capture_output=True, text=True, check=False)
        if seen.returncode == 0:
            return place
    pytest.skip(f"there is no Python {version} here")


def empty(folder: Path, python: str) -> Path:
    """The programs of a new environment in which nothing is installed."""
    run(python, "-m", "venv", folder)
    return folder / "bin"


def works(programs: Path, work: Path) -> None:
    """The command solves by the built-in roads, and verifies, from a folder that has nothing to do with the source."""
    work.mkdir()
    shutil.copytree(generated(20, 1), work / "in")
    (work / "in" / "policy.toml").write_text('[travel]\nmodel = "road"\n', encoding="utf-8")
    run(programs / "matcher", "solve", "in", "--out", "out", "--date", "2026-11-22", "--quiet", cwd=work)
    assert "The plan is right" in run(programs / "matcher", "verify", "in", "out", cwd=work)


def install(programs: Path, *words: object) -> None:
    done = subprocess.run(
        [str(programs / "pip"), "install", "--quiet", "--disable-pip-version-check", *map(str, words)],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip("no package index can be reached, or it lacks something")
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.slow
@pytest.mark.parametrize("version", PYTHONS)
def test_it_installs_where_nothing_else_is(version: str, tmp_path: Path) -> None:
    programs = empty(tmp_path / "env", interpreter(version))
    install(programs, built()[1])
    works(programs, tmp_path / "work")
    missing = subprocess.run([programs / "matcher", "serve"], capture_output=True, text=True, timeout=60, check=False)
    assert missing.returncode == 2 and "[api]" in missing.stderr, "an extra that is not there is a sentence"
    install(programs, f"{built()[1]}[api,xlsx,parquet,osrm]")
    assert "schema" in run(
        programs / "python", "-c", "import matcher.serve.app, matcher.places.direct, pyarrow, xlsxwriter; print('schema')"
    )


@pytest.mark.slow
def test_pipx_installs_it(tmp_path: Path) -> None:
    programs = empty(tmp_path / "env", sys.executable)
    install(programs, "pipx")
    homes = {"PIPX_HOME": str(tmp_path / "home"), "PIPX_BIN_DIR": str(tmp_path / "bin"), "PIPX_MAN_DIR": str(tmp_path / "man")}
    run(programs / "pipx", "install", built()[1], timeout=900, **homes)
    works(tmp_path / "bin", tmp_path / "work")


@pytest.mark.slow
def test_the_steps_of_the_container_run_without_an_engine(tmp_path: Path) -> None:
    """The first stage, step by step, in folders of their own instead of / ; of the second, that its program is there."""
    text = (ROOT / "deploy" / "container" / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    stages = re.split(r"^FROM .*$", text, flags=re.MULTILINE)[1:]
    assert len(stages) == 2
    python = interpreter(re.findall(r"python:(3\.\d+)-", text)[0])
    here, root = tmp_path / "source", tmp_path / "root"
    here.mkdir()
    steps = 0
    for line in stages[0].splitlines():
        kind, _, rest = line.partition(" ")
        if kind == "COPY":
            _copy(rest.split(), here)
        elif kind == "RUN":
            command = rest.replace("/opt/", f"{root}/opt/").replace("python -m venv", f"{python} -m venv")
            run("sh", "-ec", command, cwd=here, timeout=900)
        else:
            assert kind in ("", "#", "WORKDIR", "ENV", "ARG"), kind
        steps += kind in ("COPY", "RUN")
    assert steps >= 4
    assert 'ENTRYPOINT ["matcher"]' in stages[1] and "COPY --from=build /opt/matcher /opt/matcher" in stages[1]
    works(root / "opt" / "matcher" / ".venv" / "bin", tmp_path / "work")


def _copy(words: Sequence[str], to: Path) -> None:
    what, where = words
    for path in [source() / what] if what != "." else source().iterdir():
        target = to / (where if what != "." else path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, target, dirs_exist_ok=True)
        else:
            shutil.copy(path, target)
