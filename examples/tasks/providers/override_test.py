"""Replace a dependency in a test."""

from collections.abc import Callable

from tetherpy import Provider, ProviderContainer

name_provider = Provider(lambda ref: "a name from the server", name="name")
greeting_provider = Provider(lambda ref: f"Hello {ref.watch(name_provider)}", name="greeting")


def test_greeting(make_container: Callable[..., ProviderContainer]) -> None:
    container = make_container(overrides=[name_provider.override_with_value("Ada")])
    assert container.read(greeting_provider) == "Hello Ada"
