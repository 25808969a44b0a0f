"""Example graphs."""

import pytest

from tetherpy import FutureProvider, Provider, StateProvider


class Hostile:
    """A value, or a family argument, that misbehaves wherever it is shown."""

    def __init__(self, text=None):
        self.text = text

    def __repr__(self):
        if self.text is None:
            raise OSError("no repr")
        return self.text


@pytest.fixture
def app(make_container):
    """A container with a small app in which the name has changed once."""
    name = StateProvider(lambda ref: "Ada", name="name")
    user = FutureProvider(lambda ref: {"name": ref.watch(name)}, name="user")
    greeting = Provider(lambda ref: f"Hello {ref.watch(user).value['name']}!", name="greeting")
    shout = Provider(lambda ref: ref.watch(greeting).upper() + ref.watch(name), name="shout")
    container = make_container()
    container.read(shout)
    container.read(name.notifier).state = "Grace"
    container.read(shout)
    return container
