"""The HTTP face: runs as jobs, for other systems (docs/serve.md). Needs the extra [api]."""

from __future__ import annotations

from matcher.serve.settings import Settings

__all__ = ["Settings"]
