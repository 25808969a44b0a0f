"""One retry policy for jobs and providers: which errors are retried, how often, and in which form it is stored."""

from datetime import timedelta

import pytest

from tetherpy import Backoff, FutureProvider, JobArgumentError, JobDefinition, NewJob, ProviderContainer
from tetherpy.jobs.schedules.backoff import from_json, to_json


class FatalError(Exception):
    pass


class WorseError(FatalError):
    pass


ONE, TWO = FatalError("1"), OSError("2")


@pytest.mark.parametrize(
    ("policy", "error", "is_retried"),
    [
        (Backoff(never=FatalError), OSError(), True),
        (Backoff(never=FatalError), WorseError(), False),
        (Backoff(never=(ValueError, FatalError)), ExceptionGroup("", [TWO, ExceptionGroup("", [ONE])]), False),
        (Backoff(only=(OSError,)), TimeoutError(), True),
        (Backoff(only=(OSError,)), FatalError(), False),
        (Backoff(only=OSError), ExceptionGroup("", [TWO, TWO]), True),
        (Backoff(only=OSError), ExceptionGroup("", [TWO, ONE]), False),
        (Backoff(only=()), OSError(), False),
        (Backoff(only=OSError, never=TimeoutError), TimeoutError(), False),
        (Backoff(never="builtins:OSError"), TimeoutError(), False),
        (Backoff(only=["builtins:OSError"]), FatalError(), False),
        (Backoff(max_attempts=2), OSError(), True),
        (Backoff(max_attempts=1), OSError(), False),
    ],
)
def test_a_retry_follows_the_errors_that_the_policy_allows(policy, error, is_retried):
    assert policy.allows(1, error) is is_retried
    assert (policy(0, error) is not None) is is_retried
    # The number of attempts is stored with the job, not with the policy.
    assert from_json(to_json(policy)).allows(1, error) is (is_retried or policy.max_attempts == 1)


def test_a_backoff_called_as_a_function_counts_retries_from_zero():
    policy = Backoff(initial=1, factor=3, jitter=0, max_attempts=4)
    waits = [policy(count, OSError()) for count in range(5)]
    assert waits == [timedelta(seconds=1), timedelta(seconds=3), timedelta(seconds=9), None, None]


async def test_a_backoff_is_a_retry_policy_of_a_provider():
    builds = []

    async def fail(ref):
        builds.append(1)
        raise FatalError if len(builds) == 3 else OSError

    failing = FutureProvider(fail, name="failing", retry=Backoff(initial=0, never=FatalError))
    async with ProviderContainer() as container:
        container.listen(failing, lambda _, __: None)
        with pytest.raises(FatalError):
            await container.read(failing.future)
    assert len(builds) == 3


@pytest.mark.parametrize("policy", [
    Backoff(),
    Backoff(initial=timedelta.max, maximum=timedelta.max, factor=1.5, jitter=0),
    Backoff(initial=timedelta(microseconds=1), only=()),
])  # fmt: skip
def test_the_stored_form_is_exact(policy):
    assert from_json(to_json(policy)) == policy


def test_classes_are_stored_by_name_and_others_are_refused():
    stored = from_json(to_json(Backoff(never=FatalError, only=[OSError, "app:Busy"])))
    assert (stored.never, stored.only) == ((f"{__name__}:FatalError",), ("builtins:OSError", "app:Busy"))

    class LocalError(Exception):
        pass

    with pytest.raises(JobArgumentError, match="top of a module"):
        to_json(Backoff(never=LocalError))
    with pytest.raises(JobArgumentError, match="top of a module"):
        to_json(Backoff(only="__main__:Busy"))
    for text in ("", "[]", '{"initial": "1"}', '{"initial":1,"factor":0,"maximum":1,"jitter":0}'):
        with pytest.raises(ValueError, match=r"retry|factor"):
            from_json(text)


@pytest.mark.parametrize("options", [
    {"never": "no colon"}, {"never": [int]}, {"never": 5}, {"only": 5},
    {"only": [OSError()]}, {"max_attempts": 0}, {"max_attempts": True},
])  # fmt: skip
def test_an_invalid_policy_is_refused(options):
    with pytest.raises(JobArgumentError, match=next(iter(options))):
        Backoff(**options)


def test_the_attempts_of_a_policy_are_those_of_its_jobs():
    assert NewJob(job_key="k", retry=Backoff(max_attempts=7)).max_attempts == 7
    assert NewJob(job_key="k", retry=Backoff()).max_attempts == 3
    assert NewJob(job_key="k", retry=Backoff(), max_attempts=5).max_attempts == 5
    with pytest.raises(JobArgumentError, match="give one of them"):
        NewJob(job_key="k", retry=Backoff(max_attempts=7), max_attempts=5)
    with pytest.raises(JobArgumentError, match="Backoff"):
        NewJob(job_key="k", retry=lambda count, error: None)
    definition = JobDefinition("k", retry=Backoff(max_attempts=7))
    assert (definition.new().max_attempts, definition.new(max_attempts=2).max_attempts) == (7, 2)
    assert definition.new(retry=Backoff(max_attempts=9)).max_attempts == 9
