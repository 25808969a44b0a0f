"""Arguments of similar types are converted, others are refused at the call: every stored value can be read."""

from decimal import Decimal
from enum import IntEnum, StrEnum
from pathlib import Path

import attrs
import numpy as np
import pytest

from tetherpy.database import Database
from tetherpy.jobs import (
    BackgroundJobManager,
    BackgroundJobStatus,
    Claim,
    JobArgumentError,
    JobNotFoundError,
    JobQuery,
    NewJob,
    Progress,
    UnknownStatusError,
)


class Level(IntEnum):
    LOW = -10
    HIGH = 10


class Steps(int):
    pass


class Key(StrEnum):
    MAIL = "mail"


class MixedKey(StrEnum):
    MAIL = "mail"


@pytest.mark.parametrize("field", ["priority", "max_attempts"])
@pytest.mark.parametrize("value", [Level.HIGH, Steps(10), np.int64(10), np.array(10)])
def test_integer_like_values_are_converted(field, value):
    stored = getattr(NewJob(job_key="k", **{field: value}), field)
    assert type(stored) is int
    assert stored == 10


@pytest.mark.parametrize("field", ["priority", "max_attempts"])
@pytest.mark.parametrize("value", [2.0, None, "5", Decimal(2), np.float64(2), b"2", [2], True, np.True_])
def test_values_without_an_index_are_refused(field, value):
    with pytest.raises(JobArgumentError, match=f"NewJob.{field}") as raised:
        NewJob(job_key="k", **{field: value})
    assert raised.value.value is value


@pytest.mark.parametrize(
    "value", [0, -1, 2**63, np.int64(0), 10**5000], ids=["zero", "negative", "65 bits", "numpy", "huge"]
)
def test_a_number_of_attempts_out_of_bounds_is_refused(value):
    with pytest.raises(JobArgumentError, match=r"NewJob.max_attempts is .* it must be from 1 to"):
        NewJob(job_key="k", max_attempts=value)


@pytest.mark.parametrize("field", ["job_key", "queue", "unique_key"])
def test_subclasses_of_str_are_stored_as_plain_str(field):
    for value in (Key.MAIL, MixedKey.MAIL, np.str_("mail")):
        stored = getattr(NewJob(**{"job_key": "k", field: value}), field)
        assert (type(stored), stored) == (str, "mail")
    for wrong in (b"mail", 7, np.int64(7), Path("mail"), ["mail"]):
        with pytest.raises(JobArgumentError, match=f"NewJob.{field}"):
            NewJob(**{"job_key": "k", field: wrong})


def test_a_value_that_is_not_a_datetime_is_refused():
    for wrong in ("2030-01-01T00:00:00Z", 5, np.datetime64("2030-01-01")):
        with pytest.raises(JobArgumentError, match="run_at"):
            NewJob(job_key="k", run_at=wrong)


@pytest.mark.parametrize("field", [field.name for field in attrs.fields(JobQuery) if field.name != "order_by_creation"])
def test_a_query_refuses_values_that_a_database_could_misread(field):
    with pytest.raises((JobArgumentError, UnknownStatusError)):
        JobQuery(**{field: object()})


@pytest.mark.parametrize("meta", [(1, 2), ("ab",), (("a", "b", "c"),), (("a", 1),), ((["a"], "b"),), [("a", "b")]])
def test_a_query_for_a_meta_takes_a_mapping(meta):
    with pytest.raises(JobArgumentError, match=r"JobQuery\.meta"):
        JobQuery(meta=meta)
    query = JobQuery(meta={"a": "b"})
    assert attrs.evolve(query, limit=None).meta == query.meta


def test_progress_takes_a_number_and_a_text(claim):
    for number in (np.float32(0.25), np.float64(0.25), Decimal("0.25"), 0.25):
        assert type(Progress(claim, number).fraction) is float
    for wrong in ("0.5", b"1", [1], 1j, True, 10**400):
        with pytest.raises(JobArgumentError, match="progress"):
            Progress(claim, wrong)
    for wrong in (5, b"x", Path("x"), ["x"]):
        with pytest.raises(JobArgumentError, match="message"):
            Progress(claim, 0.5, wrong)


async def test_all_calls_convert_ids_and_statuses_alike(tmp_path):
    async with Database.open(tmp_path / "jobs.db") as db:
        manager = BackgroundJobManager(db)
        job_id = await manager.enqueue("k")
        assert (await manager.get_job_by_id(np.int64(job_id))).id == job_id
        assert [job.id for job in await manager.get_jobs_by_status("PENDING")] == [job_id]
        assert await manager.get_job_count_by_status("PENDING") == 1
        assert (await manager.update_job_status(np.int64(job_id), "CANCELLED")).status is BackgroundJobStatus.CANCELLED
        assert (await manager.retry_job(Steps(job_id))).status is BackgroundJobStatus.PENDING
        assert await manager.delete_jobs_by_status("PENDING") == 1
        assert await manager.get_job_by_id(2**70) is None
        for call in (manager.cancel_job, manager.delete_job, manager.retry_job, manager.get_attempts, manager.wait_for):
            with pytest.raises(JobNotFoundError):
                await call(2**70)
            for wrong in ("1", 1.0, None, True):
                with pytest.raises(JobArgumentError, match="job_id"):
                    await call(wrong)
        for call in (manager.get_jobs_by_status, manager.get_job_count_by_status, manager.delete_jobs_by_status):
            with pytest.raises(UnknownStatusError, match="did you mean 'COMPLETED'"):
                await call("complete")
        with pytest.raises(UnknownStatusError):
            manager.watch_jobs_by_status("done")


@pytest.fixture
async def claim(tmp_path):
    async with Database.open(tmp_path / "claims.db") as db:
        manager = BackgroundJobManager(db)
        return Claim(await manager.get_job_by_id(await manager.enqueue("k")), fencing_token=1)
