"""Read the settings of an app from its environment, once."""

import os

from msgspec import Struct, convert

from tetherpy import Provider, ProviderContainer


class Settings(Struct, frozen=True, rename=lambda field: f"SHOP_{field.upper()}"):
    title: str = "Shop"
    debug: bool = False


settings_provider = Provider(lambda ref: convert(dict(os.environ), Settings, strict=False), name="settings")


def title(container: ProviderContainer) -> str:
    return container.read(settings_provider).title
