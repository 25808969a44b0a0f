"""Build a chain of first builds that is too deep for Python's stack in segments."""

from __future__ import annotations

from ...errors import CircularDependencyError
from ..dependencies import named
from ..element import Element
from ..nested_builds import TooDeepError
from .update import update


def build_in_segments(element: Element, deep: TooDeepError) -> None:
    """Build the deepest nodes first, each from a shallow stack, then those that were interrupted for them.

    The deepest one is the build that needed the node that was not built. It may ask for another node each time, such
    as a view that it makes on the spot: built from a shallow stack it has room for that one too.
    """
    scheduler = element.host.scheduler
    if scheduler.building is not scheduler.base:
        raise deep  # the stack is shallow only where no build is under way
    waiting = {element: None}
    path: dict[Element, None] = {}
    while True:
        scheduler.too_deep = None
        scheduler.nested = 0
        deepest = next(node for node in deep.path if not node.provider.ephemeral)
        if deepest in path:
            nodes = list(path)
            loop = dict.fromkeys([*nodes[nodes.index(deepest) :], *reversed(deep.path)])
            raise CircularDependencyError(named([*(node for node in loop if node.state > 0), deepest]))
        for node in reversed(deep.path):
            path.pop(node, None)  # it comes last now: the order is that of the chain under construction
            path[node] = None
        waiting[deepest] = None
        try:
            while waiting:
                node = next(reversed(waiting))
                if node.state > 0:
                    update(node)
                waiting.popitem()
                path = dict.fromkeys(waiting)  # those between may ask for others now
        except TooDeepError as deeper:
            deep = deeper
        else:
            return
