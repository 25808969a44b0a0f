"""Test a job without a worker."""

from tetherpy.testing import InlineJobs

from .define import greet


async def test_greeting(jobs: InlineJobs) -> None:
    await jobs.enqueue(greet, "Ada")
    assert (await jobs.drain()).results == ["Hello Ada!"]
