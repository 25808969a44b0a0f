"""Checks of the Host and Origin headers, against DNS rebinding and cross-site requests."""

from __future__ import annotations

from starlette.requests import HTTPConnection

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""The names of the local machine."""


def host_of(connection: HTTPConnection) -> str:
    """Return the name in the Host header, without the port, in lower case."""
    host = connection.headers.get("host", "").lower()
    name, colon, port = host.rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host


def is_same_origin(connection: HTTPConnection, *, has_token: bool) -> bool:
    """Whether a page of the dashboard made a request, by its Origin and Sec-Fetch-Site headers.

    Each of the two that is present must match. A request with neither is not from a browser if it has the token in
    its Authorization header. Behind a proxy that terminates TLS, the scheme in Origin differs from the one seen here;
    browsers send Sec-Fetch-Site over HTTPS, and it decides then.
    """
    origin, site = connection.headers.get("origin"), connection.headers.get("sec-fetch-site")
    if origin is None and site is None:
        return has_token
    if site is not None and site != "same-origin":
        return False
    if origin is None:
        return True
    scheme, _, host = origin.lower().partition("://")
    if host != connection.headers["host"].lower() or scheme not in ("http", "https"):
        return False
    return site is not None or scheme == connection.url.scheme
