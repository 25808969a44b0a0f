import asyncio

from tetherpy.subscribers import Subscribers, call_subscriber


def test_the_hooks_are_called_only_for_the_first_and_the_last_subscriber():
    calls = []
    subscribers = Subscribers(lambda: calls.append("first"), lambda: calls.append("last"))
    removes = [subscribers.add("a"), subscribers.add("a")]
    assert calls == ["first"]
    for remove in (*removes, *removes):
        remove()
    assert calls == ["first", "last"]
    subscribers.add("b")
    assert subscribers.take_all() == ["b"]
    assert subscribers.take_all() == []
    assert calls == ["first", "last"] * 2


def test_subscribers_may_change_while_they_are_called():
    subscribers = Subscribers()
    seen = []
    remove = subscribers.add("a")
    subscribers.add("b")
    for subscriber in subscribers:
        seen.append(subscriber)
        remove()
        subscribers.add("c")
    assert seen == ["a", "b"]
    assert list(subscribers) == ["b", "c", "c"]


async def test_an_error_in_a_subscriber_goes_to_the_exception_handler_of_the_loop():
    contexts = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: contexts.append(context))
    error = ValueError("broken")

    def fail(*args):
        raise error

    call_subscriber("a live query", fail, [1])
    assert contexts == [{"message": "a subscriber of a live query failed", "exception": error}]
