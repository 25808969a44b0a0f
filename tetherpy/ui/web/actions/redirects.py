"""Where a form that was sent without a script leads back to: a page of the dashboard, never anywhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request

MAX_QUERY = 2000
_PAGE = re.compile(r"(?:|jobs/[0-9]{1,19}|service|enqueue)")
_QUERY = re.compile(rf"[!-~]{{0,{MAX_QUERY}}}")


def page_address(address: str) -> str | None:
    """Return an address below the dashboard, such as ``jobs/7`` or ``?status=failed``; None unless it is a page's."""
    path, mark, query = address.partition("?")
    if not _PAGE.fullmatch(path):
        return None
    return f"{path}{mark}{query}" if query and _QUERY.fullmatch(query) else path


def came_from(request: Request, form: Mapping[str, str]) -> str | None:
    """Return the page that a form was on, below the dashboard; None where nobody told.

    A browser tells in Referer; a page between the form and what it does, in the field ``back``.
    """
    if "back" in form:
        return page_address(form["back"])
    try:
        referer = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return None
    below = f"{request.scope.get('root_path', '')}/"
    if referer.netloc.lower() != request.headers["host"].lower() or not referer.path.startswith(below):
        return None
    return page_address(f"{referer.path.removeprefix(below)}?{referer.query}")
