"""Undo and redo changes of state."""

from tetherpy import History, ProviderContainer, StateProvider

title_provider = StateProvider(lambda ref: "Untitled", name="title")


def edit(container: ProviderContainer) -> list[str]:
    with History(container, [title_provider]) as history:
        container.read(title_provider.notifier).state = "Report"
        history.undo()
        undone = container.read(title_provider)
        history.redo()
        return [undone, container.read(title_provider)]
