"""Access without a token, limits for guessing tokens, and the end of sessions."""

import asyncio
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest

from tetherpy.jobs import BackgroundJobStatus
from tetherpy.ui.web.security.login_attempts import AT_ONCE
from tetherpy.ui.web.security.sessions import IDLE, LONGEST
from tetherpy.ui.web.server import MAX_HEAD_BYTES

from .conftest import BOUND, request

TOKEN = "a-token-that-is-long-enough"
FORWARDED = [
    {"Forwarded": "for=203.0.113.9"},
    {"X-Forwarded-For": "203.0.113.9"},
    {"X-Forwarded-Host": "jobs.example.com"},
    {"X-Forwarded-Proto": "https"},
    {"X-Real-IP": "203.0.113.9"},
    {"Via": "1.1 nginx"},
    {"X-Forwarded-For": ""},
]


class WallClock:
    def __init__(self):
        self.now = datetime.now(UTC)

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return WallClock()


async def logged_in(served):
    """Return the Cookie header of a new session."""
    return {"Cookie": (await served.get(f"/?token={TOKEN}")).header("set-cookie").partition(";")[0]}


async def is_in(served, cookie):
    return (await served.get("/service", **cookie)).status == 200


# --- proxies ------------------------------------------------------------------------------------


async def test_a_request_through_a_proxy_needs_a_token_or_a_login(serving):
    served = await serving()
    job_id = await served.manager.enqueue("k", delay=900)
    for headers in FORWARDED:
        for target in ("/", "/live/", "/jobs/1"):
            answer = await served.get(target, **headers)
            assert (answer.status, "proxy" in answer.body) == (403, True)
        assert (await served.post("/actions", f"action=delete:{job_id}", **headers)).status == 403
    assert (await served.manager.get_job_by_id(job_id)).status is BackgroundJobStatus.PENDING
    assert (await served.get("/")).status == 200
    for options in ({"token": TOKEN}, {"authorize": lambda connection: "x-user" in connection.headers}):
        guarded = await serving(**options)
        for headers in FORWARDED:
            assert (await guarded.get("/", **headers)).status in (401, 403)
            shown = {"Authorization": f"Bearer {TOKEN}", "X-User": "ada"}
            assert (await guarded.get("/", **headers, **shown)).status == 200


@pytest.mark.parametrize("name", ["Origin", "Sec-Fetch-Site", "Authorization", "Content-Type"])
async def test_a_header_that_affects_access_must_be_unique(serving, name):
    served = await serving()
    job_id = await served.manager.enqueue("k", delay=900)
    body = f"action=cancel:{job_id}"
    known = {
        "Host": f"127.0.0.1:{served.port}",
        "Origin": served.origin,
        "Sec-Fetch-Site": "same-origin",
        "Authorization": "Bearer x",
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": str(len(body)),
    }
    for second in (known[name], "cross-site", "https://evil.example"):
        raw = request("POST", "/actions", {**known, name: f"{known[name]}\r\n{name}: {second}"}, body)
        assert (await served.send(raw)).status == 400
    assert (await served.manager.get_counts()).pending == 1
    assert (await served.send(request("POST", "/actions", known, body))).status == 303


# --- guesses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["form", "header", "address", "address of the login"])
async def test_the_number_of_attempts_with_wrong_tokens_is_limited(serving, place):
    served = await serving(token=TOKEN)
    session = await logged_in(served)

    async def attempt(token):
        match place:
            case "form":
                return await served.post("/login", f"token={token}")
            case "header":
                return await served.get("/", Authorization=f"Bearer {token}")
            case "address":
                return await served.get(f"/?token={token}")
            case _:
                return await served.get(f"/login?token={token}")

    answers = [(await attempt(f"wrong{n}")).status for n in range(AT_ONCE + 5)]
    assert set(answers[:AT_ONCE]) <= {401, 200}
    assert set(answers[AT_ONCE:]) == {429}
    refused = await attempt(TOKEN)
    assert refused.status == 429
    assert 0 < int(refused.header("retry-after")) <= 60
    assert await is_in(served, session)
    assert (await served.get("/login")).status == 200


