"""Parse integers."""

from __future__ import annotations

from collections.abc import Callable

import typer

LARGEST = 2**63 - 1
"""The largest SQL integer; the smallest is ``-LARGEST - 1``."""


def integer_between(least: int = -LARGEST - 1, most: int = LARGEST) -> Callable[[str | int], int]:
    """Return a parser of integers from ``least`` to ``most``, inclusive."""

    def read(text: str | int) -> int:
        try:
            number = int(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} is not an integer.") from error
        if number < least:
            raise typer.BadParameter(f"{number} is too small: the minimum is {least}.")
        if number > most:
            raise typer.BadParameter(f"{number} is too large: the maximum is {most}.")
        return number

    return read
