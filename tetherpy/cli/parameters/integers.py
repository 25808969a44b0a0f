"""How whole numbers are read."""

from __future__ import annotations

from collections.abc import Callable

import typer

LARGEST = 2**63 - 1
"""What an SQL integer holds; the least one is as far from zero, and one further."""


def whole_number(least: int = -LARGEST - 1, most: int = LARGEST) -> Callable[[str | int], int]:
    """Return what reads a whole number, from ``least`` to ``most``, both included."""

    def read(text: str | int) -> int:
        try:
            number = int(text)
        except ValueError as error:
            raise typer.BadParameter(f"{text!r} is not an integer.") from error
        if number < least:
            raise typer.BadParameter(f"{number} is too small: at least {least}.")
        if number > most:
            raise typer.BadParameter(f"{number} is too large: at most {most}.")
        return number

    return read
