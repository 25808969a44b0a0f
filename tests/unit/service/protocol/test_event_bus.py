import logging

from tetherpy.service.protocol.event_bus import EventBus


def test_each_subscriber_of_an_event_gets_the_message():
    event_bus, got = EventBus(), []
    event_bus.subscribe("a", lambda data: got.append(("one", data)))
    event_bus.subscribe("a", lambda data: got.append(("two", data)))
    event_bus.subscribe("b", lambda data: got.append(("other", data)))
    event_bus.deliver("a", 1)
    assert got == [("one", 1), ("two", 1)]


def test_the_same_callback_can_be_subscribed_twice():
    event_bus, got = EventBus(), []
    first = event_bus.subscribe("a", got.append)
    event_bus.subscribe("a", got.append)
    first()
    first()
    event_bus.deliver("a", 1)
    assert got == [1]


def test_the_first_and_the_last_subscription_are_reported_once_each():
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


def test_an_error_in_a_subscriber_affects_no_other(caplog):
    event_bus, got = EventBus(), []
    event_bus.subscribe("a", lambda data: 1 / 0)
    event_bus.subscribe("a", got.append)
    with caplog.at_level(logging.ERROR, "tetherpy.service"):
        event_bus.deliver("a", 1)
    assert got == [1]
    assert "ZeroDivisionError" in caplog.text


def test_events_are_available_as_an_observable():
    event_bus, got = EventBus(), []
    subscription = event_bus.on("a").subscribe(got.append)
    event_bus.deliver("a", 1)
    subscription.dispose()
    event_bus.deliver("a", 2)
    assert got == [1]