async def test_a_foreign_token_does_not_block_the_login_of_the_app(serving):
    served = await serving(token=TOKEN, authorize=lambda connection: connection.headers.get("x-user") == "ada")
    for _ in range(AT_ONCE + 5):
        assert (await served.get("/", Authorization="Bearer of-the-app", **{"X-User": "ada"})).status == 200
    assert (await served.get("/", Authorization=f"Bearer {TOKEN}")).status == 200


async def test_concurrent_attempts_are_counted_before_the_login_of_the_app_runs(serving):
    asked, go_on = asyncio.Semaphore(0), asyncio.Event()

    async def authorize(connection):
        asked.release()
        await go_on.wait()
        return False

    served = await serving(token=TOKEN, authorize=authorize)
    attempts = [asyncio.ensure_future(served.get("/", Authorization=f"Bearer wrong{n}")) for n in range(AT_ONCE)]
    for _ in attempts:
        await asyncio.wait_for(asked.acquire(), BOUND)
    refused = await served.get("/login?token=wrong")
    go_on.set()
    assert refused.status == 429
    assert {answer.status for answer in await asyncio.gather(*attempts)} == {401}
    assert (await served.get("/", Authorization=f"Bearer {TOKEN}")).status == 429


async def test_pages_of_other_sites_cannot_exhaust_the_attempts_of_a_browser(serving):
    served = await serving(token=TOKEN)
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    for path in ("/", "/login", "/static/missing"):
        for n in range(AT_ONCE):
            await served.get(f"{path}?token=wrong{n}", **image)
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert (await served.get(f"/?token={TOKEN}", **link)).header("set-cookie")


# --- sessions -----------------------------------------------------------------------------------


async def test_a_session_ends_when_it_is_idle_and_after_a_maximum_time(serving, clock):
    served = await serving(token=TOKEN, clock=clock)
    cookie, begun = await logged_in(served), clock.now
    clock.now += IDLE - timedelta(minutes=1)
    answer = await served.get("/service", **cookie)
    renewed = {"Cookie": answer.header("set-cookie").partition(";")[0]}
    assert "httponly" in answer.header("set-cookie").lower()
    clock.now += timedelta(minutes=2)
    assert not await is_in(served, cookie)
    assert await is_in(served, renewed)
    while (answer := await served.get("/service", **renewed)).status == 200:
        if (newer := answer.header("set-cookie")) is not None:
            renewed = {"Cookie": newer.partition(";")[0]}
        clock.now += IDLE / 2
    assert answer.status == 401
    assert LONGEST <= clock.now - begun < LONGEST + IDLE


async def test_logging_out_ends_the_session_for_every_copy_of_its_cookie(serving):
    served = await serving(token=TOKEN)
    cookie, other = await logged_in(served), await logged_in(served)
    assert cookie != other
    assert "Log out" in (await served.get("/", **cookie)).body
    assert (await served.post("/logout", Origin="https://evil.example", **cookie)).status == 403
    assert await is_in(served, cookie)
    answer = await served.post("/logout", **cookie)
    assert (answer.status, answer.header("location")) == (303, "/login")
    assert not await is_in(served, cookie)
    assert await is_in(served, other)


async def test_a_session_is_signed(serving):
    served = await serving(token=TOKEN)
    name, _, value = (await logged_in(served))["Cookie"].partition("=")
    session, begun, seen, signature = value.split(".")
    for forged in (
        f"{session}.{begun}.{int(seen) + 1}.{signature}",
        f"{session}x.{begun}.{seen}.{signature}",
        f"{session}.{begun}.{'9' * 5000}.{signature}",
        "...",
        signature,
        "",
    ):
        assert (await served.get("/", Cookie=f"{name}={forged}")).status == 401


