"""``tetherpy jobs enqueue``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from tetherpy.errors import clause
from tetherpy.jobs import JobNotFoundError, PayloadDecodeError, decode, open_engine

from ..output.formats import Form, form_of, print_row
from ..parameters.database_location import find_database
from ..parameters.job_options import read_job_options, with_job_options
from ..parameters.options import DatabaseOption, JsonOption
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


@with_job_options
async def enqueue_job(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key of the handler.")],
    payload: Annotated[
        Any, typer.Option(parser=read_payload, metavar="JSON|@FILE|-", help="The handler's input; - reads stdin.")
    ] = None,
    *,
    database: DatabaseOption = None,
    json: JsonOption = False,
    **options: Any,
) -> None:
    """Enqueue a job, and print its id.

    If tether.yaml names the definition of the key, its options apply, and the payload must fit.
    """
    try:
        job = new_job(key, payload, read_job_options(options))
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
