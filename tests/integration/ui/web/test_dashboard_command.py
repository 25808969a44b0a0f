"""``tetherpy dashboard`` as a process: what it prints, whom it answers, and how it ends."""

import asyncio
import signal
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
    """Send a request; give the head of the answer, and the rest to read."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    writer.write("\r\n".join([f"GET {target} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode())
    yield (await reader.readuntil(b"\r\n\r\n")).decode(), reader
    writer.close()
    with suppress(ConnectionError):
        await writer.wait_closed()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_ends_at_once_and_in_silence_although_pages_are_open(shop, number):
    await shop.serve()
    async with asked(shop, "localhost", target="/live/") as (head, stream):
        assert " 200 " in head
        await stream.readuntil(b"event: change")
        async with asyncio.timeout(BOUND):
            await shop.end_server(number)
    assert shop.log.read_text() == ""


async def test_for_other_machines_it_makes_a_token_and_asks_for_it(shop):
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


async def test_what_a_client_says_of_itself_changes_nothing(shop):
    await shop.serve()
    async with asked(shop, "localhost", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https") as (head, _):
        assert " 200 " in head


async def test_the_address_that_it_prints_logs_in_whatever_the_token_is_made_of(shop):
    await shop.serve("--token", "a token & some=more #1 of +100 %")
    async with asked(shop, "localhost", target=shop.url.partition(f":{shop.port}")[2]) as (head, _):
        assert " 303 " in head
