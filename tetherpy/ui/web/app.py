"""The dashboard as an ASGI app, to mount in any other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from tetherpy.durable import ManagerSource
from tetherpy.jobs import WallClock, utc_now
from tetherpy.reactive import ProviderContainer, ProviderListenable
from tetherpy.service import BackgroundService

from .actions.button_actions import Actions
from .actions.form_data import read_form
from .actions.responses import Responses
from .event_stream import Live
from .health import HEALTH_PATH, HealthCheck
from .pages.fragments import declare_parts
from .pages.page_providers import declare_sources
from .pages.pages import Page, Pages
from .pages.rendering import STATIC, Renderer
from .security.access_policy import AccessPolicy, Authorize
from .security.gate import Gate, log_in, log_out, too_many_guesses
from .security.host_and_origin import LOCAL_HOSTS
from .security.login_attempts import LoginAttempts


def dashboard(
    container: ProviderContainer,
    *,
    manager: ManagerSource,
    service: ProviderListenable[BackgroundService] | None = None,
    startable: bool = True,
    title: str = "Background jobs",
    hosts: Iterable[str] = LOCAL_HOSTS,
    token: str | None = None,
    authorize: Authorize | None = None,
    clock: WallClock = utc_now,
) -> ASGIApp:
    """Return the dashboard of a container's jobs as an ASGI app, for ``Mount("/jobs", dashboard(...))``.

    Requests read ``manager`` and ``service`` from the container, in the thread of the container. Without
    ``service`` there is nothing to start or stop; one that is not ``startable`` (it has no initialization callback)
    can only be stopped.

    By default only requests from this machine are served, and none from a proxy. To serve others, name the ``hosts``
    that the Host header may contain, and give a ``token`` to log in with, or ``authorize`` with the login of your
    app; with both, either admits. ``/healthz`` is open to all: it answers 200 if the database can be read, else 503.

    Raises ``DashboardExposedError`` for other hosts without either, and ``WeakTokenError`` for a short token.
    """
    access = AccessPolicy(hosts=tuple(hosts), token=token, authorize=authorize, clock=clock)
    login_attempts = LoginAttempts()
    sources = declare_sources(manager, service, clock, startable=startable)
    drawing = Renderer(title)
    live = Live(container)
    pages = Pages(declare_parts(sources, drawing), sources, drawing, live)
    actions = Actions(container, sources)
    responses = Responses(drawing)

    def routes(path: str, page: Callable[[Request], Awaitable[Page]]) -> list[Route]:
        async def show(request: Request) -> Response:
            return await pages.show(await page(request), request)

        async def follow(request: Request) -> ASGIApp:
            return await pages.follow(await page(request), request)

        return [Route(f"/{path}", show), Route(f"/live/{path}", follow)]

    async def login(request: Request) -> Response:
        if request.method == "POST":
            form = await read_form(request)
            if pause := login_attempts.pause(request):
                return too_many_guesses(pause)
            if access.is_token(form.get("token")):
                return log_in(access, request)
            login_attempts.note(request)
        wrong = request.method == "POST"
        root = request.scope.get("root_path", "")
        return HTMLResponse(drawing.draw("login.html", root=root, wrong=wrong), 401 if wrong else 200)

    async def logout(request: Request) -> Response:
        return log_out(access, request)

    app = Starlette(
        routes=[
            *routes("", pages.jobs),
            *routes("jobs/{job_id}", pages.job),
            *routes("service", pages.service),
            *routes("enqueue", pages.enqueue),
            Route("/actions", responses.to(actions.change_jobs, actions.confirm_change), methods=["POST"]),
            Route("/enqueue", responses.to(actions.enqueue), methods=["POST"]),
            Route("/service/start", responses.to(actions.start), methods=["POST"]),
            Route("/service/stop", responses.to(actions.stop, actions.confirm_stop), methods=["POST"]),
            Route("/login", login, methods=["GET", "POST"]),
            Route("/logout", logout, methods=["POST"]),
            Route(HEALTH_PATH, HealthCheck(container, sources.manager).answer),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        exception_handlers={HTTPException: _refuse},
    )
    return Gate(app, access, login_attempts)


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
