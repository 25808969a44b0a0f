"""Providers: declared values, built on demand, watched, overridden, scoped and disposed.

The life of a provider, in the words of this package: a *provider* is a declaration (``provider``); a
*container* (``container``) holds one *element* (``element``) for each that is used; reading it *builds* the
element (``propagation``) with a *Ref* (``ref``), which links it to what it reads (``edges``); a change marks
what depends on it and is settled once per turn (``scheduler``); listeners (``subscription``) are told; an
element that nobody uses is paused, and if it is auto-dispose, disposed.
"""

from .async_notifier_provider import AsyncNotifierProvider
from .async_provider import AsyncProviderBase
from .async_value import AsyncData, AsyncError, AsyncLoading, AsyncResult, AsyncState, AsyncValue
from .container import ProviderContainer
from .errors import (
    AsyncCallbackError,
    AsyncValueIsLoadingError,
    BatchOverAwaitError,
    BuildCancelledError,
    ChangeDuringBuildError,
    CircularDependencyError,
    ContainerClosingError,
    ContainerDisposedError,
    DeclarationError,
    DuplicateOverrideError,
    EndlessUpdateError,
    MissingDependencyError,
    MutationEndedError,
    NoEventLoopError,
    NotAnExceptionError,
    NotAnOverrideError,
    NotAProviderError,
    NotCallableError,
    NoTestError,
    NotifierNotReadyError,
    NotScopedError,
    OverrideMismatchError,
    ProviderDisposedError,
    ProviderError,
    ProviderReturnTypeError,
    ReactiveError,
    ReadDuringDisposalError,
    ScopeError,
    StreamEndedError,
    SubscriptionClosedError,
    UnhashableArgumentError,
    UnmountedRefError,
    UnnamedProviderError,
    WrongThreadError,
)
from .explain import Explanation
from .future_provider import FutureProvider
from .iteration import latest
from .listenable import ProviderListenable, Refreshable
from .mutation import (
    Mutation,
    MutationError,
    MutationIdle,
    MutationPending,
    MutationState,
    MutationSuccess,
    MutationTransaction,
)
from .notifier import AsyncNotifier, Notifier, StreamNotifier
from .notifier_family import NotifierFamily
from .notifier_provider import NotifierProvider
from .observer import ProviderObserver, ProviderObserverContext
from .options import ProviderOptions, make_options
from .override import Override
from .persistence import (
    DuplicatePersistKeyError,
    InMemoryStorage,
    PersistedData,
    Storage,
    StorageOptions,
)
from .provider import Family, ProviderBase
from .ref import KeepAliveLink, NotifierRef, Ref
from .retry import Retry, exponential_retry, never
from .state_provider import StateController, StateProvider
from .state_stream import StateStreamProviderBase
from .stream_notifier_provider import StreamNotifierProvider
from .stream_provider import StreamProvider
from .subscription import ProviderSubscription
from .summary import brief
from .value_provider import Provider

__all__ = [
    "AsyncCallbackError",
    "AsyncData",
    "AsyncError",
    "AsyncLoading",
    "AsyncNotifier",
    "AsyncNotifierProvider",
    "AsyncProviderBase",
    "AsyncResult",
    "AsyncState",
    "AsyncValue",
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
    "Explanation",
    "Family",
    "FutureProvider",
    "InMemoryStorage",
    "KeepAliveLink",
    "MissingDependencyError",
    "Mutation",
    "MutationEndedError",
    "MutationError",
    "MutationIdle",
    "MutationPending",
    "MutationState",
    "MutationSuccess",
    "MutationTransaction",
    "NoEventLoopError",
    "NoTestError",
    "NotAProviderError",
    "NotAnExceptionError",
    "NotAnOverrideError",
    "NotCallableError",
    "NotScopedError",
    "Notifier",
    "NotifierFamily",
    "NotifierNotReadyError",
    "NotifierProvider",
    "NotifierRef",
    "Override",
    "OverrideMismatchError",
    "PersistedData",
    "Provider",
    "ProviderBase",
    "ProviderContainer",
    "ProviderDisposedError",
    "ProviderError",
    "ProviderListenable",
    "ProviderObserver",
    "ProviderObserverContext",
    "ProviderOptions",
    "ProviderReturnTypeError",
    "ProviderSubscription",
    "ReactiveError",
    "ReadDuringDisposalError",
    "Ref",
    "Refreshable",
    "Retry",
    "ScopeError",
    "StateController",
    "StateProvider",
    "StateStreamProviderBase",
    "Storage",
    "StorageOptions",
    "StreamEndedError",
    "StreamNotifier",
    "StreamNotifierProvider",
    "StreamProvider",
    "SubscriptionClosedError",
    "UnhashableArgumentError",
    "UnmountedRefError",
    "UnnamedProviderError",
    "WrongThreadError",
    "brief",
    "exponential_retry",
    "latest",
    "make_options",
    "never",
]
