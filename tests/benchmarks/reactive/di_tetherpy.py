"""tetherpy in the dependency-injection harness: a child container per request, scoped by the request's provider."""

from functools import partial

from base_di import DIAdapter
from di_graph import (
    COUNT,
    Audit,
    Cache,
    Config,
    Handler,
    Repo1,
    Repo2,
    Repo3,
    Session,
    Svc1,
    Svc2,
    Svc3,
)

from tetherpy import FutureProvider, Provider, ProviderContainer


def down():
    COUNT["down"] += 1


class Sync(DIAdapter):
    name = "tetherpy"
    dist = "tetherpy"

    def setup(self):
        config = Provider(lambda ref: Config())
        request = Provider(lambda ref: None, dependencies=[])

        def scoped(create):
            return Provider(create, dependencies=[request])

        def make_session(ref):
            COUNT["up"] += 1
            ref.on_dispose(down)
            return Session(ref.watch(config))

        def make_cache(ref):
            COUNT["up"] += 1
            ref.on_dispose(down)
            return Cache(ref.watch(config))

        session = Provider(make_session, dependencies=[request])
        cache = Provider(make_cache, dependencies=[request])
        in_session = [request, session]
        repo1, repo2, repo3 = (
            Provider(lambda ref, make=make: make(ref.watch(session)), dependencies=in_session)
            for make in (Repo1, Repo2, Repo3)
        )
        svc1 = Provider(lambda ref: Svc1(ref.watch(repo1), ref.watch(cache)), dependencies=[repo1, cache])
        svc2 = Provider(lambda ref: Svc2(ref.watch(repo2), ref.watch(repo3)), dependencies=[repo2, repo3])
        svc3 = Provider(lambda ref: Svc3(ref.watch(svc1), ref.watch(svc2)), dependencies=[svc1, svc2])
        audit = Provider(lambda ref: Audit(ref.watch(session), ref.watch(cache)), dependencies=[session, cache])
        handler = Provider(
            lambda ref: Handler(ref.watch(svc3), ref.watch(audit), ref.watch(svc1)),
            dependencies=[svc3, audit, svc1],
        )
        root = ProviderContainer()
        self.singleton = partial(root.read, config)
        overrides = [request.override_with_value(None)]

        def serve():
            with ProviderContainer(parent=root, overrides=overrides) as container:
                return container.read(handler)

        self.request = serve


class OfFutures(DIAdapter):
    """A graph whose two resources are FutureProviders."""

    dist = "tetherpy"
    kind = "async"

    def setup(self):
        self.config = Provider(lambda ref: Config())
        self.scope = Provider(lambda ref: None, dependencies=[])
        self.root = ProviderContainer()
        self.singleton = partial(self.root.read, self.config)
        self.overrides = [self.scope.override_with_value(None)]

    def resource(self, make):
        async def create(ref):
            COUNT["up"] += 1
            ref.on_dispose(down)
            return make(ref.watch(self.config))

        return FutureProvider(create, dependencies=[self.scope])

    def handler_of(self, session, cache):
        """Declare the services that are made of the two resources; return the one that a request reads."""
        repo1, repo2, repo3 = (self.service(make, session) for make in (Repo1, Repo2, Repo3))
        svc1, svc2 = self.service(Svc1, repo1, cache), self.service(Svc2, repo2, repo3)
        svc3, audit = self.service(Svc3, svc1, svc2), self.service(Audit, session, cache)
        return self.service(Handler, svc3, audit, svc1)


class Async(OfFutures):
    name = "tetherpy async"
    note = "every scoped service is a FutureProvider, so each is built in a task of its own"

    def setup(self):
        super().setup()
        handler = self.handler_of(self.resource(Session), self.resource(Cache))

        async def serve():
            async with ProviderContainer(parent=self.root, overrides=self.overrides) as container:
                return await container.read(handler.future)

        self.request = serve

    def service(self, make, *needs):
        async def create(ref):
            return make(*[await ref.watch(need.future) for need in needs])

        return FutureProvider(create, dependencies=[self.scope, *needs])


class AsyncResources(OfFutures):
    name = "tetherpy async resources"
    note = (
        "the two resources are FutureProviders, what is made of them is synchronous: the shape of dishka's and wireup's"
    )

    def setup(self):
        super().setup()
        session, cache = self.resource(Session), self.resource(Cache)
        handler = self.handler_of(self.ready(session), self.ready(cache))

        async def serve():
            async with ProviderContainer(parent=self.root, overrides=self.overrides) as container:
                await container.read(session.future)
                await container.read(cache.future)
                return container.read(handler)

        self.request = serve

    def service(self, make, *needs):
        return Provider(lambda ref: make(*map(ref.watch, needs)), dependencies=[self.scope, *needs])

    def ready(self, resource):
        return Provider(lambda ref: ref.watch(resource).require_value, dependencies=[self.scope, resource])


ADAPTERS = [Sync, Async, AsyncResources]
