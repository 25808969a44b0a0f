"""The payload and the result of a job that several tests declare."""

from __future__ import annotations

import attrs


@attrs.frozen
class Mail:
    to: str


@attrs.frozen
class Receipt:
    number: int
