"""A routing server for tests: OSRM's own over loopback, where it is installed, on the built-in roads; and one that plays back what that one
has answered (recorded/osrm.json), or misbehaves."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from matcher.places.roads import roads

RECORDED = Path(__file__).with_name("recorded") / "osrm.json"
Answer = tuple[int, bytes]


def engine() -> tuple[Path, Path] | None:
    """(folder of OSRM's programs, its car profile): MATCHER_OSRM, the package osrm-bindings, or on the path; None where there is none."""
    named = os.environ.get("MATCHER_OSRM")
    spec = find_spec("osrm")
    places = [Path(named)] if named else []
    places += [Path(folder) for folder in (spec.submodule_search_locations or ())] if spec else []
    for place in places:
        if (place / "bin" / "osrm-routed").is_file():
            return place / "bin", place / "share" / "profiles" / "car.lua"
    found = shutil.which("osrm-routed")
    profile = Path("/usr/share/osrm/profiles/car.lua")
    return (Path(found).parent, profile) if found and profile.is_file() else None


@contextmanager
def routed(folder: Path) -> Iterator[str]:
    """The address of osrm-routed on the built-in roads."""
    found = engine()
    assert found is not None
    programs, profile = found
    (folder / "roads.osm").write_text(osm(), encoding="utf-8")
    quiet = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for command in ([programs / "osrm-extract", "-p", profile, "roads.osm"], [programs / "osrm-contract", "roads.osrm"]):
        Path(command[0]).chmod(0o755)
        subprocess.run([str(part) for part in command], check=True, timeout=120, **quiet)
    (programs / "osrm-routed").chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(programs / "osrm-routed"), "--algorithm", "ch", "--ip", "127.0.0.1", "--port", str(port), "roads.osrm"]
    with subprocess.Popen(command, **quiet) as server:
        try:
            _wait(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _wait(port: int) -> None:
    for _ in range(300):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(port)


def osm() -> str:
    """The built-in roads as OpenStreetMap XML."""
    network = roads()
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="tests">']
    lines += [
        f'<node id="{i}" version="1" lat="{lat:.5f}" lon="{lon:.5f}"/>'
        for i, (lat, lon) in enumerate(zip(network.lat.tolist(), network.lon.tolist(), strict=True), 1)
    ]
    lines += [
        f'<way id="{k}" version="1"><nd ref="{a + 1}"/><nd ref="{b + 1}"/><tag k="highway" v="trunk"/></way>'
        for k, (a, b) in enumerate(zip(network.first.tolist(), network.second.tolist(), strict=True), 1)
    ]
    return "\n".join([*lines, "</osm>"])


class Playing:
    """A server on loopback that answers by a function of the path.

    asked: the paths, in order. more: bytes of each answer that are promised and never sent.
    """

    def __init__(self, answer: Callable[[str], Answer], more: int = 0) -> None:
        self.asked: list[str] = []
        self.more = more
        playing = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                playing.asked.append(self.path)
                status, body = answer(self.path)
                promised = len(body) + playing.more
                self.send_response(status)
                if status in (301, 302, 307):
                    self.send_header("Location", body.decode())
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(promised))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Be quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Playing:
        Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def from_record() -> Callable[[str], Answer]:
    """Answers put together from what the real engine said about each pair of points; an unknown point is an error of the test."""
    kept = json.loads(RECORDED.read_text(encoding="utf-8"))

    def answer(path: str) -> Answer:
        parts = urlsplit(path)
        points = parts.path.removeprefix("/table/v1/driving/").split(";")
        query = parse_qs(parts.query)
        sources, destinations = ([points[int(i)] for i in query[name][0].split(";")] for name in ("sources", "destinations"))
        pairs = [[kept["ways"][kept["points"].index(a)][kept["points"].index(b)] for b in destinations] for a in sources]
        found = {
            "code": "Ok",
            "distances": [[None if way is None else way[0] for way in row] for row in pairs],
            "durations": [[None if way is None else way[1] for way in row] for row in pairs],
            "sources": [{"location": kept["locations"][kept["points"].index(point)]} for point in sources],
            "destinations": [{"location": kept["locations"][kept["points"].index(point)]} for point in destinations],
        }
        return 200, json.dumps(found).encode()

    return answer
