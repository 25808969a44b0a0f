"""What type checkers infer for scopes and dependencies of web apps; checked by mypy and pyright strict, never run."""
# pyright: strict

from __future__ import annotations

from typing import assert_type

from starlette.requests import Request

from tests.unit.reactive.declared import Counter
from tetherpy import (
    AsyncState,
    FutureProvider,
    NotifierProvider,
    Provider,
    ProviderContainer,
    Ref,
    ServiceInstance,
    StateProvider,
    StreamProvider,
)
from tetherpy.fastapi import Watched, request_provider, watch


@Provider.options(scope="request")
def user_provider(ref: Ref) -> str:
    return assert_type(ref.watch(request_provider), Request).method


@FutureProvider.options(scope="request").family
async def item_provider(ref: Ref, number: int) -> bytes:
    return b""


count_provider = NotifierProvider(Counter, scope="request")
state_provider = StateProvider(lambda ref: 1, scope="request")


def reads(container: ProviderContainer, service: ServiceInstance, stream: StreamProvider[float]) -> None:
    child = container.child(scope="request", overrides=[user_provider.override_with_value("Ada")])
    assert_type(child, ProviderContainer)
    assert_type(child.read(user_provider), str)
    assert_type(child.read(item_provider(1)), AsyncState[bytes])
    assert_type(service.container, ProviderContainer)
    assert_type(watch(user_provider), Watched[str])
    assert_type(watch(item_provider(1)), Watched[bytes])
    assert_type(watch(stream), Watched[float])
    assert_type(watch(count_provider), Watched[int])
    assert_type(watch(count_provider.notifier), Watched[Counter])
    assert_type(watch(state_provider), Watched[int])
    assert_type(watch(user_provider.select(len)), Watched[int])
