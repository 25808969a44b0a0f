"""The base class of all errors of tetherpy, and functions for errors."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import cache
from inspect import Parameter, Signature, get_annotations
from operator import attrgetter
from string import Formatter
from typing import Any, Final, NoReturn, Self, TypeAlias, TypeVar, cast, dataclass_transform

E = TypeVar("E", bound=BaseException)

LONGEST_LINE: Final = 200
"""Characters that ``first_line`` keeps."""


class PortableError(Exception):
    """An exception that is copied and pickled by its attributes, without calling its constructor again.

    A copy has the same text, attributes, notes and ``__cause__``; it shares the attributes. A pickle replaces an
    attribute that cannot be pickled (or cannot be loaded again) by its ``repr``.
    """

    def __copy__(self) -> Self:
        copied = _blank(type(self), self.args)
        copied.__dict__.update(self.__dict__)
        if "__notes__" in self.__dict__:
            copied.__notes__ = [*self.__notes__]
        copied.__cause__, copied.__suppress_context__ = self.__cause__, self.__suppress_context__
        return copied

    def __deepcopy__(self, memo: object) -> Self:
        return self.__copy__()

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: _pack(value) for name, value in self.__dict__.items()}
        cause = None if self.__cause__ is None else _pack(self.__cause__)
        return _unpickled, (type(self), [_pack(arg) for arg in self.args], state, cause, self.__suppress_context__)


class TetherError(PortableError):
    """Base class of all errors of tetherpy: catch it to catch every error that the library reports.

    Each package keeps its own errors in its ``errors.py``; every message says what happened,
    why, and what to do, and the data it was made from stays on the error as attributes.
    """


_Packed: TypeAlias = tuple[bytes | None, str]
"""A value of a pickled error, and its text.

Each is pickled by itself, so that one that fails does not take the error along.
"""


def _pack(value: object) -> _Packed:
    try:
        return pickle.dumps(value), safe_repr(value)
    except Exception:  # pickle raises errors of any type; the text replaces the value
        return None, safe_repr(value)


def _unpack(packed: _Packed) -> Any:
    pickled, text = packed
    if pickled is None:
        return text
    try:
        return pickle.loads(pickled)  # noqa: S301  part of a pickle that is being loaded already
    except Exception:  # some values fail only when they are loaded
        return text


def safe_repr(value: object) -> str:
    """Return the ``repr`` of a value; name its type if that raises, so that it hides no other error."""
    try:
        return repr(value)
    except Exception as error:
        return f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"


def _builtin_base(kind: type[BaseException]) -> Any:
    return next(base for base in kind.__mro__ if base.__module__ == "builtins")


def _blank(kind: type[E], args: tuple[Any, ...]) -> E:
    """Return an exception as its built-in base makes it, without running the constructor of ``kind``."""
    base = _builtin_base(kind)
    error: E = base.__new__(kind, *args)
    base.__init__(error, *args)
    error.args = args
    return error


def _unpickled(
    kind: type[E], args: list[_Packed], state: dict[str, _Packed], cause: _Packed | None, suppress_context: bool
) -> E:
    error = _blank(kind, tuple(_unpack(arg) for arg in args))
    error.__dict__.update((name, _unpack(packed)) for name, packed in state.items())
    if cause is not None:
        raised = _unpack(cause)
        error.__cause__ = raised if isinstance(raised, BaseException) else Exception(raised)
    error.__suppress_context__ = suppress_context
    return error


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the error itself, or if it is an exception group what it holds, at any depth."""
    waiting = [error]
    while waiting:
        error = waiting.pop()
        if isinstance(error, BaseExceptionGroup):
            waiting.extend(reversed(cast("BaseExceptionGroup[BaseException]", error).exceptions))
        else:
            yield error


def raise_again(error: BaseException) -> NoReturn:
    """Raise an error that is kept and may be raised many times.

    Its traceback begins at the place that raised it first, with the frames of this raise before it: without this
    each raise would add its frames to those of all earlier ones.
    """
    first = trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code is raise_again.__code__:
            first = trace.tb_next
        trace = trace.tb_next
    raise error.with_traceback(first)


