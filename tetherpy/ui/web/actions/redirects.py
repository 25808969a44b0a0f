"""The page to return to after a form post without scripts: a page of the dashboard, never another site."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import Request

MAX_QUERY = 2000
_PAGE = re.compile(r"(?:|jobs/[0-9]{1,19}|service|enqueue)")
_QUERY = re.compile(rf"[!-~]{{0,{MAX_QUERY}}}")


def page_address(address: str) -> str | None:
    """Return an address below the dashboard, such as ``jobs/7`` or ``?status=failed``, if there is such a page."""
    path, mark, query = address.partition("?")
    if not _PAGE.fullmatch(path):
        return None
    return f"{path}{mark}{query}" if query and _QUERY.fullmatch(query) else path


def came_from(request: Request, form: Mapping[str, str]) -> str | None:
    """Return the page of a form, as an address below the dashboard; None if the request does not name it.

    The browser sends it as Referer; the confirmation page sends it in the field ``back``.
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
