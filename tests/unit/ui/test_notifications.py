"""Desktop notifications: which jobs are reported, how often, with hostile text removed; none without a desktop."""

import asyncio
import logging
import subprocess
import sys

import pytest

from tests.support.waiting import turns
from tetherpy.jobs import BackgroundJobStatus, NewJob
from tetherpy.reactive import AsyncData, AsyncValue, Provider, ProviderContainer, StateProvider, StreamProvider
from tetherpy.service import ServiceState
from tetherpy.ui import DesktopNotifications, JobNotifications, JobProviders, Notification

DONE, FAILED, RUNNING = BackgroundJobStatus.COMPLETED, BackgroundJobStatus.FAILED, BackgroundJobStatus.RUNNING

state = StateProvider[AsyncValue[ServiceState]](lambda ref: AsyncData(ServiceState()), name="state")


class Desk:
    """Records the notifications."""

    def __init__(self):
        self.shown = []
        self.news = asyncio.Event()
        self.rested = asyncio.Semaphore(1_000)  # number of notifications it accepts before the test allows more

    async def rest(self, seconds):
        assert seconds == 7.0
        await self.rested.acquire()

    async def show(self, notification):
        self.shown.append(notification)
        self.news.set()
        return True

    async def until(self, count):
        async with asyncio.timeout(25):
            while len(self.shown) < count:
                self.news.clear()
                await self.news.wait()
        return self.shown


@pytest.fixture
async def desk(manager):
    counts = StreamProvider(lambda ref: manager.watch_counts(), name="counts")
    providers = JobProviders(
        manager=Provider(lambda ref: manager, name="manager"),
        counts=counts,
        jobs_by_status=lambda status: StreamProvider(lambda ref: manager.watch_jobs_by_status(status)),
        job=lambda job_id: StreamProvider(lambda ref: manager.watch_job(job_id)),
        service=Provider(lambda ref: None, name="service"),
        service_state=state,
    )
    async with ProviderContainer() as container:
        desk = Desk()
        desk.container, desk.counts = container, counts
        telling = asyncio.create_task(JobNotifications(container, providers, desk, interval=7.0, sleep=desk.rest).run())
        async for counted in container.stream(counts):
            if counted.has_value:
                break
        await asyncio.sleep(0)
        yield desk
        telling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await telling


async def finish(manager, job_id, status, error=None):
    await manager.update_job_status(job_id, RUNNING)
    await manager.update_job_status(job_id, status, error=error)


async def test_one_job_is_reported_by_name(manager, desk):
    good, bad = await manager.enqueue_many([NewJob(job_key="report"), NewJob(job_key="import")])
    await finish(manager, good, DONE)
    assert await desk.until(1) == [Notification("Done: report #1")]
    await finish(manager, bad, FAILED, error="ValueError: no")
    assert (await desk.until(2))[1] == Notification("Failed: import #2", "ValueError: no", urgent=True)


async def test_jobs_that_finish_during_the_interval_are_reported_together(manager, desk):
    desk.rested = asyncio.Semaphore(0)
    first, *rest = await manager.enqueue_many(NewJob(job_key="many") for _ in range(41))
    await finish(manager, first, DONE)
    await desk.until(1)
    for job_id in rest[:30]:
        await finish(manager, job_id, DONE)
    for job_id in rest[30:]:
        await finish(manager, job_id, FAILED)
    async for counted in desk.container.stream(desk.counts):
        if counted.require_value.failed == 10:
            break
    assert len(desk.shown) == 1
    desk.rested.release()
    assert (await desk.until(3))[1:] == [Notification("30 jobs done"), Notification("10 jobs failed", urgent=True)]


async def test_a_stopped_service_is_reported(desk):
    notifier = desk.container.read(state.notifier)
    notifier.state = AsyncData(ServiceState(running=True, notification_title="My App"))
    await turns(10)
    notifier.state = AsyncData(ServiceState(running=True, notification_title="My App <b>busy</b>"))
    await turns(10)
    notifier.state = AsyncData(ServiceState())
    assert await desk.until(1) == [Notification("The background service has stopped", "My App [b]busy[/b]")]


async def test_deleted_and_retried_jobs_are_not_reported(manager, desk):
    ids = await manager.enqueue_many(NewJob(job_key="job") for _ in range(3))
    await finish(manager, ids[0], DONE)
    await desk.until(1)
    await manager.delete_job(ids[0])
    await manager.cancel_job(ids[1])
    await finish(manager, ids[2], FAILED)
    assert [note.title for note in await desk.until(2)] == ["Done: job #1", "Failed: job #3"]


def test_hostile_text_is_shortened_and_stripped():
    note = Notification("<b>\x1b[31m\nkey\0" + "x" * 500, '<img src="http://evil"> & \ud800 \u202e' + "y" * 5_000)
    assert note.title.startswith(r"[b]\x1b[31m key\x00xxx")
    assert note.body.startswith(r'[img src="http://evil"] + \ud800 \u202e')
    assert len(note.title) < 120
    assert len(note.body) < 280
    assert not set("<>&\n\x00\x1b") & set(note.title + note.body)
    (note.title + note.body).encode()


@pytest.mark.parametrize("address", [None, "unix:path=/nonexistent/bus", "nonsense"])
async def test_without_a_bus_nothing_is_shown(monkeypatch, caplog, capfd, address):
    monkeypatch.delenv("DISPLAY", raising=False)
    if address is None:
        monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    else:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    caplog.set_level(logging.DEBUG)
    async with DesktopNotifications() as desktop:
        assert not await desktop.show(Notification("title"))
        tried = len(caplog.records)
        assert tried
        assert not await desktop.show(Notification("title"))
        assert len(caplog.records) == tried  # it is not asked again at once
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.new_interpreter
def test_without_the_extra_nothing_is_shown():
    script = (
        "import asyncio, sys\n"
        "sys.modules['desktop_notifier'] = None\n"
        "from tetherpy.ui import DesktopNotifications, Notification\n"
        "print(asyncio.run(DesktopNotifications().show(Notification('title'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("False", "")
