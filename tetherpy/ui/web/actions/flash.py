"""Flash messages: shown once on the next page, and stored in a cookie for at most a minute."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode

import attrs
import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tetherpy.safe_text import one_line, plain

from ..security.proxy_headers import is_encrypted
from .redirects import page_address

NOTE_SECONDS = 60
MESSAGE_BYTES = 800
DETAIL_BYTES = 600
MAX_COOKIE = 4000
"""Browsers drop cookies over 4096 bytes. Texts within the bounds above fit, even if JSON escapes double them."""


@attrs.frozen(kw_only=True)
class FlashMessage:
    """A message; ``link`` is the address of a related page, relative to the dashboard."""

    message: str
    failed: bool = False
    detail: str = ""
    link: str = ""


def store(request: Request, response: Response, note: FlashMessage) -> None:
    """Show a message on the next page of this browser."""
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


def discard(request: Request, response: Response) -> None:
    """Delete the message that a response shows from the browser."""
    if _name(request) in request.cookies:
        response.delete_cookie(_name(request), path=_path(request), httponly=True, samesite="strict")


def pending(request: Request) -> FlashMessage | None:
    """Return the message for this browser, if there is a valid one.

    Any site that can write cookies for this host can forge one: treat it as untrusted text. Its link can only lead
    to a page of the dashboard.
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
    """Return a cookie name for this host and port: browsers share cookies between the ports of a host."""
    return f"tetherpy-note-{hashlib.sha256(request.headers['host'].encode()).hexdigest()[:8]}"


def _path(request: Request) -> str:
    return f"{request.scope.get('root_path', '')}/"


def _cut(text: str, limit: int) -> str:
    encoded = text.encode()
    return text if len(encoded) <= limit else f"{encoded[: limit - 3].decode(errors='ignore')}…"
