"""``tetherpy dashboard`` as a process: its output, access and exit."""

import asyncio
import signal
import stat
from contextlib import asynccontextmanager, suppress

import pytest

from tests.browser.shop import open_shop

BOUND = 25.0


@pytest.fixture
async def shop(tmp_path):
    async with open_shop(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def asked(shop, host, *lines, target="/"):
    """Send a request; return the head of the response, and the stream with the rest."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    writer.write("\r\n".join([f"GET {target} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode())
    yield (await reader.readuntil(b"\r\n\r\n")).decode(), reader
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_command_exits_at_once_without_errors_although_pages_are_open(shop, number):
    await shop.serve()
    async with asked(shop, "localhost", target="/live/") as (head, stream):
        assert " 200 " in head
        await stream.readuntil(b"event: change")
        async with asyncio.timeout(BOUND):
            await shop.end_server(number)
    assert shop.log.read_text() == ""


async def test_the_command_creates_and_requires_a_token_for_other_machines(shop):
    await shop.serve("--host", "0.0.0.0", "--name", "jobs.example.com")
    secret = shop.url.partition("?token=")[2]
    assert len(secret) >= 32
    for host in ("localhost", "jobs.example.com"):
        async with asked(shop, host) as (head, _):
            assert " 401 " in head
        async with asked(shop, host, f"Authorization: Bearer {secret}") as (head, _):
            assert " 200 " in head
    async with asked(shop, "evil.example", target=f"/?token={secret}") as (head, _):
        assert " 421 " in head
    await shop.end_server()
    assert secret not in shop.log.read_text()


async def test_the_command_creates_a_token_for_this_machine_too(shop):
    await shop.serve("--host", "127.0.0.1")
    secret = shop.url.partition("?token=")[2]
    assert len(secret) >= 32
    async with asked(shop, "localhost") as (head, _):
        assert " 401 " in head
    async with asked(shop, "localhost", f"Authorization: Bearer {secret}") as (head, _):
        assert " 200 " in head
    await shop.end_server()
    # Without a token, the command prints a warning.
    await shop.serve("--no-token")
    assert "token" not in shop.url
    async with asked(shop, "localhost") as (head, _):
        assert " 200 " in head
    async with asked(shop, "localhost", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https") as (head, _):
        assert " 403 " in head


async def test_a_socket_is_accessible_to_this_user_only_and_deleted_at_exit(shop):
    path = shop.folder / "page.sock"
    for number, remains in ((signal.SIGKILL, True), (signal.SIGTERM, False)):
        with suppress(ValueError):  # the printed line contains no port
            await shop.serve("--socket", str(path))
        assert shop.url == f"unix:{path}"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await shop.end_server(number)
        assert path.exists() is remains


async def test_the_printed_address_logs_in_with_any_characters_in_the_token(shop):
    await shop.serve("--token", "a token & some=more #1 of +100 %")
    async with asked(shop, "localhost", target=shop.url.partition(f":{shop.port}")[2]) as (head, _):
        assert " 303 " in head
