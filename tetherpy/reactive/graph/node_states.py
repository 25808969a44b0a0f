"""The states of a node in the graph, and all transitions between them.

A node is CLEAN, possibly outdated (CHECK: an indirect dependency may have changed), or outdated
(DIRTY, as every node is before its first build). Marking only moves nodes to CHECK or DIRTY and stops at nodes that
are already marked; nodes are updated when they are read, or at the end of the turn if they have listeners.
States are plain integers because they are compared on the hottest paths: 0 or below is up to date; above 0 the node
needs work or cannot be read.
"""

from __future__ import annotations

from typing import Final

FAILED: Final = -1
CLEAN: Final = 0
CHECK: Final = 1
DIRTY: Final = 2
BUILDING: Final = 3
ENDING: Final = 4
DISPOSED: Final = 5

NAMES: Final = {
    FAILED: "FAILED",
    CLEAN: "CLEAN",
    CHECK: "CHECK",
    DIRTY: "DIRTY",
    BUILDING: "BUILDING",
    ENDING: "ENDING",
    DISPOSED: "DISPOSED",
}

MOVES: Final = {
    (DIRTY, BUILDING): "read, or listened to at the end of the turn",
    (BUILDING, CLEAN): "its function returned",
    (BUILDING, FAILED): "its function raised",
    (BUILDING, DIRTY): "its function was interrupted, or what it had read changed",
    (CLEAN, CHECK): "something further up may have changed",
    (CLEAN, DIRTY): "a source changed, or it was invalidated",
    (FAILED, CHECK): "something further up may have changed",
    (FAILED, DIRTY): "a source changed, or it was invalidated",
    (FAILED, CLEAN): "its state was set",
    (CHECK, CLEAN): "no source had changed, or its state was set",
    (CHECK, FAILED): "no source had changed, and it had failed",
    (CHECK, DIRTY): "a source had changed, or it was invalidated",
    (CLEAN, ENDING): "its build ends, and with it what the build has registered",
    (FAILED, ENDING): "its build ends, and with it what the build has registered",
    (CHECK, ENDING): "its build ends, and with it what the build has registered",
    (DIRTY, ENDING): "its build ends, and with it what the build has registered",
    (ENDING, BUILDING): "its last build has ended, and the next one begins",
    (ENDING, DIRTY): "its build has ended",
    (ENDING, DISPOSED): "its build has ended, and it is not used",
    (CLEAN, DISPOSED): "it is not used, or its container was disposed",
    (FAILED, DISPOSED): "it is not used, or its container was disposed",
    (CHECK, DISPOSED): "it is not used, or its container was disposed",
    (DIRTY, DISPOSED): "it is not used, or its container was disposed",
}
"""All transitions, with the reason of each."""


def state_diagram() -> str:
    """Return the transitions as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {NAMES[DIRTY]}: mounted"]
    lines += [f"    {NAMES[before]} --> {NAMES[after]}: {why}" for (before, after), why in MOVES.items()]
    return "\n".join(lines)
