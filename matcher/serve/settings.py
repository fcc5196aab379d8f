"""What a service allows: who may ask, how much, how long, how many at once."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from matcher.policy import Section

LEAST_TOKEN = 16


class Settings(Section):
    """token: what callers must present. jobs: searches at once. queue: runs that may wait. keep, keep_minutes: ended runs that are kept,
    and how long. most_*: limits of one request. protected: whether destinations of protected households may be fetched at all."""

    token: SecretStr
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    jobs: Annotated[int, Field(ge=1, le=64)] = 1
    queue: Annotated[int, Field(ge=0, le=10_000)] = 100
    keep: Annotated[int, Field(ge=1, le=10_000)] = 50
    keep_minutes: Annotated[float, Field(gt=0)] = 60.0
    most_mib: Annotated[float, Field(gt=0, le=1024)] = 32.0
    most_households: Annotated[int, Field(ge=1)] = 20_000
    most_seconds: Annotated[float, Field(gt=0)] = 300.0
    most_effort: Annotated[float, Field(gt=0)] = 1.0
    most_memory_mib: Annotated[int, Field(ge=64)] = 4096
    protected: bool = False

    @model_validator(mode="after")
    def _safe(self) -> Settings:
        if len(self.token.get_secret_value()) < LEAST_TOKEN:
            raise ValueError(f"the token needs {LEAST_TOKEN} characters at least")
        return self

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this machine can reach the service."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
