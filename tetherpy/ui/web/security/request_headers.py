"""What the headers of a request tell about its way: who repeats one, whether a proxy passed it on, and over TLS."""

from __future__ import annotations

from starlette.requests import HTTPConnection

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""What this machine calls itself."""

DECISIVE = ("host", "origin", "sec-fetch-site", "authorization", "content-type")
"""Headers that decide whether a request is served: with two of one, which of them counts would be chance."""

FORWARDED = ("forwarded", "via", "x-real-ip", "true-client-ip", "cf-connecting-ip")
FORWARDED_PREFIXES = ("x-forwarded-", "x-original-", "x-client-", "x-cluster-client-")


def repeated_header(connection: HTTPConnection) -> str | None:
    """Return the name of a decisive header that a request has more than once; None if there is none."""
    return next((name for name in DECISIVE if len(connection.headers.getlist(name)) > 1), None)


def is_forwarded(connection: HTTPConnection) -> bool:
    """Tell whether a proxy passed a request on: then its address is the proxy's, not that of the sender."""
    return any(name in FORWARDED or name.startswith(FORWARDED_PREFIXES) for name in connection.headers)


def is_encrypted(connection: HTTPConnection) -> bool:
    """Tell whether a browser sent a request over TLS, to this server or to a proxy before it.

    The sender can forge all of this; only its own cookies depend on it. Browsers send Sec-Fetch-Site to the names of
    this machine and over TLS only.
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
    """Return the value of a Host header without the port, in lower case."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isascii() and port.isdigit() else host.lower()
