"""Decorators that declare providers and families with options."""

from __future__ import annotations

from typing import Generic, TypeVar

from .provider_options import ProviderOptions


class FamilyBuilder:
    """Base of the decorators that declare families of one kind of provider."""

    __slots__ = ("_options",)

    def __init__(self, options: ProviderOptions) -> None:
        self._options = options


F = TypeVar("F", bound=FamilyBuilder)


class Builder(Generic[F]):
    """Base of the decorators that declare providers of one kind.

    Attributes:
        family: declares families with the same options.
    """

    __slots__ = ("_options", "family")

    def __init__(self, options: ProviderOptions, family: type[F]) -> None:
        self._options = options
        self.family = family(options)
