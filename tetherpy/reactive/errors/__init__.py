"""The errors of the reactive core; each message says what happened, why, and what to do."""

from tetherpy.facades import facade_dir

from .asynchronous import (
    AsyncValueIsLoadingError,
    BatchOverAwaitError,
    BuildCancelledError,
    NoEventLoopError,
    NotAnExceptionError,
    StreamEndedError,
)
from .base import ReactiveError
from .builds import (
    ChangeDuringBuildError,
    CircularDependencyError,
    EndlessUpdateError,
    GraphInvariantError,
    NotBuiltError,
    ProviderError,
    ProviderReturnTypeError,
)
from .declarations import (
    AsyncCallbackError,
    DeclarationError,
    FamilyArgumentsError,
    NotAProviderError,
    NotUndoableError,
    ReactiveArgumentError,
    UnhashableArgumentError,
    UnnamedProviderError,
)
from .lifetime import (
    ContainerClosingError,
    ContainerDisposedError,
    HistoryClosedError,
    MutationEndedError,
    NoTestError,
    NotifierNotReadyError,
    ProviderDisposedError,
    ReadDuringDisposalError,
    SubscriptionClosedError,
    UnmountedRefError,
    WrongThreadError,
)
from .persistence import DuplicatePersistKeyError, NewerDataError
from .scoping import (
    DuplicateOverrideError,
    MissingDependencyError,
    NotAnOverrideError,
    NotCallableError,
    NotScopedError,
    OutsideScopeError,
    OverrideMismatchError,
    ScopeError,
)

__all__ = [
    "AsyncCallbackError",
    "AsyncValueIsLoadingError",
    "BatchOverAwaitError",
    "BuildCancelledError",
    "ChangeDuringBuildError",
    "CircularDependencyError",
    "ContainerClosingError",
    "ContainerDisposedError",
    "DeclarationError",
    "DuplicateOverrideError",
    "DuplicatePersistKeyError",
    "EndlessUpdateError",
    "FamilyArgumentsError",
    "GraphInvariantError",
    "HistoryClosedError",
    "MissingDependencyError",
    "MutationEndedError",
    "NewerDataError",
    "NoEventLoopError",
    "NoTestError",
    "NotAProviderError",
    "NotAnExceptionError",
    "NotAnOverrideError",
    "NotBuiltError",
    "NotCallableError",
    "NotScopedError",
    "NotUndoableError",
    "NotifierNotReadyError",
    "OutsideScopeError",
    "OverrideMismatchError",
    "ProviderDisposedError",
    "ProviderError",
    "ProviderReturnTypeError",
    "ReactiveArgumentError",
    "ReactiveError",
    "ReadDuringDisposalError",
    "ScopeError",
    "StreamEndedError",
    "SubscriptionClosedError",
    "UnhashableArgumentError",
    "UnmountedRefError",
    "UnnamedProviderError",
    "WrongThreadError",
]

__dir__ = facade_dir(__all__)