async def test_a_stream_ends_with_its_session(serving, monkeypatch):
    monkeypatch.setattr("tetherpy.ui.web.event_stream.SILENCE_SECONDS", 0.05)
    served = await serving(token=TOKEN)
    cookie = await logged_in(served)
    reader, writer = await served.connect()
    writer.write(request("GET", "/live/service", {"Host": f"127.0.0.1:{served.port}", **cookie}))
    async with asyncio.timeout(BOUND):
        await reader.readuntil(b"event: change")
        await served.post("/logout", **cookie)
        rest = await reader.readuntil(b"0\r\n\r\n")
    assert b"0\r\n\r\n" in rest
    writer.close()


@pytest.mark.parametrize(
    ("headers", "secure"),
    [
        ({}, False),
        ({"Sec_Fetch_Site": "same-origin"}, False),
        ({"X_Forwarded_Proto": "https"}, True),
        ({"X_Forwarded_Proto": "https, http"}, True),
        ({"Forwarded": 'for=192.0.2.7; proto="https"'}, True),
        ({"Origin": "https://{host}", "Sec_Fetch_Site": "same-origin"}, True),
    ],
)
async def test_the_cookie_is_secure_if_the_browser_uses_tls(serving, headers, secure):
    served = await serving(token=TOKEN)
    headers = {name: value.format(host=f"127.0.0.1:{served.port}") for name, value in headers.items()}
    cookie = (await served.post("/login", f"token={TOKEN}", **headers)).header("set-cookie")
    assert ("; secure" in cookie.lower()) is secure


async def test_a_login_link_opened_over_tls_sets_a_secure_cookie(serving):
    served = await serving(token=TOKEN, hosts=["jobs.example.com"])
    headers = {"Host": "jobs.example.com", "Sec-Fetch-Site": "none"}
    cookie = (await served.send(request("GET", f"/?token={TOKEN}", headers))).header("set-cookie")
    assert "; secure" in cookie.lower()


# --- sizes and numbers --------------------------------------------------------------------------


@pytest.mark.parametrize("spot", ["header", "address"])
async def test_the_head_of_a_request_has_one_size_limit_however_it_arrives(serving, spot):
    served = await serving()

    def head(size):
        fill = "y" * (size - 100)
        if spot == "header":
            return request("GET", "/service", {"Host": f"127.0.0.1:{served.port}", "X": fill})
        return request("GET", f"/service?{fill}", {"Host": f"127.0.0.1:{served.port}"})

    for size in (MAX_HEAD_BYTES + 200, 50_000, 60_000, 70_000):
        answer = await served.send(head(size))
        assert answer is None or answer.status in (400, 431)
    assert (await served.send(head(MAX_HEAD_BYTES - 200))).status == 200


@pytest.mark.parametrize("number", ["9" * 4301, "9" * 20, str(2**63), "\u0663", "\u00b2", "1_0", "+1", "%31%00"])
async def test_an_invalid_job_id_is_not_found(serving, number):
    served = await serving()
    await served.manager.enqueue("k", delay=900)
    text = quote(number, safe="%")
    for target in (f"/jobs/{text}", f"/live/jobs/{text}", f"/live/jobs/{text}?once"):
        assert (await served.get(target)).status == 404
    for target in (f"/?page={text}", f"/?text=%23{text}", f"/enqueue?key={text}"):
        assert (await served.get(target)).status == 200
    for body in (f"action=delete:{text}", f"action=delete&id={text}", f"action=delete&scope=all&cursor={text}"):
        answer = await served.post("/actions", body)
        assert answer.status in (200, 303, 400)
    for name in ("priority", "max_attempts", "delay", "timeout"):
        answer = await served.post("/enqueue", f"job_key=k&{name}={text}e", Accept="application/json")
        assert (answer.status, '"failed":true' in answer.body, f'"field":"{name}"' in answer.body) == (200, True, True)
    for name in ("delay", "timeout"):
        for value in ("nan", "inf", "-5", "1e300"):
            answer = await served.post("/enqueue", f"job_key=k&{name}={value}", Accept="application/json")
            assert ('"failed":true' in answer.body, f'"field":"{name}"' in answer.body) == (True, True)
    assert (await served.manager.get_counts()).pending == 1
