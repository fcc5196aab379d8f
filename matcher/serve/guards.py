"""Who may come in, and with how much: a bearer token, compared in constant time, and a limit on the size of a body."""

from __future__ import annotations

import hmac
import json
from typing import Any

from matcher.serve.settings import Settings

OPEN = frozenset({"/health", "/docs", "/openapi.json"})
"""Paths that tell nothing of any run."""


class Guard:
    """ASGI middleware: 401 without the token, 413 for a body that is too large, however it is sent."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self.app = app
        self.token = settings.token.get_secret_value().encode()
        self.most = int(settings.most_mib * (1 << 20))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on, or answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not (scope["path"] in OPEN or scope["path"].startswith("/static/")) and not self._is_let_in(headers.get(b"authorization", b"")):
            await _answer(send, 401, "a token is needed: Authorization: Bearer …", [(b"www-authenticate", b"Bearer")])
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > self.most:
            await _answer(send, 413, f"a body may have {self.most} bytes at most")
            return
        body = await self._read(receive)
        if body is None:
            await _answer(send, 413, f"a body may have {self.most} bytes at most")
            return
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def again() -> Any:
            return next(messages, None) or await receive()

        await self.app(scope, again, send)

    def _is_let_in(self, header: bytes) -> bool:
        kind, _, token = header.partition(b" ")
        return kind.lower() == b"bearer" and hmac.compare_digest(token.strip(), self.token)

    async def _read(self, receive: Any) -> bytes | None:
        """The whole body; None where it is too large."""
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                break
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            more = message.get("more_body", False)
            if size > self.most:
                return None
        return b"".join(parts)


async def _answer(send: Any, status: int, detail: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    body = json.dumps({"detail": detail}).encode()
    sent = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})
