"""Errors of containers in web apps."""

from __future__ import annotations

from tetherpy.errors import TetherError, message


class WebAppError(TetherError):
    """Base of the errors about containers in web apps."""


@message(
    "The app has no container. Create the app with lifespan=lifespan(container, service), and let the server "
    "or the test run the lifespan; or set app.state.container."
)
class NoAppContainerError(WebAppError, LookupError):
    """Raised when a request needs the container of the app, and the app has none."""


@message(
    "This request has no container. Add Middleware(RequestScopeMiddleware) to the app, or in FastAPI use "
    "Depends(request_container)."
)
class NoRequestContainerError(WebAppError, LookupError):
    """Raised when a request has no container, because the middleware that creates it is not installed."""


@message(
    "The current connection is a {given}, and a provider needs a {wanted}. A provider that serves both uses "
    "connection_provider."
)
class WrongConnectionError(WebAppError, TypeError):
    """Raised when a provider needs a request and the connection is a websocket, or the reverse.

    Attributes:
        wanted: the type of connection that the provider needs.
        given: the type of the current connection.
    """

    wanted: str
    given: str
