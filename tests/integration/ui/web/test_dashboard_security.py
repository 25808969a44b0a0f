"""Attacks over real sockets: each is refused and changes nothing."""

import asyncio
import re
import socket
from urllib.parse import quote

import pytest

from tetherpy.jobs import BackgroundJobStatus
from tetherpy.ui.web import ClientTimeouts, DashboardExposedError, WeakTokenError, dashboard

from .conftest import BOUND, request

TOKEN = "a-token-that-is-long-enough"
CANCELLED, PENDING = BackgroundJobStatus.CANCELLED, BackgroundJobStatus.PENDING


# --- other sites --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://127.0.0.1.evil.example"},
        {"Origin": "http://["},
        {"Origin": None},
        {"Origin": None, "Sec_Fetch_Site": "cross-site"},
        {"Origin": None, "Sec_Fetch_Site": "same-site"},
        {"Origin": None, "Sec_Fetch_Site": "none"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "https://{host}"},
        {"Origin": "ftp://{host}", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "same-origin"},
    ],
)
async def test_a_cross_site_post_is_refused(serving, headers):
    served = await serving()
    job_id = await served.manager.enqueue("k", delay=900)
    if origin := headers.get("Origin"):
        headers = {**headers, "Origin": origin.format(host=f"127.0.0.1:{served.port}")}
    for target in ("/actions", "/enqueue", "/service/stop", "/service/start", "/login"):
        answer = await served.post(target, f"action=cancel:{job_id}&job_key=x", **headers)
        assert answer.status == 403
    assert [job.status for job in await served.manager.get_all_jobs()] == [PENDING]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec_Fetch_Site": "same-origin"},
        {"Origin": None, "Sec_Fetch_Site": "same-origin"},
        # As forwarded by a proxy that terminates TLS.
        {"Origin": "https://127.0.0.1:{port}", "Sec_Fetch_Site": "same-origin"},
    ],
)
async def test_a_post_of_the_dashboard_is_accepted(serving, headers):
    served = await serving()
    job_id = await served.manager.enqueue("k", delay=900)
    if origin := headers.get("Origin"):
        headers = {**headers, "Origin": origin.format(port=served.port)}
    assert (await served.post("/actions", f"action=cancel:{job_id}", **headers)).status == 303
    assert (await served.manager.get_job_by_id(job_id)).status is CANCELLED


@pytest.mark.parametrize("target", ["/actions", "/service/stop", "/service/start"])
async def test_get_requests_change_nothing(serving, target):
    served = await serving()
    assert (await served.get(f"{target}?action=delete:1")).status == 405


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "127.0.0.1@evil.example",
    ],
)
async def test_a_foreign_host_name_is_refused(serving, host):
    served = await serving()
    for target in ("/", "/live/", "/static/base.css", "/login"):
        answer = await served.send(request("GET", target, {"Host": host}))
        assert answer.status in (400, 421)
        assert "job" not in answer.body


async def test_two_host_headers_are_refused(serving):
    served = await serving()
    raw = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nHost: evil.example\r\n\r\n".encode()
    assert (await served.send(raw)).status in (400, 421)


async def test_responses_have_security_headers(serving):
    served = await serving()
    for target in ("/", "/static/main.js", "/jobs/7", "/nothing", "/login"):
        answer = await served.get(target)
        policy = answer.header("content-security-policy")
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.header("x-content-type-options") == "nosniff"
        assert answer.header("x-frame-options") == "DENY"
    for target in ("/", "/jobs/7", "/service", "/enqueue", "/login"):
        page = (await served.get(target)).body
        assert not re.search(
            r"\son\w+=|<style|\sstyle=|javascript:|<script>|//[a-z]", page.replace("http://www.w3.org", "")
        )


# --- strangers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("hosts", [("jobs.example.com",), ("localhost", "10.0.0.7")])
def test_a_dashboard_for_other_machines_requires_a_login(hosts):
    with pytest.raises(DashboardExposedError, match="token"):
        dashboard(None, manager=None, hosts=hosts)


def test_a_weak_token_is_refused():
    with pytest.raises(WeakTokenError):
        dashboard(None, manager=None, token="secret")


