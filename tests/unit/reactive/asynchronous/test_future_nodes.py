"""The node of ``.future`` depends on the promise only: a state that settles the same promise does not rebuild it."""

from __future__ import annotations

import sys
from collections import Counter
from types import FrameType
from typing import Any

from tetherpy import AsyncData, FutureProvider, ProviderContainer, Ref
from tetherpy.reactive.asynchronous import async_provider_base


class Calls(Counter[str]):
    """Counts the calls of functions of one module, by qualified name."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self._file = module.__file__

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_filename == self._file:
            self[frame.f_code.co_qualname] += 1


async def test_settling_a_future_builds_its_node_once():
    @FutureProvider
    async def user(ref: Ref) -> str:
        return "Ada"

    @FutureProvider
    async def greeting(ref: Ref) -> str:
        return f"Hello {await ref.watch(user.future)}"

    calls = Calls(async_provider_base)
    async with ProviderContainer() as container:
        sys.setprofile(calls)
        try:
            assert await container.read(greeting.future) == "Hello Ada"
            await container.pump()
        finally:
            sys.setprofile(None)
    assert calls["FutureOf.node_in.<locals>.current"] == 1


async def test_a_node_whose_promise_was_replaced_is_rebuilt():
    names = iter(["Ada", "Grace"])

    @FutureProvider
    async def user(ref: Ref) -> str:
        return next(names)

    @FutureProvider
    async def greeting(ref: Ref) -> str:
        return f"Hello {await ref.watch(user.future)}"

    async with ProviderContainer() as container:
        with container.listen(greeting, lambda previous, state: None):
            assert await container.read(greeting.future) == "Hello Ada"
            container.invalidate(user)
            await container.pump()
            assert await container.read(greeting.future) == "Hello Grace"
            assert container.read(greeting) == AsyncData("Hello Grace")
