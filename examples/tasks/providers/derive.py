"""Derive a value from another one."""

from tetherpy import Provider, ProviderContainer, StateProvider

quantity_provider = StateProvider(lambda ref: 1, name="quantity")
total_provider = Provider(lambda ref: 10 * ref.watch(quantity_provider), name="total")


def order(container: ProviderContainer, quantity: int) -> int:
    container.read(quantity_provider.notifier).state = quantity
    return container.read(total_provider)
