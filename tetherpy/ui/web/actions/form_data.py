"""Read form posts, bounded in size and time."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MAX_BODY_BYTES = 4 * 1024 * 1024
"""Enough for the largest payload in form encoding."""
MAX_FIELDS = 2000
BODY_SECONDS = 10.0


async def read_form(request: Request) -> ImmutableMultiDict[str, str]:
    """Return the fields of a form; raises an HTTP error if the body is too large, too slow or not a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send form fields: application/x-www-form-urlencoded.")
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read(request)
    except TimeoutError as error:
        raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive.") from error
    except ClientDisconnect as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The request ended early.") from error
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The body is not a form in UTF-8.") from error
    return ImmutableMultiDict(fields)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is larger than {MAX_BODY_BYTES:,} bytes."
            )
    return bytes(body)
