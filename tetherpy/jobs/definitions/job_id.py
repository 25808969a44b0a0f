"""The id of a stored job, which knows the type of the job's result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

if TYPE_CHECKING:
    from typing_extensions import TypeVar as DefaultTypeVar

    R_co = DefaultTypeVar("R_co", covariant=True, default=Any)
else:
    R_co = TypeVar("R_co", covariant=True)


class JobId(int, Generic[R_co]):
    """The id of a job: an ``int`` that knows the job's key and the type of its result.

    It equals the plain number, and is stored, encoded and pickled as one, without the rest.

    Attributes:
        job_key: the key of the job, None if it is not known.
        result_type: the type that ``BackgroundJobManager.result`` decodes the result to.
        is_new: whether the call that returned it has stored the job. It is False if a job with the same unique key was
            PENDING or RUNNING, and the id is that of the other job.
    """

    job_key: str | None = None
    result_type: Any = Any
    is_new: bool = False

    def __new__(cls, number: int, job_key: str | None = None, result_type: Any = Any, *, is_new: bool = False) -> Self:
        """Create an id from its number."""
        job_id = super().__new__(cls, number)
        job_id.job_key = job_key
        job_id.result_type = result_type
        job_id.is_new = is_new
        return job_id

    def __reduce__(self) -> tuple[Callable[[int], int], tuple[int]]:
        return int, (int(self),)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self
