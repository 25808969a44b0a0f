"""Checks of request headers: repeated headers, proxies, TLS."""

from __future__ import annotations

from starlette.requests import HTTPConnection

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""The names of the local machine."""

DECISIVE = ("host", "origin", "sec-fetch-site", "authorization", "content-type")
"""Headers that decide about access, which therefore must not be repeated."""

FORWARDED = ("forwarded", "via", "x-real-ip", "true-client-ip", "cf-connecting-ip")
FORWARDED_PREFIXES = ("x-forwarded-", "x-original-", "x-client-", "x-cluster-client-")


def repeated_header(connection: HTTPConnection) -> str | None:
    """Return the name of a decisive header that occurs more than once, or None."""
    return next((name for name in DECISIVE if len(connection.headers.getlist(name)) > 1), None)


def is_forwarded(connection: HTTPConnection) -> bool:
    """Whether a request came through a proxy, so that its address is the proxy's and not the sender's."""
    return any(name in FORWARDED or name.startswith(FORWARDED_PREFIXES) for name in connection.headers)


def is_encrypted(connection: HTTPConnection) -> bool:
    """Whether a browser sent a request over TLS, to this server or to a proxy in front of it.

    The sender can forge these headers; only the sender's own cookies depend on them. Browsers send Sec-Fetch-Site
    only over TLS and to local names.
    """
    headers = connection.headers
    said = (
        headers.get("x-forwarded-proto", ""),
        headers.get("x-forwarded-scheme", ""),
        headers.get("origin", "").partition("://")[0],
        headers.get("referer", "").partition("://")[0],
    )
    forwarded = headers.get("forwarded", "").lower().replace('"', "").replace(" ", "")
    return (
        connection.url.scheme == "https"
        or any(each.strip().lower() == "https" for text in said for each in text.split(","))
        or "proto=https" in forwarded
        or headers.get("x-forwarded-ssl", "").lower() == "on"
        or ("sec-fetch-site" in headers and host_name(headers.get("host", "")) not in LOCAL_HOSTS)
    )


def host_name(host: str) -> str:
    """Return the name in a Host header, without the port, in lower case."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host.lower()
