"""``tetherpy jobs enqueue``."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tetherpy.errors import clause
from tetherpy.jobs import JobNotFoundError, NewJobOptions, PayloadDecodeError, decode, open_engine

from ..output.formats import Form, form_of, print_row
from ..parameters.database_location import find_database
from ..parameters.durations import read_duration, read_instant
from ..parameters.integers import integer_between
from ..parameters.options import DatabaseOption, JsonOption
from ..parameters.pairs import read_pairs
from .job_columns import ID, JOBS
from .job_definitions import new_job
from .worker_hint import hint_at_workers


def read_payload(text: str) -> Any:
    """Read JSON from the argument, from ``@file``, or from stdin for ``-``."""
    advice = ""
    if text == "-":
        source, data = "stdin", sys.stdin.buffer.read()
    elif text.startswith("@"):
        source, data = text[1:], Path(text[1:]).read_bytes()
    else:
        source, data = "the argument", os.fsencode(text)
        advice = """ Quote it for the shell, such as --payload '{"name": "world"}'."""
    if not data.strip():
        raise typer.BadParameter(f"{source} is empty. Omit --payload for a job without one.")
    try:
        return decode(data.decode("utf-8-sig"))
    except (PayloadDecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{source} is not valid JSON: {clause(error.reason)}.{advice}") from error


async def enqueue_job(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key of the handler.")],
    payload: Annotated[
        Any, typer.Option(parser=read_payload, metavar="JSON|@FILE|-", help="The handler's input; - reads stdin.")
    ] = None,
    priority: Annotated[
        int | None, typer.Option(parser=integer_between(), metavar="NUMBER", help="Higher runs first; 0 by default.")
    ] = None,
    max_attempts: Annotated[
        int | None,
        typer.Option(
            parser=integer_between(1), metavar="NUMBER", help="Attempts before the job is FAILED; 3 by default."
        ),
    ] = None,
    delay: Annotated[
        timedelta | None,
        typer.Option(parser=read_duration, metavar="DURATION", help="Delay before the first attempt, such as 15m."),
    ] = None,
    run_at: Annotated[
        datetime | None, typer.Option(parser=read_instant, metavar="INSTANT", help="Earliest start, in ISO 8601.")
    ] = None,
    queue: Annotated[str | None, typer.Option(help="The queue; 'default' if none is given.")] = None,
    timeout: Annotated[  # noqa: ASYNC109 - bounds the attempt, not this call
        timedelta | None, typer.Option(parser=read_duration, metavar="DURATION", help="The time limit of one attempt.")
    ] = None,
    unique_key: Annotated[
        str | None, typer.Option(help="Deduplicates: while a job with this key is PENDING or RUNNING, none is added.")
    ] = None,
    meta: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A pair to find the job by; may be repeated.")
    ] = None,
    database: DatabaseOption = None,
    json: JsonOption = False,
) -> None:
    """Enqueue a job, and print its id.

    If tether.yaml names the definition of the key, its options apply, and the payload must fit.
    """
    given: dict[str, Any] = {
        "priority": priority,
        "max_attempts": max_attempts,
        "delay": delay,
        "run_at": run_at,
        "queue": queue,
        "timeout": timeout,
        "unique_key": unique_key,
        "meta": read_pairs(meta or ()),
    }
    options = cast("NewJobOptions", {name: value for name, value in given.items() if value is not None})
    try:
        job = new_job(key, payload, options)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    async with open_engine(find_database(database)) as engine:
        (job_id,) = await engine.enqueue([job])
        stored = await engine.get(job_id)
        if stored is None:
            raise JobNotFoundError(job_id)
        form = form_of(json)
        print_row(form, JOBS if form is Form.TABLE else ID, stored)
        await hint_at_workers(engine)
