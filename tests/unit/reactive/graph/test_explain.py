"""``container.explain`` describes each element, even if its values misbehave."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.reactive.matrix import ignore
from tetherpy.reactive import FutureProvider, Provider, ProviderContainer, ProviderError, StateProvider, brief
from tetherpy.reactive.values.summary import LONGEST


class Hostile:
    def __repr__(self) -> str:
        raise OSError("no repr")


class Wrong:
    def __repr__(self) -> str:
        return 7  # type: ignore[return-value]


class NoClass(Hostile):
    @property
    def __class__(self) -> Any:
        raise OSError("no class")


def test_explain_describes_value_and_state_of_an_element() -> None:
    number = StateProvider(lambda ref: 1, name="number")
    broken = Provider(lambda ref: 1 // 0, name="broken")
    doubled = Provider(lambda ref: ref.watch(number) * 2, name="doubled")
    with ProviderContainer(on_error=ignore) as container:
        container.read(doubled)
        with pytest.raises(ProviderError):
            container.read(broken)
        assert (container.explain(doubled).state, container.explain(doubled).holds) == ("CLEAN", "2")
        assert container.explain(broken).state == "FAILED"
        assert container.explain(broken).holds.startswith("the error ZeroDivisionError(")
        with container.batch():
            container.read(number.notifier).state = 2
            assert (container.explain(doubled).state, container.explain(doubled).holds) == ("DIRTY", "2")
        container.read(doubled)
        assert str(container.explain(doubled)) == (
            "Provider(doubled) was last built because of a change of StateProvider(number) from 1 to 2.\n"
            "  It watches StateProvider(number).\n"
            "  It is watched by nothing.\n"
            "  Listeners outside the graph: 0.\n"
            "  It is CLEAN and holds 4."
        )


async def test_listeners_of_selectors_count(container: ProviderContainer) -> None:
    @FutureProvider
    async def user(ref: Any) -> str:
        return "Ada"

    container.listen(user, ignore)
    container.listen(user.select(str), ignore)
    container.listen(user.future, ignore)
    assert container.explain(user).listeners == 3


def test_hostile_values_cause_no_error() -> None:
    source: StateProvider[Any] = StateProvider(lambda ref: Hostile(), name="source")
    family = Provider.options(name="family").family(lambda ref, key: ref.watch(source))
    with ProviderContainer() as container:
        member = family(Hostile())
        container.read(member)
        container.read(source.notifier).state = Wrong()
        container.read(member)
        text = str(container.explain(member))
    assert "from <Hostile, no longer in memory> to <Wrong, whose repr raised TypeError>" in text
    assert text.startswith("Provider(family(<Hostile, whose repr raised OSError>))")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        ("x" * 1000, None),
        (list(range(1_000_000)), "[0, 1, 2, 3, 4, 5, 6, 7, ...]"),
        ({number: number for number in range(1_000)}, "{0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, ...}"),
        ({"b": 1, "a": {}}, "{'b': 1, 'a': {}}"),
        (set(range(10_000)), "<a set of 10,000>"),
        (frozenset(range(10_000)), "<a frozenset of 10,000>"),
        ([[[[[[1]]]]]], "[[[[[...]]]]]"),
        ({1: {2: {3: {4: {5: 6}}}}}, "{1: {2: {3: {4: {...}}}}}"),
        ([Hostile()], "[<Hostile, whose repr raised OSError>]"),
        (ValueError("y" * 1000), None),
        ([["z" * 90] * 8] * 8, None),
    ],
)
def test_texts_are_shortened(value: Any, text: str | None) -> None:
    shown = brief(value)
    assert len(shown) <= LONGEST
    assert text is None or shown == text
    assert "..." in shown or text is not None


def test_a_value_may_have_a_false_class() -> None:
    assert brief(NoClass()) == "<NoClass, whose repr raised OSError>"
