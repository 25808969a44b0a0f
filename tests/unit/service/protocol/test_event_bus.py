import logging

from tetherpy.service.protocol.event_bus import EventBus


def test_each_subscriber_of_the_event_gets_the_message():
    event_bus, got = EventBus(), []
    event_bus.subscribe("a", lambda data: got.append(("one", data)))
    event_bus.subscribe("a", lambda data: got.append(("two", data)))
    event_bus.subscribe("b", lambda data: got.append(("other", data)))
    event_bus.deliver("a", 1)
    assert got == [("one", 1), ("two", 1)]


def test_same_callback_twice_is_two_subscriptions():
    event_bus, got = EventBus(), []
    first = event_bus.subscribe("a", got.append)
    event_bus.subscribe("a", got.append)
    first()
    first()
    event_bus.deliver("a", 1)
    assert got == [1]


def test_first_and_last_are_told_once_each():
    told = []
    event_bus = EventBus(lambda: told.append("first"), lambda: told.append("last"))
    removers = [event_bus.subscribe(event, print) for event in ("a", "a", "b")]
    assert told == ["first"]
    for remove in removers:
        remove()
        remove()
    assert told == ["first", "last"]
    event_bus.subscribe("a", print)()
    assert told == ["first", "last", "first", "last"]


def test_one_that_raises_does_not_rob_the_others(caplog):
    event_bus, got = EventBus(), []
    event_bus.subscribe("a", lambda data: 1 / 0)
    event_bus.subscribe("a", got.append)
    with caplog.at_level(logging.ERROR, "tetherpy.service"):
        event_bus.deliver("a", 1)
    assert got == [1]
    assert "ZeroDivisionError" in caplog.text


def test_observable():
    event_bus, got = EventBus(), []
    subscription = event_bus.on("a").subscribe(got.append)
    event_bus.deliver("a", 1)
    subscription.dispose()
    event_bus.deliver("a", 2)
    assert got == [1]
