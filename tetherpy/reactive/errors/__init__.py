"""The errors of the reactive core; each message says what happened, why, and what to do."""

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
    ProviderError,
    ProviderReturnTypeError,
)
from .declarations import (
    AsyncCallbackError,
    DeclarationError,
    NotAProviderError,
    UnhashableArgumentError,
    UnnamedProviderError,
)
from .lifetime import (
    ContainerClosingError,
    ContainerDisposedError,
    MutationEndedError,
    NoTestError,
    NotifierNotReadyError,
    ProviderDisposedError,
    ReadDuringDisposalError,
    SubscriptionClosedError,
    UnmountedRefError,
    WrongThreadError,
)
from .scoping import (
    DuplicateOverrideError,
    MissingDependencyError,
    NotAnOverrideError,
    NotCallableError,
    NotScopedError,
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
    "EndlessUpdateError",
    "MissingDependencyError",
    "MutationEndedError",
    "NoEventLoopError",
    "NoTestError",
    "NotAProviderError",
    "NotAnExceptionError",
    "NotAnOverrideError",
    "NotCallableError",
    "NotScopedError",
    "NotifierNotReadyError",
    "OverrideMismatchError",
    "ProviderDisposedError",
    "ProviderError",
    "ProviderReturnTypeError",
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
