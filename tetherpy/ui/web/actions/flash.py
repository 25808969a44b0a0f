"""The note that tells on the next page how it went, kept meanwhile in a cookie: once, and for a minute at most."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

import attrs
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ...safe_text import one_line, plain
from ..security.request_headers import is_encrypted
from .redirects import page_address

NOTE_SECONDS = 60
MESSAGE_BYTES = 800
DETAIL_BYTES = 600
MAX_COOKIE = 4000
"""Browsers drop a cookie of more than 4096 bytes; text that JSON doubles, in Base64, is within this."""


@attrs.frozen(kw_only=True)
class FlashMessage:
    """Say something in passing; ``link`` is a page to look at, as an address below the dashboard."""

    message: str
    failed: bool = False
    detail: str = ""
    link: str = ""


def leave(request: Request, response: Response, note: FlashMessage) -> None:
    """Have the next page that is shown to this browser say it."""
    fitting = attrs.evolve(
        note, message=_cut(one_line(note.message, 1000), MESSAGE_BYTES), detail=_cut(plain(note.detail), DETAIL_BYTES)
    )
    response.set_cookie(
        _name(request),
        urlsafe_b64encode(msgspec.json.encode(fitting)).decode().rstrip("="),
        max_age=NOTE_SECONDS,
        path=_path(request),
        secure=is_encrypted(request),
        httponly=True,
        samesite="strict",
    )


def pick_up(request: Request, response: Response) -> None:
    """Have the browser forget the note that a response says."""
    if _name(request) in request.cookies:
        response.delete_cookie(_name(request), path=_path(request), httponly=True, samesite="strict")


def left(request: Request) -> FlashMessage | None:
    """Return the note that was left for this browser, if it is one.

    Who can write cookies for this host can write one: it is text of theirs, and its link leads to a page of ours.
    """
    value = request.cookies.get(_name(request), "")
    if not value or len(value) > MAX_COOKIE:
        return None
    try:
        note = msgspec.json.decode(urlsafe_b64decode(value + "=" * (-len(value) % 4)), type=FlashMessage)
    except (ValueError, RecursionError):
        return None
    return attrs.evolve(note, link=page_address(note.link) or "")


def _name(request: Request) -> str:
    """Return a name of this dashboard's own: browsers share cookies between the ports of a host."""
    return f"tetherpy-note-{hashlib.sha256(request.headers['host'].encode()).hexdigest()[:8]}"


def _path(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}/"


def _cut(text: str, limit: int) -> str:
    encoded = text.encode()
    return text if len(encoded) <= limit else f"{encoded[: limit - 3].decode(errors='ignore')}…"
