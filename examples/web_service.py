"""A handler of your own web service. Run: uvicorn examples.web_service:app (and see `matcher serve` for a whole service)."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from fastapi import FastAPI, HTTPException, Request

from matcher import InputError, InterruptedSolve, MatcherError, instance_from_rows, placements_frame, solve, summary

app = FastAPI(title="Who goes where")
one_at_a_time = asyncio.Semaphore(1)  # a search uses a core; more at once only wait for one another


@app.post("/match")
async def match(body: dict[str, list[dict[str, Any]]], request: Request) -> dict[str, Any]:
    """Rows of households and accommodations (and ties, travel …, by the names of the files) in; placements out."""
    stop = threading.Event()
    async with one_at_a_time:
        work = asyncio.create_task(asyncio.to_thread(run, body, stop))
        while not work.done():
            if await request.is_disconnected():
                stop.set()  # the search ends within a second, and its process with it
            await asyncio.wait([work], timeout=0.2)
    try:
        return await work
    except InputError as error:
        raise HTTPException(422, [str(fault) for fault in error.faults]) from None
    except InterruptedSolve:
        raise HTTPException(499, "nobody is waiting any more") from None
    except MatcherError as error:
        raise HTTPException(400, str(error)) from None


def run(body: dict[str, list[dict[str, Any]]], stop: threading.Event) -> dict[str, Any]:
    """In a thread of its own. Destinations of protected households are in no frame unless asked for, so they are not in the answer."""
    result = solve(instance_from_rows(body), time_limit_s=60, cancel=stop.is_set)
    placements = placements_frame(result)
    rows = placements.astype(object).where(placements.notna(), None).to_dict("records")
    return {"summary": summary(result), "placements": rows}
