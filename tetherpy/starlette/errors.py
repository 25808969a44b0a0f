"""Errors of containers in web apps."""

from __future__ import annotations

from tetherpy.errors import TetherError


class WebAppError(TetherError):
    """Base of the errors about containers in web apps."""


class NoAppContainerError(WebAppError, LookupError):
    """Raised when a request needs the container of the app, and the app has none."""

    def __init__(self) -> None:
        super().__init__(
            "The app has no container. Create the app with lifespan=lifespan(container, service), and let the server "
            "or the test run the lifespan; or set app.state.container."
        )


class NoRequestContainerError(WebAppError, LookupError):
    """Raised when a request has no container, because the middleware that creates it is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "This request has no container. Add Middleware(RequestScopeMiddleware) to the app, or in FastAPI use "
            "Depends(request_container)."
        )


class WrongConnectionError(WebAppError, TypeError):
    """Raised when a provider needs a request and the connection is a websocket, or the reverse.

    Attributes:
        wanted: the type of connection that the provider needs.
        given: the type of the current connection.
    """

    def __init__(self, wanted: str, given: str) -> None:
        super().__init__(
            f"The current connection is a {given}, and a provider needs a {wanted}. A provider that serves both uses "
            "connection_provider."
        )
        self.wanted = wanted
        self.given = given
