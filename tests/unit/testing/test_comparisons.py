"""Output of a failed comparison."""

import pytest

from tetherpy import AsyncData, AsyncError, AsyncLoading
from tetherpy.testing.comparisons import explain_comparison


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    ("left", "right", "lines"),
    [
        (AsyncData(1), AsyncData(2), ["value: 1 != 2"]),
        (
            AsyncData(1),
            AsyncLoading(0.5),
            [
                "kind: AsyncData != AsyncLoading",
                "value: 1 != nothing",
                "is_loading: False != nothing",
                "retrying: False != nothing",
                "is_from_cache: False != nothing",
                "progress: nothing != 0.5",
            ],
        ),
        (AsyncError(ValueError("a")), AsyncError(ValueError("b")), ["error: ValueError('a') != ValueError('b')"]),
    ],
)
def test_asynchronous_values_are_compared_field_by_field(left, right, lines):
    title, *parts = explain_comparison("==", left, right)
    assert title == f"{left!r} == {right!r}"
    assert [part.strip() for part in parts] == lines


def test_an_error_is_shown_with_the_line_that_raised_it():
    lines = explain_comparison("==", AsyncError(raised(OSError("gone"))), AsyncData(1))
    assert lines[-1].startswith(f"  OSError was raised at {__file__}:")
    assert lines[-1].endswith(" in raised")


def test_other_values_and_operators_keep_the_output_of_pytest():
    assert explain_comparison("==", AsyncData(1), 1) is None
    assert explain_comparison("!=", AsyncData(1), AsyncData(1)) is None
    assert explain_comparison("==", [], []) is None


def test_a_failed_test_shows_the_comparison(suite):
    result = suite(
        """
        from tetherpy import AsyncData, FutureProvider

        @FutureProvider
        async def name(ref):
            raise OSError("no route")

        async def test_value(make_container):
            container = make_container(on_error=lambda error, provider: None)
            container.listen(name, lambda previous, value: None)
            await container.pump()
            while container.read(name).is_loading:
                await __import__("asyncio").sleep(0)
            assert container.read(name) == AsyncData("Ada")

        async def test_jobs(jobs):
            def greet(service, payload, db):
                raise ValueError("no name")
            jobs.register("greet", greet)
            await jobs.enqueue("greet", {"name": "Ada"}, max_attempts=1)
            assert await jobs.drain() == []

        async def test_nothing(jobs):
            await jobs.enqueue("mail")
            assert jobs.enqueued("greet")

        def test_list(jobs):
            assert jobs.enqueued() == [1]

        async def test_facts(jobs):
            await jobs.enqueue("mail", 7)
            assert jobs.enqueued("mail").results == ["sent"]

        async def test_facts_of_nothing(jobs):
            await jobs.enqueue("mail", 7)
            assert jobs.enqueued("male").results == ["sent"]
        """
    )
    result.assert_outcomes(failed=6)
    result.stdout.fnmatch_lines(
        [
            "E   *assert AsyncError(OSError('no route')) == AsyncData('Ada')",
            "E   *kind: AsyncError != AsyncData",
            "E   *error: OSError('no route') != nothing",
            "E   *OSError was raised at *test_app.py:5 in name",
            "E   *assert JobList of 1 == list of 0",
            'E   *1 greet FAILED {"name":"Ada"} attempt 1 of 1 ! ValueError: no name',
            "*Captured log call*",
            "WARNING  tetherpy.testing:inline_jobs.py:* Attempt 1 of job 1 ('greet') failed: Traceback *",
            "ValueError: no name",
            "E   *assert <no 'greet' was enqueued, but 1 x 'mail'>",
            "E   *<nothing was enqueued>",
            "E   *assert ?None] == ?'sent']",
            "E   *At index 0 diff: None != 'sent'",
            "E   *of these jobs:",
            "E   *1 mail PENDING 7",
            "E   *<no 'male' was enqueued, but 1 x 'mail'>",
        ]
    )
