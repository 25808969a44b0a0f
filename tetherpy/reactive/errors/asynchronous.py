"""Errors of asynchronous providers: values not available yet, streams, cancellation, event loops."""

from __future__ import annotations

from tetherpy.errors import message

from .base import ReactiveError


@message(
    "require_value was read while the value is still {value!r}. "
    "First `await` the provider's `.future`, or match on the AsyncValue. "
    "In the build of another provider this leaves that provider loading as well."
)
class AsyncValueIsLoadingError(ReactiveError):
    """Raised by ``require_value`` on an AsyncValue that has neither data nor error yet."""

    value: object


@message(
    "The stream of {provider!r} ended before it delivered a value, so its future has no result. "
    "Have the stream deliver a first value, or match on the provider's state, which stays AsyncLoading."
)
class StreamEndedError(ReactiveError):
    """Raised by the future of a stream provider whose stream ended without a value.

    Attributes:
        provider: the provider.
    """

    provider: object


@message(
    "The build of {provider!r} ended with CancelledError although the provider was neither disposed nor "
    "rebuilt: a task or future that it awaited was cancelled. Invalidate the provider to build it again."
)
class BuildCancelledError(ReactiveError):
    """The error of an async provider whose build was cancelled from inside.

    Attributes:
        provider: the provider.
    """

    provider: object


class NotAnExceptionError(ReactiveError):
    """Replaces the argument of ``on_error`` when an Rx source passes something other than an Exception.

    Attributes:
        provider: the provider that subscribes to the source.
        given: the object that the source passed.
    """

    def __init__(self, provider: object, given: object) -> None:
        super().__init__(
            f"The stream of {provider!r} failed with {given!r}, and {type(given).__name__} is not an Exception. "
            "Have the source call on_error with an Exception."
        )
        self.provider = provider
        self.given = given
        self.__cause__ = given if isinstance(given, BaseException) else None


@message("{subject!r} needs a running event loop and there is none in this thread. {remedy}")
class NoEventLoopError(ReactiveError):
    """Raised when an asynchronous operation is needed and no event loop runs in this thread.

    Attributes:
        subject: the object that needs the loop.
    """

    subject: object
    remedy: str


@message(
    "The event loop ran while a batch() of {container!r} was open. No provider of the container is refreshed "
    "inside a batch, so a task that waits for a change there would wait forever; the batch was ended at "
    "the await. Await first, then make the changes in a batch() without an await."
)
class BatchOverAwaitError(ReactiveError):
    """Raised at the end of a ``batch()`` block that awaited.

    Attributes:
        container: the container of the batch.
    """

    container: object
