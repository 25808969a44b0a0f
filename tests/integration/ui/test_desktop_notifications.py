"""Notifications over a real session bus: with a notification service, without one, and when the bus exits."""

import asyncio
import contextlib
import gc
import logging
import os
import shutil
import signal

import pytest
from dbus_fast import NameFlag
from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, method

from tetherpy.ui import DesktopNotifications, Notification

NAME, PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"

pytestmark = pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="needs dbus-daemon (Debian: dbus)")


class NotificationService(ServiceInterface):
    """A notification service like that of a desktop."""

    def __init__(self):
        super().__init__(NAME)
        self.taken = []

    @method(name="Notify")
    def notify(
        self,
        app: "s",  # noqa: F821
        replaces: "u",  # noqa: F821
        icon: "s",  # noqa: F821
        title: "s",  # noqa: F821
        body: "s",  # noqa: F821
        actions: "as",  # noqa: F722
        hints: "a{sv}",  # noqa: F722
        timeout: "i",  # noqa: F821
    ) -> "u":  # noqa: F821
        self.taken.append((app, title, body, hints["urgency"].value))
        return len(self.taken)

    @method(name="CloseNotification")
    def close(self, number: "u"):  # noqa: F821
        pass

    @method(name="GetCapabilities")
    def capabilities(self) -> "as":  # noqa: F722
        return ["body"]

    @method(name="GetServerInformation")
    def information(self) -> "ssss":  # noqa: F821
        return ["test", "tetherpy", "1", "1.2"]


@pytest.fixture
async def bus(monkeypatch):
    """Run a separate session bus, and set DBUS_SESSION_BUS_ADDRESS to it."""
    daemon = await asyncio.create_subprocess_exec(
        "dbus-daemon", "--session", "--nofork", "--print-address", stdout=asyncio.subprocess.PIPE
    )
    address = (await daemon.stdout.readline()).decode().strip()
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    yield daemon
    if daemon.returncode is None:
        daemon.kill()
    await daemon.wait()


@pytest.fixture
async def desk(bus):
    """Serve notifications on the bus."""
    connection = await MessageBus().connect()
    service = NotificationService()
    connection.export(PATH, service)
    await connection.request_name(NAME, NameFlag.NONE)
    yield service
    connection.disconnect()
    with contextlib.suppress(Exception):  # one test kills the bus
        await connection.wait_for_disconnect()


async def test_a_notification_reaches_the_desktop(desk):
    async with DesktopNotifications("My App") as desktop:
        assert await desktop.show(Notification("Done: report #1", "<b>&</b> \x00\x1b"))
        assert await desktop.show(Notification("Failed: import #2", "ValueError", urgent=True))
    assert desk.taken == [
        ("My App", "Done: report #1", r"[b]+[/b] \x00\x1b", 1),
        ("My App", "Failed: import #2", "ValueError", 2),
    ]


async def test_a_bus_without_notifications_is_silent(bus, caplog):
    async with DesktopNotifications() as desktop:
        assert not await desktop.show(Notification("title"))
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


async def test_a_bus_that_exits_causes_no_errors(bus, desk, caplog):
    async with DesktopNotifications() as desktop:
        assert await desktop.show(Notification("first"))
        bus.send_signal(signal.SIGKILL)
        await bus.wait()
        assert not await desktop.show(Notification("second"))
        assert not await desktop.show(Notification("third"))
    del desktop
    gc.collect()  # errors of unawaited calls would be logged now
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


async def test_a_bus_that_is_restarted_is_used_again(monkeypatch, bus, desk):
    now = 0.0
    async with DesktopNotifications(monotonic=lambda: now) as desktop:
        address = os.environ["DBUS_SESSION_BUS_ADDRESS"]
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent")
        assert not await desktop.show(Notification("nobody is there"))
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        assert not await desktop.show(Notification("too early"))
        now = 61.0
        assert await desktop.show(Notification("again"))
    assert [title for _, title, _, _ in desk.taken] == ["again"]
