"""``@message`` gives an error class its constructor and its text."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from tetherpy.errors import TetherError, message


@message("{path!q} has {size:,} bytes, and {limit!r} are allowed ({reason!c}), says {path.name}.")
class TooLargeError(TetherError, TimeoutError):
    """A file is too large."""

    path: Path
    size: int
    reason: str = "disk quota."
    limit: object = None


@message("{path!q} was removed by {user}.")
class RemovedError(TooLargeError):
    """The file was removed."""

    user: str = "root"


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


def test_the_text_is_made_from_the_attributes() -> None:
    error = TooLargeError(Path("a/b"), size=1_000)
    assert str(error) == "'a/b' has 1,000 bytes, and None are allowed (disk quota), says b."
    assert vars(error) == {"path": Path("a/b"), "size": 1_000, "reason": "disk quota.", "limit": None}
    assert error.args == (str(error),)


def test_a_value_without_a_text_hides_no_error() -> None:
    assert "RuntimeError" in str(TooLargeError(Path("a"), 1, "full", Unprintable()))


def test_a_subclass_takes_the_attributes_of_its_base_first() -> None:
    error = RemovedError(Path("a"), 1, "full", 2, "joe")
    assert str(error) == "'a' was removed by joe."
    assert [*inspect.signature(RemovedError).parameters] == ["path", "size", "reason", "limit", "user"]


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match="size"):
        TooLargeError(Path("a"))  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="too many"):
        TooLargeError(Path("a"), 1, "full", 2, 3)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="nothing"):
        TooLargeError(Path("a"), 1, nothing=2)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
