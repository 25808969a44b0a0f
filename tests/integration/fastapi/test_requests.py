"""Request containers in FastAPI and Starlette: one per request, closed after the response with its error."""

import asyncio
import contextlib
import socket
from contextlib import asynccontextmanager
from typing import Annotated

import httpx
import pytest
import uvicorn
from fastapi import (
    BackgroundTasks,
    Depends,
    FastAPI,
    HTTPException,
    Request,
    WebSocket,
    WebSocketDisconnect,
    WebSocketException,
)
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route, WebSocketRoute

from tests.support.waiting import until
from tetherpy import BackgroundService, FutureProvider, Provider, ProviderContainer, Ref
from tetherpy.fastapi import (
    connection_provider,
    lifespan,
    request_container,
    request_provider,
    watch,
    websocket_provider,
)
from tetherpy.starlette import NoAppContainerError, RequestScopeMiddleware, container_of


class Log(list[str]):
    """The events of an app."""


log_provider = Provider(lambda ref: Log())


@asynccontextmanager
async def transaction(log, name):
    log.append(f"begin {name}")
    try:
        yield name
    except BaseException as error:
        log.append(f"rollback {name} {type(error).__name__}")
        raise
    log.append(f"commit {name}")


@Provider.options(scope="request")
def user_provider(ref: Ref) -> str:
    name = ref.watch(connection_provider).headers.get("x-user")
    if name is None:
        raise HTTPException(401, "who are you?")
    return name


@FutureProvider.options(scope="request")
async def transaction_provider(ref: Ref) -> str:
    name = ref.watch(user_provider)
    return await ref.enter_async(transaction(ref.watch(log_provider), name))


User = Annotated[str, Depends(watch(user_provider))]
Transaction = Annotated[str, Depends(watch(transaction_provider))]
Container = Annotated[ProviderContainer, Depends(request_container)]
LogOf = Annotated[Log, Depends(watch(log_provider))]


def make_app() -> FastAPI:
    app = FastAPI(lifespan=lifespan(ProviderContainer))

    @app.get("/ok")
    async def ok(tx: Transaction, user: User, container: Container, again: Container) -> str:
        assert container is again
        assert container.read(user_provider) == user == tx
        assert container.read(request_provider).url.path == "/ok"
        return tx

    @app.get("/sync")
    def sync(user: User) -> str:
        return user

    @app.get("/fail/{how}")
    async def fail(how: str, tx: Transaction) -> str:
        raise HTTPException(409, "no") if how == "http" else ValueError("no")

    @app.get("/stream")
    async def stream(tx: Transaction, log: LogOf) -> StreamingResponse:
        async def body():
            for number in range(3):
                log.append(f"chunk {number}")
                yield str(number)
                await asyncio.sleep(0)

        return StreamingResponse(body())

    @app.get("/endless")
    async def endless(tx: Transaction) -> StreamingResponse:
        async def body():
            while True:
                yield "x" * 10_000
                await asyncio.sleep(0)

        return StreamingResponse(body())

    @app.get("/background")
    async def background(tx: Transaction, log: LogOf, tasks: BackgroundTasks) -> str:
        tasks.add_task(log.append, "background")
        return tx

    @app.websocket("/ws")
    async def ws(websocket: WebSocket, socket: Annotated[WebSocket, Depends(watch(websocket_provider))]) -> None:
        await websocket.accept()
        await websocket.send_text(str(socket is websocket))
        await websocket.close()

    return app


@contextlib.asynccontextmanager
async def client_of(app):
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client, app.state.container