async def test_without_the_token_only_the_login_page_is_served(serving):
    served = await serving(token=TOKEN)
    await served.manager.enqueue("secret-job")
    for target in ("/", "/jobs/1", "/service", "/enqueue", "/live/", "/live/jobs/1", "/live/?once", "/?token=wrong"):
        for headers in ({}, {"Cookie": "tetherpy=x"}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
            answer = await served.get(target, **headers)
            assert (answer.status, "secret" in answer.body) == (401, False)
    assert (await served.get("/", Accept="text/html")).header("location") == "/login"
    assert (await served.post("/actions", "action=delete:1")).status == 401
    assert (await served.manager.get_counts()).pending == 1


async def test_the_token_logs_in_by_link_form_and_header(serving):
    served = await serving(token=TOKEN)
    for answer in (await served.get(f"/?token={TOKEN}"), await served.post("/login", f"token={TOKEN}")):
        assert (answer.status, answer.header("location")) == (303, "/")
        cookie = answer.header("set-cookie")
        assert "httponly" in cookie.lower()
        assert "samesite=lax" in cookie.lower()
        assert (await served.get("/", Cookie=cookie.partition(";")[0])).status == 200
    assert (await served.get("/", Authorization=f"Bearer {TOKEN}")).status == 200
    bare = await served.post("/actions", "action=cancel:99", Origin=None, Authorization=f"Bearer {TOKEN}")
    assert bare.status == 303
    wrong = await served.post("/login", "token=wrong")
    assert (wrong.status, wrong.header("set-cookie")) == (401, None)


async def test_the_token_is_removed_from_the_url_even_with_an_existing_session(serving):
    served = await serving(token=TOKEN)
    cookie = (await served.get(f"/?token={TOKEN}")).header("set-cookie").partition(";")[0]
    again = await served.get(f"/jobs/1?token={TOKEN}", Cookie=cookie)
    assert (again.status, again.header("location")) == (303, "/")


async def test_a_token_may_have_any_characters(serving):
    token = 'Schlüssel; 密码=密码, "x"&y'
    served = await serving(token=token)
    for answer in (
        await served.get(f"/?token={quote(token, safe='')}"),
        await served.post("/login", f"token={quote(token, safe='')}"),
    ):
        assert (await served.get("/", Cookie=answer.header("set-cookie").partition(";")[0])).status == 200


async def test_the_login_of_the_app_decides_if_there_is_one(serving):
    async def is_admin(connection):
        return connection.headers.get("x-user") == "admin"

    served = await serving(hosts=("127.0.0.1", "jobs.example.com"), authorize=is_admin)
    assert (await served.get("/")).status == 403
    assert (await served.get("/", **{"X-User": "admin"})).status == 200


async def test_with_a_token_and_a_login_of_the_app_either_is_enough(serving):
    served = await serving(token=TOKEN, authorize=lambda connection: connection.headers.get("x-user") == "admin")
    job_id = await served.manager.enqueue("k", delay=900)
    cookie = (await served.get(f"/?token={TOKEN}")).header("set-cookie").partition(";")[0]
    for admitted in ({"X-User": "admin"}, {"Authorization": f"Bearer {TOKEN}"}, {"Cookie": cookie}):
        assert (await served.get("/", **admitted)).status == 200
    for refused in ({}, {"X-User": "eve"}, {"Authorization": "Bearer wrong"}, {"Cookie": cookie[:-1]}):
        assert (await served.get("/", **refused)).status == 401
        assert (await served.get("/", Accept="text/html", **refused)).header("location") == "/login"
        assert (await served.post("/actions", f"action=cancel:{job_id}", **refused)).status == 401
    assert (await served.manager.get_job_by_id(job_id)).status is PENDING


async def test_by_default_only_this_machine_may_connect(serving):
    def from_elsewhere(app):
        async def moved(scope, receive, send):
            await app({**scope, "client": ("192.0.2.7", 4711)}, receive, send)

        return moved

    served = await serving(wrap=from_elsewhere)
    assert (await served.get("/")).status == 403
    assert (await served.get("/live/")).status == 403


# --- paths, headers, logs -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e%2fapp.py",
        "/static/....//app.py",
        "/static/..\\app.py",
        "/static/%5c..%5capp.py",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/%00/etc/passwd",
        "/static/base.css%00.py",
        "/static/",
        "/static",
    ],
)
async def test_only_static_files_are_served(serving, path):
    served = await serving()
    answer = await served.get(path)
    assert answer is None or answer.status in (307, 400, 404, 405)
    assert answer is None or not re.search(r"^(import|from|root:)", answer.body, re.MULTILINE)


@pytest.mark.parametrize(
    "text", ["\r\nSet-Cookie: stolen=1", "\nX-Evil: 1", "\x00", "é\u2028", '"><script>alert(1)</script>']
)
async def test_no_part_of_a_request_becomes_a_header_or_markup(serving, text):
    served = await serving()
    body = f"job_key={quote(text)}x&payload=&queue={quote(text)}&unique_key={quote(text)}"
    answers = [
        await served.get(f"/?text={quote(text)}&key={quote(text)}&queue={quote(text)}&status={quote(text)}"),
        await served.get(f"/enqueue?key={quote(text)}&payload={quote(text)}"),
        await served.get(f"/{quote(text)}"),
        await served.get(f"/jobs/{quote(text)}"),
        await served.post("/enqueue", body),
        await served.post("/actions", f"action={quote(text)}"),
        await served.get(f"/login?token={quote(text)}"),
    ]
    for answer in answers:
        assert re.fullmatch(
            r"|tetherpy-note-[0-9a-f]{8}=[\w-]+; HttpOnly; [\w=/; -]+", answer.header("set-cookie") or ""
        )
        assert answer.header("x-evil") is None
        assert "<script>alert" not in answer.body


async def test_an_invalid_job_number_is_not_found(serving):
    served = await serving()
    for target in (
        "/jobs/99999999999999999999999",
        "/jobs/-1",
        "/jobs/1.5",
        "/jobs/x",
        "/live/jobs/99999999999999999999999",
    ):
        assert (await served.get(target)).status == 404
    for ids in ("", "id=x", "id=-1", "id=99999999999999999999", "&".join(f"id={n}" for n in range(501))):
        assert (await served.post("/actions", f"action=delete&{ids}")).status == 400


