"""Forms sent without scripts: redirects back to their page, flash messages and confirmations."""

import json
import os
import re
from base64 import urlsafe_b64encode
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.routing import Mount

from tetherpy.jobs import BackgroundJobStatus, NewJob
from tetherpy.reactive import Provider
from tetherpy.service import BackgroundService
from tetherpy.ui.actions import CONFIRM_STOP

HOSTILE = '<script>alert("1")</script>\r\nSet-Cookie: stolen=1; "\u202e\x1b[2J; ü 🦆'


def below_jobs(app):
    return Starlette(routes=[Mount("/jobs", app)])


def cookie_of(answer):
    return (answer.header("set-cookie") or "").partition(";")[0]


def notes(page):
    return re.search(r'<div id="toasts".*?</div>\n<dialog', page, re.DOTALL)[0]


async def test_a_post_redirects_to_the_page_of_the_form_with_one_flash_message(serving):
    served = await serving(wrap=below_jobs)
    job_id = await served.manager.enqueue("k", delay=900)
    for page in (f"jobs/{job_id}", "?status=pending&text=a%20b&page=2", "service", "enqueue?key=k", ""):
        answer = await served.post("/jobs/actions", "action=retry:99", Referer=f"{served.origin}/jobs/{page}")
        assert (answer.status, answer.header("location")) == (303, f"/jobs/{page}")
        told = answer.header("set-cookie")
        assert re.search(r"; HttpOnly; Max-Age=60; Path=/jobs/; SameSite=strict$", told)
        assert not await stolen(served, f"/jobs/{page}", told)
        shown = await served.get(f"/jobs/{page}", Cookie=cookie_of(answer))
        assert "There is no job 99" in notes(shown.body)
        assert "toast-failed" in notes(shown.body)
        gone = shown.header("set-cookie")
        assert "Max-Age=0" in gone
        assert gone.partition("=")[0] == told.partition("=")[0]
        assert "no job 99" not in (await served.get(f"/jobs/{page}")).body


async def stolen(served, target, cookie):
    """Return whether a dashboard at another port of this machine shows a flash message of this one."""
    answer = await served.send(
        f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:1\r\nCookie: {cookie.partition(';')[0]}\r\n\r\n".encode()
    )
    return "There is no job" in answer.body


ELSEWHERE = (
    "https://evil.example/jobs/jobs/1",
    "{origin}.evil.example/jobs/jobs/1",
    "http://127.0.0.1:1/jobs/jobs/1",
    "{origin}@evil.example/jobs/jobs/1",
    "{origin}//evil.example/",
    "{origin}/jobs//evil.example/",
    "{origin}/jobs//\\evil.example",
    "{origin}/jobs/%2f%2fevil.example",
    "{origin}/jobs/../admin",
    "{origin}/jobs/jobs/../../admin",
    "{origin}/jobs/javascript:alert(1)",
    "{origin}/admin",
    "{origin}/jobs",
    "{origin}/jobs/login",
    "{origin}/jobs/actions",
    "{origin}/jobs/live/jobs/1",
    "{origin}/jobs/jobs/1\\@evil.example",
    "javascript:alert(1)",
    "//evil.example",
    "http://[",
    "",
)


async def test_a_post_never_redirects_to_another_site(serving):
    served = await serving(wrap=below_jobs)
    for number, referer in enumerate(ELSEWHERE, start=1):
        given = referer.format(origin=served.origin)
        back = quote(given.removeprefix(f"{served.origin}/jobs/"))
        for answer in (
            await served.post("/jobs/actions", "action=cancel:99", Referer=given),
            await served.post("/jobs/actions", f"action=cancel:99&back={back}"),
            await served.post("/jobs/actions", f"action=cancel:99&back={quote(given)}"),
        ):
            assert (answer.status, answer.header("location")) == (303, "/jobs/"), referer
        enqueued = await served.post("/jobs/enqueue", "job_key=x&payload=", Referer=given)
        assert enqueued.header("location") == f"/jobs/jobs/{number}", referer
        asked = (await served.post("/jobs/actions", "action=delete:1", Referer=given)).body
        assert 'id="keep" href="."' in asked, referer
        assert "evil" not in asked, referer


async def test_a_query_is_kept_in_the_redirect_and_cannot_become_a_header(serving):
    served = await serving()
    for query in ("?text=a%0d%0aSet-Cookie:%20x=1", "?text=%22%3E%3Cscript%3E"):
        answer = await served.post("/actions", "action=cancel:1", Referer=f"{served.origin}/{query}")
        assert answer.header("location") == f"/{query}"
    for back in ("?a=\r\nX-Evil: 1", "?a=\u2028", "?" + "a" * 3000):
        answer = await served.post("/actions", f"action=cancel:1&back={quote(back)}")
        assert (answer.header("location"), answer.header("x-evil")) == ("/", None)


async def test_the_text_of_a_flash_message_is_escaped(serving):
    served = await serving()
    job_id = await served.manager.enqueue("k", unique_key=HOSTILE * 40)
    await served.manager.cancel_job(job_id)
    await served.manager.enqueue("k", unique_key=HOSTILE * 40)
    answer = await served.post("/actions", f"action=retry:{job_id}")
    assert re.fullmatch(r"tetherpy-note-[0-9a-f]{8}=[\w-]{1,4000}", cookie_of(answer))
    shown = notes((await served.get("/", Cookie=cookie_of(answer))).body)
    assert "cannot run again" in shown
    assert "&lt;script&gt;" in shown
    assert not re.search("<script|\u202e|\x1b", shown)


def forged(**fields):
    return urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


