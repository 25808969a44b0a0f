"""``tetherpy dashboard``."""

from __future__ import annotations

import secrets
import socket
from typing import Annotated
from urllib.parse import quote

import typer

from tetherpy.reactive import ProviderContainer

from .errors import ExtraMissingError, NotServedError
from .live import live_providers
from .location import existing_database
from .options import DatabaseOption
from .output import emit, remark
from .service.plan import CallbackOption, full_address
from .whole_numbers import whole_number

USUAL_PORT = 8321
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - recognized, not bound


async def show_dashboard(
    host: Annotated[str, typer.Option(help="The address to listen at; others than this machine's need a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[
        int,
        typer.Option(parser=whole_number(0, 65535), metavar="NUMBER", help="The port; 0 lets the system choose."),
    ] = USUAL_PORT,
    name: Annotated[
        list[str], typer.Option("--name", metavar="HOST", help="A name that it is reached by; may be repeated.")
    ] = [],  # noqa: B006 - typer reads it, nobody changes it
    token: Annotated[
        str | None,
        typer.Option(envvar="TETHERPY_TOKEN", help="What users log in with; made up where one is needed."),
    ] = None,
    callback: CallbackOption = None,
    database: DatabaseOption = None,
) -> None:
    """Show jobs and workers in a browser, until Ctrl-C."""
    try:
        from tetherpy.ui.web import LOCAL_HOSTS, dashboard, serve
    except ModuleNotFoundError as error:
        raise ExtraMissingError("web", error.name) from error
    address = full_address(existing_database(database))
    hosts = (*LOCAL_HOSTS, *_names(host), *name)
    if token is None and set(hosts) - set(LOCAL_HOSTS):
        token = secrets.token_urlsafe(24)

    def tell(chosen: int) -> None:
        shown = host if host not in EVERY_ADDRESS else socket.gethostname()
        shown = f"[{shown}]" if ":" in shown else shown
        login = "" if token is None else f"?token={quote(token, safe='')}"
        emit(f"http://{shown}:{chosen}/{login}", flush=True)
        remark("Ctrl-C ends it.")

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
            await serve(app, host, port, tell)
        except OSError as error:
            if error.filename is not None:
                raise
            raise NotServedError(host, port, error.strerror or str(error)) from error


def _names(host: str) -> tuple[str, ...]:
    """Return the names by which a machine that listens at an address is usually reached."""
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
