import logging

from tetherpy.service.protocol.event_bus import Mailbox


def test_each_subscriber_of_the_event_gets_the_message():
    mailbox, got = Mailbox(), []
    mailbox.subscribe("a", lambda data: got.append(("one", data)))
    mailbox.subscribe("a", lambda data: got.append(("two", data)))
    mailbox.subscribe("b", lambda data: got.append(("other", data)))
    mailbox.deliver("a", 1)
    assert got == [("one", 1), ("two", 1)]


def test_same_callback_twice_is_two_subscriptions():
    mailbox, got = Mailbox(), []
    first = mailbox.subscribe("a", got.append)
    mailbox.subscribe("a", got.append)
    first()
    first()
    mailbox.deliver("a", 1)
    assert got == [1]


def test_first_and_last_are_told_once_each():
    told = []
    mailbox = Mailbox(lambda: told.append("first"), lambda: told.append("last"))
    removers = [mailbox.subscribe(event, print) for event in ("a", "a", "b")]
    assert told == ["first"]
    for remove in removers:
        remove()
        remove()
    assert told == ["first", "last"]
    mailbox.subscribe("a", print)()
    assert told == ["first", "last", "first", "last"]


def test_one_that_raises_does_not_rob_the_others(caplog):
    mailbox, got = Mailbox(), []
    mailbox.subscribe("a", lambda data: 1 / 0)
    mailbox.subscribe("a", got.append)
    with caplog.at_level(logging.ERROR, "tetherpy.service"):
        mailbox.deliver("a", 1)
    assert got == [1]
    assert "ZeroDivisionError" in caplog.text


def test_observable():
    mailbox, got = Mailbox(), []
    subscription = mailbox.on("a").subscribe(got.append)
    mailbox.deliver("a", 1)
    subscription.dispose()
    mailbox.deliver("a", 2)
    assert got == [1]
