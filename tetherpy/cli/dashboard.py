"""``tetherpy dashboard``."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from tetherpy.reactive import ProviderContainer

from .errors import ExtraMissingError, NotServedError
from .output.formats import emit, remark
from .parameters.database_location import existing_database
from .parameters.integers import integer_between
from .parameters.options import DatabaseOption
from .screen_providers import live_providers
from .service.worker_options import CallbackOption, full_address

USUAL_PORT = 8321
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognized, not bound


async def show_dashboard(
    host: Annotated[str, typer.Option(help="The address to listen on; addresses of other networks need a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[
        int,
        typer.Option(parser=integer_between(0, 65535), metavar="NUMBER", help="The port; 0 lets the system choose."),
    ] = USUAL_PORT,
    name: Annotated[
        list[str],
        typer.Option("--name", metavar="HOST", help="An allowed host name, such as that of a proxy; may be repeated."),
    ] = [],  # noqa: B006 - typer reads it, and does not change it
    token: Annotated[
        str | None,
        typer.Option(envvar="TETHERPY_TOKEN", help="The token for logging in; generated if not given."),
    ] = None,
    no_token: Annotated[
        bool,
        typer.Option(
            "--no-token", help="Disable the token: every user and program on this machine can run and delete jobs."
        ),
    ] = False,
    listen_at: Annotated[
        Path | None,
        typer.Option(
            "--socket", metavar="PATH", help="Listen on a Unix socket that only you can open, instead of a port."
        ),
    ] = None,
    callback: CallbackOption = None,
    database: DatabaseOption = None,
) -> None:
    """Show jobs and workers in a browser, until Ctrl-C."""
    if no_token and token is not None:
        raise typer.BadParameter("--no-token and a token exclude each other; TETHERPY_TOKEN also sets a token.")
    try:
        from tetherpy.ui.web import LOCAL_HOSTS, dashboard, serve, serve_unix
    except ModuleNotFoundError as error:
        raise ExtraMissingError("web", error.name) from error
    address = full_address(existing_database(database))
    hosts = (*LOCAL_HOSTS, *(() if listen_at else _names(host)), *name)
    if token is None and not no_token and listen_at is None:
        # Any program of the machine can connect to a port, unlike to a file of this user.
        token = secrets.token_urlsafe(24)
    login = "" if token is None else f"?token={quote(token, safe='')}"

    def print_address(chosen: int) -> None:
        shown = host if host not in EVERY_ADDRESS else socket.gethostname()
        shown = f"[{shown}]" if ":" in shown else shown
        emit(f"http://{shown}:{chosen}/{login}", flush=True)
        if token is None:
            remark("Without a token every user and program on this machine can run and delete jobs.")
        remark("Press Ctrl-C to stop.")

    def print_socket() -> None:
        emit(f"unix:{listen_at}", flush=True)
        remark(f"Connect with: ssh -L {USUAL_PORT}:{listen_at} {socket.gethostname()}")
        remark(f"Then open http://localhost:{USUAL_PORT}/{login}")
        remark("Press Ctrl-C to stop.")

    providers = live_providers(address, database, callback)
    async with ProviderContainer() as container:
        app = dashboard(
            container,
            manager=providers.manager,
            service=providers.service,
            startable=providers.startable,
            hosts=hosts,
            token=token,
        )
        try:
            if listen_at is None:
                await serve(app, host, port, print_address)
            else:
                await serve_unix(app, listen_at.absolute(), print_socket)
        except OSError as error:
            if error.filename is not None:
                raise
            place = f"{host}:{port}" if listen_at is None else str(listen_at)
            raise NotServedError(place, error.strerror or str(error)) from error


def _names(host: str) -> tuple[str, ...]:
    """Return the usual host names of a machine that listens on an address."""
    if host in ("localhost", "127.0.0.1", "::1"):
        return ()
    if host not in EVERY_ADDRESS:
        return (f"[{host}]" if ":" in host else host,)
    name = socket.gethostname()
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)}
    except OSError:
        found = set[str]()
    return (name, f"{name}.local", *(f"[{each}]" if ":" in each else each for each in sorted(found)))