FORGED = (
    forged(message=HOSTILE * 10, failed=True, detail=HOSTILE, link="javascript:alert(1)"),
    forged(message="hello", link="//evil.example"),
    forged(message="hello", link="https://evil.example"),
    forged(message=["hello"]),
    forged(failed=True),
    urlsafe_b64encode(b"[" * 2900).decode(),
    urlsafe_b64encode(b'{"message":"a","x":' + b"[" * 2900).decode(),
    urlsafe_b64encode(b"\xff\xfe").decode(),
    "A",
    "%%%",
    "ü",
    "x" * 20_000,
    "",
)


async def test_a_forged_flash_message_is_text_or_ignored(serving):
    served = await serving()
    name = cookie_of(await served.post("/actions", "action=cancel:1")).partition("=")[0]
    for value in FORGED:
        answer = await served.get("/", Cookie=f"{name}={value}")
        assert answer.status == 200, value
        assert not re.search("<script|evil|javascript|\u202e|\x1b", notes(answer.body)), value
        assert "Max-Age=0" in answer.header("set-cookie"), value
    assert "hello" in notes((await served.get("/", Cookie=f"{name}={FORGED[1]}")).body)


async def test_actions_with_confirmation_show_a_page_and_run_when_confirmed(serving):
    served = await serving()
    ids = await served.manager.enqueue_many([NewJob(job_key="k", delay=900) for _ in range(4)])
    page = "?status=pending"
    for body, question in (
        (f"action=delete:{ids[0]}", f"Delete job {ids[0]} and its attempts?"),
        (
            f"action=delete&id={ids[1]}&id={ids[2]}",
            "Delete the selected jobs and their attempts? This cannot be undone.",
        ),
        ("action=cancel&scope=all&status=pending&key=k", "Cancel all pending jobs that match these filters?"),
    ):
        before = await served.manager.get_all_jobs()
        asked = await served.post("/actions", f"{body}&confirmed=no", Referer=f"{served.origin}/{page}")
        assert (asked.status, await served.manager.get_all_jobs()) == (200, before)
        assert question in asked.body
        assert f'id="keep" href="{page}"' in asked.body
        assert "<script>" not in asked.body
        fields = re.findall(r'name="(\w+)" value="([^"]*)"', asked.body)
        sent = "&".join(f"{name}={quote(value)}" for name, value in fields)
        # As in a browser: the confirmation page has the address of the post.
        done = await served.post("/actions", sent, Referer=f"{served.origin}/actions")
        assert (done.status, done.header("location")) == (303, f"/{page}")
    (job,) = await served.manager.get_all_jobs()
    assert (job.id, job.status) == (ids[3], BackgroundJobStatus.CANCELLED)


async def test_stop_asks_for_confirmation_like_the_terminal_app(serving):
    served = await serving()
    asked = await served.post("/service/stop", "", Referer=f"{served.origin}/service")
    assert asked.status == 200
    assert CONFIRM_STOP.text in asked.body
    assert 'action="service/stop"' in asked.body


async def test_more_jobs_than_a_batch_are_continued_by_a_page(serving, monkeypatch):
    monkeypatch.setattr("tetherpy.ui.web.actions.job_actions.BATCH_SIZE", 2)
    served = await serving()
    await served.manager.enqueue_many([NewJob(job_key="k", delay=900) for _ in range(5)])
    sent = "action=cancel&scope=all&status=pending"
    questions = []
    while (answer := await served.post("/actions", sent)).status == 200:
        questions.append(re.search("<h1>(.*?)</h1>", answer.body)[1])
        fields = re.findall(r'name="(\w+)" value="([^"]*)"', answer.body)
        sent = "&".join(f"{name}={quote(value)}" for name, value in fields)
    more = [f"Cancellation requested for {count} jobs. There are more. Continue?" for count in (2, 4)]
    assert questions == ["Cancel all pending jobs?", *more]
    assert (await served.manager.get_counts()).cancelled == 5


async def test_changed_jobs_that_match_the_filter_again_are_visited_once(serving, monkeypatch):
    monkeypatch.setattr("tetherpy.ui.web.actions.job_actions.BATCH_SIZE", 2)
    served = await serving()
    manager = served.manager
    ids = await manager.enqueue_many([NewJob(job_key="k", delay=900) for _ in range(5)])
    visits = []
    outcome = {"more": True, "cursor": ""}
    while outcome["more"]:
        for job in await manager.get_jobs_by_status(BackgroundJobStatus.PENDING):
            await manager.cancel_job(job.id)  # like a job that runs and fails before the next request
        sent = f"action=retry&scope=all&status=cancelled&cursor={outcome['cursor']}"
        outcome = json.loads((await served.post("/actions", sent, Accept="application/json")).body)
        visits += [job.id for job in await manager.get_jobs_by_status(BackgroundJobStatus.PENDING)]
    assert sorted(visits) == ids


async def test_the_service_page_names_the_files_that_are_newer_than_the_code(serving, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    source = tmp_path / "newer<b>.py"
    (tmp_path / "shop_of_a_page.py").write_text(
        f"import sys, types\nmodule = types.ModuleType('odd')\nmodule.__file__ = {str(source)!r}\n"
        "sys.modules['odd'] = module\ndef initialize(service): pass\n"
    )
    source.touch()
    async with BackgroundService(tmp_path / "app.db", "shop_of_a_page:initialize") as service:
        served = await serving(service=Provider(lambda ref: service))
        page = (await served.get("/service")).body
        assert "shop_of_a_page:initialize, since <time" in page
        assert "service-code" not in page
        os.utime(source, (1, 1))
        while "service-code" not in page:
            page = (await served.get("/service")).body
        assert "older than" in page
        assert "newer&lt;b&gt;.py" in page
