"""Responses to form posts: JSON for scripts, a redirect with a flash message otherwise."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tetherpy.errors import TetherError
from tetherpy.safe_text import one_line

from ...actions import Confirmation
from ...root_cause import original
from ..pages.rendering import Renderer
from .flash import FlashMessage, store
from .form_data import read_form
from .redirects import came_from

Form: TypeAlias = ImmutableMultiDict[str, str]


@attrs.frozen(kw_only=True)
class Outcome:
    """The outcome of an action; ``done`` counts jobs, ``goto`` is an address below the dashboard.

    With ``more``, send the request again with ``cursor`` and ``done`` for the next batch.
    """

    message: str
    failed: bool = False
    detail: str = ""
    done: int = 0
    more: bool = False
    cursor: int | None = None
    goto: str = ""
    field: str = ""


@attrs.frozen
class ConfirmationForm:
    """A confirmation, and the form to send after it: its address and its fields."""

    prompt: Confirmation
    address: str
    fields: list[tuple[str, str]]

    def again(self, outcome: Outcome) -> ConfirmationForm:
        """Return the confirmation for the next batch."""
        prompt = attrs.evolve(self.prompt, text=f"{outcome.message} There are more. Continue?", no="Stop here")
        position = {"cursor": str(outcome.cursor), "done": str(outcome.done)}
        kept = [(name, value) for name, value in self.fields if name not in position]
        return attrs.evolve(self, prompt=prompt, fields=[*kept, *position.items()])


Action: TypeAlias = Callable[[Form], Awaitable[Outcome]]
"""Handles a form."""

Confirm: TypeAlias = Callable[[Form], ConfirmationForm | None]
"""Returns the confirmation that a form needs; None if it needs none."""


def no_confirmation(form: Form) -> None:
    """Need no confirmation."""


@attrs.frozen(eq=False)
class Responses:
    """Turn actions into endpoints."""

    drawing: Renderer

    def to(self, action: Action, confirm: Confirm = no_confirmation) -> Callable[[Request], Awaitable[Response]]:
        """Return an endpoint that responds with the outcome or the error.

        Scripts ask for confirmation themselves. A form without scripts gets the confirmation page until it is
        sent with ``confirmed=yes``, and then a redirect to its page.
        """

        async def answer(request: Request) -> Response:
            form = await read_form(request)
            is_script = "application/json" in request.headers.get("accept", "")
            asked = None if is_script else confirm(form)
            if asked is not None and form.get("confirmed") != "yes":
                return self._ask(request, form, asked)
            try:
                outcome = await action(form)
            except TetherError as error:
                outcome = Outcome(message=one_line(str(original(error)), 1000), failed=True)
            if is_script:
                return JSONResponse(attrs.asdict(outcome))
            if asked is not None and outcome.more:
                return self._ask(request, form, asked.again(outcome))
            return _redirect(request, form, outcome)

        return answer

    def _ask(self, request: Request, form: Form, asked: ConfirmationForm) -> Response:
        root = request.scope.get("root_path", "")
        back = came_from(request, form)
        return HTMLResponse(self.drawing.draw("confirm.html", root=root, back=back, asked=asked))


def _redirect(request: Request, form: Form, outcome: Outcome) -> Response:
    back = came_from(request, form)
    place = outcome.goto if back is None else back
    response = RedirectResponse(f"{request.scope.get('root_path', '')}/{place}", 303)
    link = outcome.goto if outcome.goto != place else ""
    store(
        request,
        response,
        FlashMessage(message=outcome.message, failed=outcome.failed, detail=outcome.detail, link=link),
    )
    return response
