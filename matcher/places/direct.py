"""A client of routingpy that speaks with one address and nobody else. The only module that knows routingpy; import it late."""

from __future__ import annotations

import json
import logging
import time
from typing import Any
from urllib.parse import urlsplit

import requests
from routingpy import OSRM  # type: ignore[import-untyped]
from routingpy.client_base import BaseClient  # type: ignore[import-untyped]
from urllib3.exceptions import HTTPError

from matcher.errors import UsageError

TRIES = 4
PAUSE_S = 0.5
TIMEOUT_S = 60
MOST_BYTES = 64 << 20
log = logging.getLogger(__name__)


def client(url: str) -> OSRM:
    """The OSRM client of an address. Its `matrix` raises UsageError where the server does not answer, or says no."""
    return OSRM(base_url=url, user_agent="shelter-matcher", timeout=TIMEOUT_S, client=Direct)


class Direct(BaseClient):  # type: ignore[misc]
    """No proxy of the environment, no redirect, no cookies; a server that is busy or away is asked TRIES times, with growing pauses."""

    def __init__(self, base_url: str, *arguments: Any, **named: Any) -> None:
        super().__init__(base_url, *arguments, **named)
        self.session = requests.Session()
        self.session.trust_env = False
        self.shown = urlsplit(base_url).netloc

    def _request(self, url: str, get_params: Any = None, post_params: Any = None, dry_run: Any = None) -> Any:  # noqa: ARG002
        """The answer as JSON."""
        address = self.base_url + self._generate_auth_url(url, get_params or {})
        wrong = ""
        for attempt in range(TRIES):
            if attempt:
                log.warning("%s: %s; asking again", self.shown, wrong)
                time.sleep(PAUSE_S * 2 ** (attempt - 1))
            try:
                with self.session.get(address, timeout=self.timeout, allow_redirects=False, stream=True) as response:
                    if response.status_code < 500 and response.status_code != 429:
                        return self._answer(response)
                    wrong = f"answered with status {response.status_code}"
            except (requests.ConnectionError, requests.Timeout) as error:
                wrong = f"cannot be reached ({type(error).__name__})"
            except HTTPError as error:  # what is read from the socket itself passes requests by
                wrong = f"broke off its answer ({type(error).__name__})"
        raise UsageError(f'the routing server {self.shown} {wrong}, {TRIES} times; see to it that it runs, or use model = "road"')

    def _answer(self, response: requests.Response) -> Any:
        body = response.raw.read(MOST_BYTES + 1, decode_content=True)
        if len(body) > MOST_BYTES:
            raise UsageError(f"the routing server {self.shown} sent more than {MOST_BYTES >> 20} MiB in one answer")
        try:
            data = json.loads(body)
        except ValueError:
            data = None
        if response.status_code == 200 and isinstance(data, dict):
            return data
        said = f"{data.get('code')}: {data.get('message')}" if isinstance(data, dict) else "no JSON"
        raise UsageError(f"the routing server {self.shown} answered with status {response.status_code} ({said[:200]})")

    def _generate_auth_url(self, path: str, params: Any) -> str:
        query = "&".join(f"{name}={value}" for name, value in params.items())
        return f"{path}?{query}" if query else path
