"""tetherpy in the reactive harness: signals are StateProviders, computeds Providers, effects listened Providers."""

from base import ReactiveAdapter, dist_version

from tetherpy import Provider, ProviderContainer, StateProvider
from tetherpy.distribution import DISTRIBUTION


def ignore(previous, value):
    pass


class Adapter(ReactiveAdapter):
    name = "tetherpy"

    def setup(self):
        self.container = ProviderContainer()
        self.read = self.container.read
        self.controllers = {}

    def version(self):
        return dist_version(DISTRIBUTION)

    def signal(self, value):
        return StateProvider(lambda ref: value)

    def computed(self, fn, deps):
        return Provider(lambda ref: fn(ref.watch))

    def effect(self, fn, deps):
        self.keep.append(self.container.listen(Provider(lambda ref: fn(ref.watch)), ignore))

    def write(self, node, value):
        controller = self.controllers.get(node)
        if controller is None:
            controller = self.controllers[node] = self.container.read(node.notifier)
        controller.state = value

    def batch(self, pairs):
        with self.container.batch():
            for node, value in pairs:
                self.write(node, value)

    def cleanup(self):
        self.keep.clear()
        self.container.dispose()