def clause(text: str) -> str:
    """Return a message without its final full stop, to embed it in a sentence."""
    return text if text.endswith("...") else text.rstrip(". ")


def first_line(error: BaseException) -> str:
    """Return the type of an error and the first line of its text, such as ``OSError: offline``."""
    try:
        line = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    except Exception as unprintable:
        line = f"<its text raised {type(unprintable).__name__}>"
    if len(line) > LONGEST_LINE:
        line = f"{line[:LONGEST_LINE]}..."
    return f"{type(error).__name__}: {clause(line)}" if line else type(error).__name__


_CONVERSIONS: Final[Mapping[str, Callable[[object], str]]] = {
    "r": safe_repr,
    "q": lambda value: repr(str(value)),
    "c": lambda value: clause(str(value).strip()),
}


@cache
def _parse(template: str) -> tuple[tuple[str, str | None, str | None, str | None], ...]:
    return tuple(Formatter().parse(template))


def _fill(template: str, error: BaseException) -> str:
    """Return the text of a template, with the attributes of an error."""
    text = ""
    for literal, name, form, conversion in _parse(template):
        text += literal
        if name is not None:
            value = attrgetter(name)(error)
            text += format(_CONVERSIONS[conversion](value) if conversion else value, form or "")
    return text


_SELF: Final = Signature([Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)])


@dataclass_transform(eq_default=False)
def message(template: str) -> Callable[[type[E]], type[E]]:
    """Give an error class a message, and a constructor that takes the annotated attributes of the class.

    The attributes follow those of a base class that has a message. ``{name}`` in the template is replaced by the
    attribute, with a format and the conversions ``!r`` (``safe_repr``), ``!q`` (the text in quotes) and ``!c``
    (``clause``).
    """

    # attrs compiles a constructor for each class, which costs ten times as much of the import as this.
    def decorate(kind: type[E]) -> type[E]:
        inherited: Signature = getattr(kind.__init__, "__signature__", _SELF)
        own = {
            name: Parameter(
                name,
                Parameter.POSITIONAL_OR_KEYWORD,
                default=vars(kind).get(name, Parameter.empty),
                annotation=annotation,
            )
            for name, annotation in get_annotations(kind).items()
        }
        signature = inherited.replace(parameters=[*{**inherited.parameters, **own}.values()])
        base = _builtin_base(kind)

        def initialize(self: E, *args: object, **kwargs: object) -> None:
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            del bound.arguments["self"]
            vars(self).update(bound.arguments)
            base.__init__(self, _fill(template, self))

        cast("Any", initialize).__signature__ = signature
        cast("Any", kind).__init__ = initialize
        return kind

    return decorate


class ArgumentError(TetherError, ValueError, TypeError):
    """Raised when a parameter is given a value of a wrong type, or one out of its bounds.

    Attributes:
        name: the parameter.
        value: the value.
        reason: the fault, and the accepted values.
    """

    def __init__(self, name: str, value: object, reason: str) -> None:
        self.name = name
        self.value = value
        self.reason = reason
        super().__init__(f"{name} is {_shown(value)}; {clause(reason)}.")


class DurationError(ArgumentError):
    """Raised when a parameter is given something else than a duration, or a duration out of its bounds."""


@message("The value at {path} cannot be used as JSON: {reason!c}.")
class JsonError(TetherError, ValueError):
    """Raised when a value has no form in JSON, or JSON does not fit the expected type.

    Attributes:
        path: the part of the value, such as ``$.items[2]``.
        reason: the fault of that part.
    """

    path: str
    reason: str


@message(
    "{limit:,} events wait for the body of this `async for` loop, and no more are kept. Do slow work in "
    "another task, or subscribe a callback."
)
class SlowConsumerError(TetherError):
    """Raised by the iteration over events when too many of them wait for the consumer.

    Attributes:
        limit: how many events may wait.
    """

    limit: int


def _shown(value: object) -> str:
    return f"{value.total_seconds():g} s" if isinstance(value, timedelta) else f"{safe_repr(value):.80}"
