"""The fixtures ``container`` and ``make_container``, as a user's tests see them."""

import json
import subprocess
import sys

import pytest


def test_overrides_apply_and_everything_is_disposed_at_the_end(suite):
    result = suite(
        """
        import pytest
        from tetherpy import NotAnOverrideError, Provider, ProviderContainer

        ended = []

        @Provider
        def name(ref):
            return "nobody"

        @Provider
        def greeting(ref):
            ref.on_dispose(lambda: ended.append(ref.container))
            return f"Hello {ref.watch(name)}"

        @pytest.fixture
        def provider_overrides():
            return [name.override_with_value("Ada")]

        def test_sync(container, make_container):
            other = make_container(overrides=[name.override_with_value("Grace")])
            assert [each.read(greeting) for each in (container, other)] == ["Hello Ada", "Hello Grace"]

        async def test_async(container, make_container):
            assert len(ended) == 2 and all(each.disposed for each in ended)
            child = make_container(parent=container, separate=True)
            assert child.read(greeting) == "Hello Ada"

        def test_last():
            assert len(ended) == 3

        def test_what_is_no_override_is_refused(make_container):
            for wrong in (greeting.name, {}, lambda ref: "Ada"):
                with pytest.raises(NotAnOverrideError):
                    make_container(overrides=[wrong])
        """
    )
    result.assert_outcomes(passed=4)


def test_a_container_is_closed_in_the_loop_of_its_test(suite):
    result = suite(
        """
        import asyncio
        import pytest
        from tetherpy import FutureProvider

        @FutureProvider
        async def connection(ref):
            lock, loop = asyncio.Event(), asyncio.get_running_loop()
            async def close():
                assert asyncio.get_running_loop() is loop
                loop.call_later(0, lock.set)
                await lock.wait()
                closed.append(loop)
            ref.on_dispose(close)
            return 1

        closed = []

        async def test_uses_it(container):
            assert await container.read(connection.future) == 1

        def test_it_was_closed():
            assert len(closed) == 1

        @pytest.fixture
        async def connected(container):
            yield await container.read(connection.future)
            assert not container.disposed
            await asyncio.sleep(0)
            assert await container.read(connection.future) == 1

        async def test_a_fixture_may_use_it_to_its_own_end(connected):
            assert connected == 1

        def test_and_it_was_closed_then():
            assert len(closed) == 2
        """
    )
    result.assert_outcomes(passed=4)


def test_the_container_fixture_works_with_anyio_alone(suite):
    result = suite(
        """
        import asyncio
        import pytest
        from tetherpy import FutureProvider

        pytestmark = pytest.mark.anyio
        closed = []

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @FutureProvider
        async def connection(ref):
            loop = asyncio.get_running_loop()
            async def close():
                assert asyncio.get_running_loop() is loop
                await asyncio.sleep(0)
                closed.append(loop)
            ref.on_dispose(close)
            return 1

        @FutureProvider.auto_dispose
        async def feed(ref):
            return 1

        async def test_uses_it(container, jobs, clock):
            assert await container.read(connection.future) == 1
            jobs.register("greet", lambda service, payload, db: f"Hello {payload}")
            await jobs.enqueue("greet", "Ada", delay=60)
            assert not await jobs.drain()
            await clock.advance(60)
            assert (await jobs.drain()).results == ["Hello Ada"]

        def test_it_was_closed():
            assert len(closed) == 1

        async def test_leaks(container):
            container.listen(feed, lambda previous, value: None)
            asyncio.create_task(asyncio.sleep(1000))
        """,
        "-p",
        "no:asyncio",
        ini="[pytest]\nfilterwarnings = error",
    )
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*FutureProvider(feed) is auto-dispose*", "*task: * running sleep()*"])


def test_an_error_in_disposal_fails_the_test(suite):
    result = suite(
        """
        from tetherpy import Provider

        @Provider
        def stuck(ref):
            async def leave():
                raise OSError("stuck")
            ref.on_dispose(leave)

        async def test_async(container):
            container.read(stuck)

        def test_sync(container):
            container.read(stuck)
        """
    )
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["*OSError: stuck"])


