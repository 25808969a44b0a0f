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


class Async(DIAdapter):
    name = "tetherpy async"
    dist = "tetherpy"
    kind = "async"
    note = "every scoped service is a FutureProvider, so each is built in a task of its own"

    def setup(self):
        config = Provider(lambda ref: Config())
        request = Provider(lambda ref: None, dependencies=[])

        def service(make, *needs):
            async def create(ref):
                return make(*[await ref.watch(need.future) for need in needs])

            return FutureProvider(create, dependencies=[request, *needs])

        def resource(make):
            async def create(ref):
                COUNT["up"] += 1
                ref.on_dispose(down)
                return make(ref.watch(config))

            return FutureProvider(create, dependencies=[request])

        session, cache = resource(Session), resource(Cache)
        repo1, repo2, repo3 = (service(make, session) for make in (Repo1, Repo2, Repo3))
        svc1, svc2 = service(Svc1, repo1, cache), service(Svc2, repo2, repo3)
        svc3, audit = service(Svc3, svc1, svc2), service(Audit, session, cache)
        handler = service(Handler, svc3, audit, svc1)
        root = ProviderContainer()
        self.singleton = partial(root.read, config)
        overrides = [request.override_with_value(None)]

        async def serve():
            async with ProviderContainer(parent=root, overrides=overrides) as container:
                return await container.read(handler.future)

        self.request = serve


class AsyncResources(DIAdapter):
    name = "tetherpy async resources"
    dist = "tetherpy"
    kind = "async"
    note = (
        "the two resources are FutureProviders, what is made of them is synchronous: the shape of dishka's and wireup's"
    )

    def setup(self):
        config = Provider(lambda ref: Config())
        request = Provider(lambda ref: None, dependencies=[])

        def resource(make):
            async def create(ref):
                COUNT["up"] += 1
                ref.on_dispose(down)
                return make(ref.watch(config))

            return FutureProvider(create, dependencies=[request])

        def service(make, *needs):
            return Provider(lambda ref: make(*map(ref.watch, needs)), dependencies=[request, *needs])

        def ready(resource):
            return Provider(lambda ref: ref.watch(resource).require_value, dependencies=[request, resource])

        session, cache = resource(Session), resource(Cache)
        ready_session, ready_cache = ready(session), ready(cache)
        repo1, repo2, repo3 = (service(make, ready_session) for make in (Repo1, Repo2, Repo3))
        svc1, svc2 = service(Svc1, repo1, ready_cache), service(Svc2, repo2, repo3)
        svc3, audit = service(Svc3, svc1, svc2), service(Audit, ready_session, ready_cache)
        handler = service(Handler, svc3, audit, svc1)
        root = ProviderContainer()
        self.singleton = partial(root.read, config)
        overrides = [request.override_with_value(None)]

        async def serve():
            async with ProviderContainer(parent=root, overrides=overrides) as container:
                await container.read(session.future)
                await container.read(cache.future)
                return container.read(handler)

        self.request = serve


ADAPTERS = [Sync, Async, AsyncResources]