@contextlib.asynccontextmanager
async def serving(app):
    """Serve an app with uvicorn, with the limits of a real server."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="on"))
    running = asyncio.create_task(server.serve([listener]))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", timeout=30) as client:
        while not server.started:
            assert not running.done()
            await asyncio.sleep(0.01)
        try:
            yield client
        finally:
            server.should_exit = True
            await running


ADA = {"x-user": "Ada"}


async def test_a_request_has_one_container_that_is_closed_after_it():
    async with client_of(make_app()) as (client, container):
        assert (await client.get("/ok", headers=ADA)).json() == "Ada"
        assert (await client.get("/sync", headers=ADA)).json() == "Ada"
        assert container.read(log_provider) == ["begin Ada", "commit Ada"]
        assert container.children == ()


@pytest.mark.parametrize(("how", "status", "error"), [("http", 409, "HTTPException"), ("other", 500, "ValueError")])
async def test_an_error_reaches_the_transaction_of_the_request(how, status, error):
    async with client_of(make_app()) as (client, container):
        assert (await client.get(f"/fail/{how}", headers=ADA)).status_code == status
        assert container.read(log_provider) == ["begin Ada", f"rollback Ada {error}"]
        assert container.children == ()


async def test_an_http_exception_of_a_provider_is_the_answer():
    async with client_of(make_app()) as (client, _):
        for path in ("/ok", "/sync"):
            answer = await client.get(path)
            assert (answer.status_code, answer.json()) == (401, {"detail": "who are you?"})


async def test_the_container_outlives_streams_and_background_tasks():
    async with client_of(make_app()) as (client, container):
        assert (await client.get("/stream", headers=ADA)).text == "012"
        await client.get("/background", headers=ADA)
        assert container.read(log_provider) == [
            "begin Ada", "chunk 0", "chunk 1", "chunk 2", "commit Ada", "begin Ada", "background", "commit Ada",
        ]  # fmt: skip


@pytest.mark.parametrize("has_middleware", [True, False])
async def test_a_commit_that_fails_is_the_answer_if_the_container_was_closed_before(has_middleware):
    @asynccontextmanager
    async def uncommitted():
        yield
        raise OSError("the disk is full")

    @FutureProvider.options(scope="request")
    async def failing(ref: Ref) -> None:
        await ref.enter_async(uncommitted())

    app = FastAPI(lifespan=lifespan(lambda: ProviderContainer(on_error=lambda error, provider: None)))
    if has_middleware:
        app.add_middleware(RequestScopeMiddleware)

    @app.get("/{when}")
    async def save(when: str, session: Annotated[None, Depends(watch(failing))], container: Container) -> str:
        if when == "before":
            await container.aclose()
        return when

    async with client_of(app) as (client, _):
        assert [(await client.get(path)).status_code for path in ("/before", "/after")] == [500, 200]


async def test_a_websocket_has_a_container():
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "path": "/ws", "headers": [], "query_string": b"", "subprotocols": []}
    app = make_app()
    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
        assert app.state.container.children == ()
    assert [message.get("text") for message in sent] == [None, "True", None]


async def test_a_client_that_disconnects_rolls_back():
    app = make_app()
    app.add_middleware(RequestScopeMiddleware)
    async with serving(app) as client:
        async with client.stream("GET", "/endless", headers=ADA) as answer:
            async for _ in answer.aiter_bytes():
                break
        container = app.state.container
        await until(lambda: len(container.read(log_provider)) > 1)  # the child leaves before its managers exit
        assert container.read(log_provider) == ["begin Ada", "rollback Ada ClientDisconnect"]
        assert not container.children


@pytest.mark.parametrize("extension", ["http.response.pathsend", "http.response.zerocopysend", None])
async def test_a_file_that_the_server_sends_commits(extension):
    async def send_file(scope, receive, send):
        connection = Request(scope, receive)
        await container_of(connection).read(transaction_provider.future)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": extension or "http.response.body", "path": __file__, "file": 1, "body": b"."})

    async def receive():
        return {"type": "http.request"}

    sent = []

    async def send(message):
        sent.append(message)

    async with ProviderContainer() as container:
        state = {"container": container}
        headers = [(b"x-user", b"Ada")]
        scope = {"type": "http", "method": "GET", "path": "/", "headers": headers, "state": state}
        await RequestScopeMiddleware(send_file)(scope, receive, send)
        assert container.read(log_provider) == ["begin Ada", "commit Ada"]
    assert len(sent) == 2


async def test_a_thousand_concurrent_requests_leave_nothing_behind():
    async with client_of(make_app()) as (client, container):
        await client.get("/ok", headers=ADA)
        held = set(container.elements)
        for _ in range(10):
            users = [f"user {number}" for number in range(100)]
            answers = await asyncio.gather(*(client.get("/ok", headers={"x-user": user}) for user in users))
            assert [answer.json() for answer in answers] == users
        await container.pump()
        assert container.children == ()
        assert set(container.elements) == held
        assert not any(element.listeners for element in container.elements.values())


async def test_an_app_without_a_container_says_so():
    app = FastAPI()

    @app.get("/")
    async def read(user: User) -> str:
        return user

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        with pytest.raises(NoAppContainerError, match="lifespan"):
            await client.get("/")


async def test_the_lifespan_starts_the_workers_and_drains_them(tmp_path):
    service = BackgroundService(tmp_path / "app.db", "tests.integration.fastapi.worker:initialize")
    app = FastAPI(lifespan=lifespan(ProviderContainer, service))

    @app.post("/jobs")
    async def enqueue() -> int:
        return await service.job("nap", 0.2)

    async with serving(app) as client:
        assert await service.is_running()
        await client.post("/jobs")
    assert not await service.is_running()
    assert not hasattr(app.state, "container")


async def test_starlette_with_the_middleware():
    async def ok(request: Request) -> JSONResponse:
        return JSONResponse(await container_of(request).read(transaction_provider.future))

    async def fail(request: Request) -> JSONResponse:
        await ok(request)
        raise HTTPException(409)

    async def crash(request: Request) -> JSONResponse:
        await ok(request)
        raise ValueError("no")

    app = Starlette(
        routes=[Route("/ok", ok), Route("/fail", fail), Route("/crash", crash)],
        lifespan=lifespan(ProviderContainer),
        middleware=[Middleware(RequestScopeMiddleware)],
    )
    async with client_of(app) as (client, container):
        assert [(await client.get(path, headers=ADA)).status_code for path in ("/ok", "/fail", "/crash")] == [
            200, 409, 500,
        ]  # fmt: skip
        ends = container.read(log_provider)[1::2]
        assert ends == ["commit Ada", "rollback Ada HTTPException", "rollback Ada ValueError"]
        assert container.children == ()


async def closes(websocket: WebSocket) -> None:
    await websocket.close()


async def closes_with_an_error(websocket: WebSocket) -> None:
    await websocket.close(1011)


async def returns(websocket: WebSocket) -> None:
    """Leave the websocket open."""


async def waits_for_the_client(websocket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        await websocket.receive_text()


async def refuses(websocket: WebSocket) -> None:
    raise WebSocketException(1008)


async def fails(websocket: WebSocket) -> None:
    raise HTTPException(403)


async def denies(websocket: WebSocket) -> None:
    await websocket.send_denial_response(JSONResponse(None, status_code=401))


@pytest.mark.parametrize(
    ("end", "is_accepted", "outcome"),
    [
        (closes, True, "commit Ada"),
        (waits_for_the_client, True, "commit Ada"),
        (closes_with_an_error, True, "rollback Ada WebSocketException"),
        (refuses, True, "rollback Ada WebSocketException"),
        (refuses, False, "rollback Ada WebSocketException"),
        (fails, True, "rollback Ada HTTPException"),
        (fails, False, "rollback Ada HTTPException"),
        (denies, False, "rollback Ada HTTPException"),
        (returns, True, "rollback Ada WebSocketDisconnect"),
    ],
)
async def test_the_end_of_a_websocket_reaches_its_transaction(end, is_accepted, outcome):
    """Starlette answers these exceptions inside the middleware, which sees only the messages."""

    async def endpoint(websocket: WebSocket) -> None:
        if is_accepted:
            await websocket.accept()
        await container_of(websocket).read(transaction_provider.future)
        await end(websocket)

    messages = iter([{"type": "websocket.connect"}, {"type": "websocket.disconnect", "code": 1000}])

    async def receive():
        return next(messages)

    async def send(message):
        pass

    middleware = [Middleware(RequestScopeMiddleware)]
    app = Starlette(routes=[WebSocketRoute("/", endpoint)], lifespan=lifespan(ProviderContainer), middleware=middleware)
    scope = {
        "type": "websocket",
        "path": "/",
        "headers": [(b"x-user", b"Ada")],
        "query_string": b"",
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }
    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
        assert app.state.container.read(log_provider) == ["begin Ada", outcome]


async def test_a_mounted_app_has_the_container_of_the_request():
    """Two middlewares would make two transactions of one request."""

    async def ok(request: Request) -> JSONResponse:
        return JSONResponse(await container_of(request).read(transaction_provider.future))

    class Before:
        def __init__(self, app):
            self.app = app

        async def __call__(self, scope, receive, send):
            if scope["type"] == "http":
                container = container_of(Request(scope))
                await container.read(transaction_provider.future)
                await self.app(scope, receive, send)
                assert container_of(Request(scope)) is container
            else:
                await self.app(scope, receive, send)

    inner = Starlette(routes=[Route("/", ok)], middleware=[Middleware(RequestScopeMiddleware)])
    other = Starlette(routes=[Route("/", ok)], middleware=[Middleware(RequestScopeMiddleware)])
    app = Starlette(
        routes=[Mount("/inner", inner), Mount("/other", other)],
        middleware=[Middleware(RequestScopeMiddleware), Middleware(Before)],
    )
    async with ProviderContainer() as own, ProviderContainer() as others:
        app.state.container = inner.state.container = own
        other.state.container = others
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=ADA) as client:
            assert (await client.get("/inner/")).json() == "Ada"
            assert own.read(log_provider) == ["begin Ada", "commit Ada"]
            assert (await client.get("/other/")).json() == "Ada"
            assert others.read(log_provider) == ["begin Ada", "commit Ada"]