@pytest.mark.new_interpreter
def test_the_plugin_imports_little():
    script = "import json, sys, tetherpy.testing.plugin; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(json.loads(done.stdout))
    assert {name for name in loaded if name.startswith("tetherpy.testing")} == {
        "tetherpy.testing",
        "tetherpy.testing.containers",
        "tetherpy.testing.test_end",
        "tetherpy.testing.plugin",
    }
    others = ("tetherpy.jobs", "tetherpy.database", "tetherpy.service", "reactivex", "sqlite3", "aiosqlite", "msgspec")
    assert loaded.isdisjoint(others)


def test_containers_of_provider_container_test_end_in_the_loop_of_their_test(suite):
    result = suite(
        """
        import unittest
        from tetherpy import FutureProvider, Provider, ProviderContainer
        from tetherpy.database import Database

        path = None
        closed = []

        @FutureProvider
        async def database(ref):
            ref.on_dispose(lambda: closed.append(path))
            return await ref.enter_async(Database.open(path))

        async def test_pytest_asyncio(tmp_path):
            global path
            path = tmp_path / "app.db"
            await ProviderContainer.test().read(database.future)

        @Provider
        def resource(ref):
            ref.on_dispose(lambda: closed.append("resource"))

        class TestUnittest(unittest.IsolatedAsyncioTestCase):
            async def test_unittest(self):
                ProviderContainer.test().read(resource)

        def test_all_were_closed():
            assert closed == [path, "resource"]
        """
    )
    result.assert_outcomes(passed=3)


def test_coroutines_that_run_without_asyncio_are_not_changed(suite):
    result = suite(
        """
        from tetherpy import Provider, ProviderContainer

        ended = []

        @Provider
        def resource(ref):
            ref.on_dispose(lambda: ended.append("resource"))
            return 1

        async def test_nothing_of_ours():
            pass

        async def test_containers_need_no_loop(container):
            assert ProviderContainer.test().read(resource) + container.read(resource) == 2

        def test_all_was_disposed():
            assert ended == ["resource"] * 2
        """,
        "-p",
        "no:asyncio",
        ini="[pytest]\nfilterwarnings = error",
        conftest="""
        import inspect
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_pyfunc_call(pyfuncitem):
            if not inspect.iscoroutinefunction(pyfuncitem.obj):
                return None
            names = pyfuncitem._fixtureinfo.argnames
            coroutine = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
            with pytest.raises(StopIteration):
                coroutine.send(None)
            return True
        """,
    )
    result.assert_outcomes(passed=3)


def test_every_kind_of_test_may_use_the_fixtures(suite):
    result = suite(
        '''
        """
        >>> 1 + 1
        2
        """
        import unittest
        import pytest

        class TestUnittest(unittest.TestCase):
            def test_nothing(self):
                pass

        class TestClass:
            @pytest.fixture(autouse=True)
            async def around(self, container):
                yield
                assert not container.disposed

            async def test_async(self, jobs):
                await jobs.enqueue("x")

            def test_sync(self, make_container):
                make_container()

        @pytest.mark.parametrize("seconds", [1, 2])
        async def test_parametrized(seconds, container, clock):
            await clock.advance(seconds)

        @pytest.mark.asyncio(loop_scope="module")
        async def test_shared_loop(jobs, clock):
            await jobs.enqueue("x")
            await clock.advance(1)

        @pytest.mark.asyncio(loop_scope="module")
        async def test_shared_loop_again(jobs, clock):
            await jobs.enqueue("x")
            await clock.advance(1)

        async def test_asked_for_late(request):
            request.getfixturevalue("container")

        def test_clock_without_loop(clock):
            assert clock.now().year == 2000
        ''',
        "--doctest-modules",
    )
    result.assert_outcomes(passed=10)