# --- too much, too slow -------------------------------------------------------------------------


async def test_a_body_over_the_limit_is_refused_before_it_is_read(serving):
    served = await serving()
    answer = await served.post("/enqueue", "payload=" + "x" * (5 * 1024 * 1024))
    assert answer is None or answer.status == 413
    assert (await served.manager.get_counts()).total == 0
    assert (await served.post("/actions", "&".join(f"a{n}=1" for n in range(3000)))).status == 400
    assert (await served.post("/enqueue", "{}", Content_Type="application/json")).status == 415
    assert (await served.post("/enqueue", "job_key=%ff%fe")).status == 400
    assert (await served.get("/")).status == 200


async def test_a_payload_over_the_limit_is_reported_and_not_stored(serving):
    served = await serving()
    body = "job_key=k&payload=" + quote('"' + "x" * (1024 * 1024) + '"')
    answer = await served.post("/enqueue", body, Accept="application/json")
    assert (answer.status, '"failed":true' in answer.body) == (200, True)
    assert (await served.manager.get_counts()).total == 0


@pytest.mark.parametrize("depth", [50, 100_000])
async def test_deep_nesting_causes_no_error(serving, depth):
    served = await serving()
    body = "job_key=k&payload=" + "[" * depth + "]" * depth
    answer = await served.post("/enqueue", body, Accept="application/json")
    assert answer.status == 200
    assert (await served.get("/")).status == 200


@pytest.mark.parametrize("raw", [b"GET / HTTP/1.1\r\nX: " + b"y" * 200_000, b"GET /" + b"y" * 200_000])
async def test_a_head_over_the_limit_is_refused(serving, raw):
    served = await serving()
    answer = await served.send(raw + b"\r\n\r\n")
    assert answer is None or answer.status in (400, 414, 431)
    assert (await served.get("/")).status == 200


@pytest.mark.parametrize("raw", [b"", b"GET / HTTP/1.1\r\nHost: 127", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"])
async def test_a_client_that_does_not_finish_its_request_is_disconnected(serving, raw):
    served = await serving(timeouts=ClientTimeouts(head=0.2))
    reader, writer = await served.connect()
    writer.write(raw)
    async with asyncio.timeout(BOUND):
        try:
            while await reader.read(1000):
                pass
        except ConnectionResetError:
            pass
    writer.close()


async def test_a_second_request_has_the_same_time_limit(serving):
    served = await serving(timeouts=ClientTimeouts(head=0.2))
    # The first one has arrived before the wait starts, even on a slow machine.
    asking = socket.create_connection(("127.0.0.1", served.port))
    asking.sendall(request("GET", "/static/icon.svg", {"Host": "localhost"}))
    reader, writer = await asyncio.open_connection(sock=asking)
    async with asyncio.timeout(BOUND):
        await reader.readuntil(b"</svg>")
        try:
            while True:
                writer.write(b"G")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
    writer.close()


async def test_a_slow_body_times_out(serving, monkeypatch):
    monkeypatch.setattr("tetherpy.ui.web.actions.form_data.BODY_SECONDS", 0.2)
    served = await serving()
    answer = await served.post("/actions", "action=", Content_Length="1000")
    assert answer.status == 408


def reads_nothing(port):
    """Return a client that requests a stream and reads little of it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.sendall(request("GET", "/live/", {"Host": "localhost"}))
    return client


def keep_little(transport):
    """Limit the system's buffers, so that a stream that is not read is full soon."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)


async def test_a_stream_that_is_not_read_is_closed_and_buffers_little(serving):
    opened, kept = [], []

    def remember(app):
        async def remembering(scope, receive, send):
            transport = send.__self__.transport
            opened.append(transport)
            keep_little(transport)

            async def measured(message):
                await send(message)
                kept.append(transport.get_write_buffer_size())

            await app(scope, receive, measured)

        return remembering

    served = await serving(timeouts=ClientTimeouts(unread=0.5), wrap=remember)
    client = reads_nothing(served.port)
    async with asyncio.timeout(BOUND):
        while not opened or not opened[0].is_closing():
            await served.manager.enqueue("k", {"text": "x" * 1000}, delay=900)
    assert 0 < max(kept) < 512 * 1024
    client.close()


async def test_a_stream_that_is_not_read_is_released_under_any_server(serving, monkeypatch):
    monkeypatch.setattr("tetherpy.ui.web.event_stream.UNREAD_SECONDS", 0.3)
    let_go = asyncio.Event()

    def tell(app):
        async def telling(scope, receive, send):
            keep_little(send.__self__.transport)
            await app(scope, receive, send)
            let_go.set()

        return telling

    served = await serving(timeouts=ClientTimeouts(unread=1000), wrap=tell)
    client = reads_nothing(served.port)
    async with asyncio.timeout(BOUND):
        while not let_go.is_set():
            await served.manager.enqueue("k", delay=900)
    client.close()
