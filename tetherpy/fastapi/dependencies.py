"""Dependencies of path operations: the container of a request, and the values of providers."""

# FastAPI reads the annotations of a callable object, and cannot evaluate them if they are texts.

from collections.abc import AsyncIterator
from typing import Annotated, Any, Generic, TypeVar, cast, overload

import attrs
from fastapi import Depends
from fastapi.requests import HTTPConnection

from tetherpy.reactive import AsyncProviderBase, ProviderContainer, ProviderError, ProviderListenable
from tetherpy.starlette import opened_container, opening

T = TypeVar("T")


async def request_container(connection: HTTPConnection) -> AsyncIterator[ProviderContainer]:
    """Open the container of the current request or websocket, for ``Depends(request_container)``.

    It is a child of the app's container with the scope "request". It is closed after the response, its streamed body
    and its background tasks, with the exception that ended the request.

    Raises:
        NoAppContainerError: the app was created without ``lifespan=lifespan(container)``.
    """
    opened = opened_container(connection)
    if opened is not None:
        yield opened
        return
    async with opening(connection) as container:
        yield container


@attrs.frozen
class Watched(Generic[T]):
    """A dependency whose value is that of a provider; made by ``watch``."""

    listenable: ProviderListenable[Any]

    async def __call__(self, container: Annotated[ProviderContainer, Depends(request_container)]) -> T:
        """Return the value; the provider is in use until the end of the request."""
        subscription = container.listen(self.listenable, _ignore_change, on_error=_ignore_error)
        try:
            listenable: Any = self.listenable
            if isinstance(listenable, AsyncProviderBase):
                value: T = await container.read(cast("AsyncProviderBase[T]", listenable).future)
            else:
                value = subscription.read()
        except ProviderError as error:
            if isinstance(error.root, Exception):
                raise error.root from error  # so that the app's exception handlers find it by its type
            raise
        return value


@overload
def watch(provider: AsyncProviderBase[T]) -> Watched[T]: ...
@overload
def watch(provider: ProviderListenable[T]) -> Watched[T]: ...
def watch(provider: ProviderListenable[Any]) -> Watched[Any]:
    """Return a dependency with the value of a provider: ``Annotated[User, Depends(watch(user_provider))]``.

    The value of an asynchronous provider is awaited. An exception in the provider, such as an ``HTTPException``,
    ends the request as if the path operation had raised it.
    """
    return Watched(provider)


def _ignore_change(previous: object, value: object) -> None:
    """Do nothing: the request has read the value that it works with."""


def _ignore_error(error: Exception) -> None:
    """Do nothing: the request raises the error, and the container reports it."""
