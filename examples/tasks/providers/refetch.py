"""Fetch data again, and show the previous data meanwhile."""

from examples.tasks import server
from tetherpy import AsyncState, FutureProvider, ProviderContainer

rates_provider = FutureProvider(lambda ref: server.answer("rates"), name="rates")


def show(rates: AsyncState[str]) -> str:
    return f"{rates.value}, loading" if rates.is_loading else f"{rates.value}"


def refetch(container: ProviderContainer) -> None:
    container.invalidate(rates_provider)
