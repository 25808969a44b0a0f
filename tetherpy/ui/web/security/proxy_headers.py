"""Request headers that proxies add: whether a request was forwarded, and whether the browser used TLS."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from .host_and_origin import LOCAL_HOSTS, host_of

FORWARDED = ("forwarded", "via", "x-real-ip", "true-client-ip", "cf-connecting-ip")
FORWARDED_PREFIXES = ("x-forwarded-", "x-original-", "x-client-", "x-cluster-client-")


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
        or ("sec-fetch-site" in headers and host_of(connection) not in LOCAL_HOSTS)
    )
