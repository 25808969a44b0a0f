"""Read the settings of an app from its environment, once."""

import os

from attrs import frozen

from tetherpy import Provider, ProviderContainer, Ref


@frozen
class Settings:
    title: str
    is_debug: bool


@Provider
def settings_provider(ref: Ref) -> Settings:
    return Settings(os.environ.get("SHOP_TITLE", "Shop"), "SHOP_DEBUG" in os.environ)


def title(container: ProviderContainer) -> str:
    return container.read(settings_provider).title
