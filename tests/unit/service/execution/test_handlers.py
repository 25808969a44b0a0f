import functools
from datetime import timedelta
from typing import Any

import attrs
import pytest

from tetherpy.errors import DurationError
from tetherpy.service import HandlerRegistrationError, NoSuchHandlerError
from tetherpy.service.execution.handlers import HandlerRegistry, payload_annotation


@attrs.frozen
class Order:
    number: int


async def typed(service, payload: Order | None, db): ...
async def untyped(service, payload, db): ...
async def postponed(service, payload: "Order", db): ...
async def flexible(*args): ...
async def more(service, payload: Order, db, extra: int = 1): ...
def plain(service, payload: dict[str, int], db): ...


class Callable_:
    async def __call__(self, service, payload: Order, db): ...

    async def method(self, service, payload: Order, db): ...


def decorated_from(function):
    @functools.wraps(function)
    async def wrapper(*args):
        return await function(*args)

    return wrapper


@pytest.mark.parametrize(
    ("function", "annotation"),
    [
        (typed, Order | None),
        (untyped, Any),
        (postponed, Order),
        (flexible, Any),
        (more, Order),
        (plain, dict[str, int]),
        (Callable_(), Order),
        (Callable_().method, Order),
        (functools.partial(more, extra=2), Order),
        (decorated_from(typed), Order | None),
    ],
)
def test_the_annotation_of_the_payload_is_read(function, annotation):
    assert payload_annotation("key", function) == annotation


def registered(function):
    registry = HandlerRegistry()
    registry.add("key", function, None, None)
    return registry.find("key")


@pytest.mark.parametrize(
    ("function", "is_async"),
    [
        (typed, True),
        (plain, False),
        (Callable_(), True),
        (Callable_().method, True),
        (functools.partial(more, extra=2), True),
        (functools.partial(plain), False),
        (decorated_from(typed), True),
    ],
)
def test_async_handlers_run_in_the_loop_and_others_in_threads(function, is_async):
    assert registered(function).is_async is is_async


async def too_few(service, payload): ...
async def too_many(service, payload, db, extra): ...
async def unresolvable(service, payload: "Nowhere", db): ...  # noqa: F821
async def of_a_plain_class(service, payload: Callable_, db): ...
async def of_optional_plain_classes(service, payload: list[Callable_] | None, db): ...
async def generator(service, payload, db):
    yield 1


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (too_few, "(service, payload, db)"),
        (too_many, "(service, payload, db)"),
        (unresolvable, "Nowhere"),
        (generator, "generator"),
        (42, "(service, payload, db)"),
        (of_a_plain_class, "no payload can be decoded"),
        (of_optional_plain_classes, "no payload can be decoded"),
    ],
)
def test_functions_that_cannot_be_called_with_a_context_are_refused(function, reason):
    with pytest.raises(HandlerRegistrationError) as caught:
        HandlerRegistry().add("mail", function, None, None)
    assert reason in str(caught.value)
    assert "'mail'" in str(caught.value)


def test_a_key_has_one_handler():
    registry = HandlerRegistry()
    registry.add("key", typed, None, None)
    with pytest.raises(HandlerRegistrationError, match="already"):
        registry.add("key", plain, None, None)
    assert registry.find("key").function is typed


@pytest.mark.parametrize("key", [b"mail", 7, None, ""])
def test_a_key_must_be_a_text(key):
    with pytest.raises(HandlerRegistrationError, match="job key"):
        HandlerRegistry().add(key, typed, None, None)


def test_the_timeout_must_be_positive():
    with pytest.raises(DurationError, match="timeout"):
        HandlerRegistry().add("key", typed, None, timedelta(0))


def test_an_error_for_a_missing_key_lists_the_registered_ones():
    registry = HandlerRegistry()
    for key in ("b", "a"):
        registry.add(key, typed, None, None)
    with pytest.raises(NoSuchHandlerError, match="'c'; registered keys: a, b") as caught:
        registry.find("c")
    assert caught.value.registered == ("a", "b")
    registry.add("send_mail", typed, None, None)
    with pytest.raises(NoSuchHandlerError, match="did you mean 'send_mail'"):
        registry.find("sendmail")
