"""How what was asked for is answered: a script with the outcome, a form without one with a page that tells it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from tetherpy.errors import TetherError

from ...root_cause import original
from ...safe_text import one_line
from ..pages.confirmations import ConfirmationPrompt
from ..pages.rendering import Renderer
from .flash import FlashMessage, leave
from .form_data import read_form
from .redirects import came_from

Form: TypeAlias = ImmutableMultiDict[str, str]


@attrs.frozen(kw_only=True)
class Outcome:
    """Tell how it went; ``done`` counts jobs, ``goto`` is an address below the dashboard's.

    With ``more`` the same is to be asked for again, from ``before_id`` on.
    """

    message: str
    failed: bool = False
    detail: str = ""
    done: int = 0
    more: bool = False
    before_id: int | None = None
    goto: str = ""
    field: str = ""


@attrs.frozen
class Confirmation:
    """Ask before something is done; ``fields`` are those of the form that does it."""

    question: ConfirmationPrompt
    fields: list[tuple[str, str]]

    def again(self, outcome: Outcome) -> Confirmation:
        """Return the question whether to go on after an outcome that leaves more to be done."""
        question = attrs.evolve(self.question, text=f"{outcome.message} There are more. Go on?", no="Stop here")
        kept = [(name, value) for name, value in self.fields if name != "before_id"]
        return Confirmation(question, [*kept, ("before_id", str(outcome.before_id))])


Action: TypeAlias = Callable[[Form], Awaitable[Outcome]]
"""Does what a form asks for."""

Confirm: TypeAlias = Callable[[Form], Confirmation | None]
"""Tells what is to be asked before a form is acted on; None where nothing is."""


def ask_nothing(form: Form) -> None:
    """Just do it."""


@attrs.frozen(eq=False)
class Answers:
    """Turn actions into endpoints."""

    drawing: Renderer

    def to(self, action: Action, confirm: Confirm = ask_nothing) -> Callable[[Request], Awaitable[Response]]:
        """Return an endpoint that answers with the outcome, or with what kept it from being done.

        Scripts ask by themselves. A form that was sent without one is answered with the question, until it is
        sent with ``confirmed=yes``; then with the page that it was on.
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
            return _lead_back(request, form, outcome)

        return answer

    def _ask(self, request: Request, form: Form, asked: Confirmation) -> Response:
        root = request.scope.get("root_path", "")
        back = came_from(request, form)
        return HTMLResponse(self.drawing.draw("confirm.html", root=root, back=back, asked=asked))


def _lead_back(request: Request, form: Form, outcome: Outcome) -> Response:
    back = came_from(request, form)
    place = outcome.goto if back is None else back
    response = RedirectResponse(f"{request.scope.get('root_path', '')}/{place}", 303)
    link = outcome.goto if outcome.goto != place else ""
    leave(
        request,
        response,
        FlashMessage(message=outcome.message, failed=outcome.failed, detail=outcome.detail, link=link),
    )
    return response
