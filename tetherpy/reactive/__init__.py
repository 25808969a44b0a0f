"""Providers: declared values, built on demand, watched, overridden, scoped and disposed.

The life of a provider: a *provider* is a declaration (``provider``). A *container* (``provider_container``) holds one
*element* (``element``) for each provider in use. Reading a provider *builds* its element (``updates/build``) with
a *Ref* (``ref``), which adds an edge to each dependency (``dependencies``). A change marks the dependents
(``marking``), which are updated once per turn (``scheduler``), and then notifies listeners (``subscription``).
An element without users is paused; if it is auto-dispose, it is disposed.
"""

from tetherpy.facades import facade_dir
from tetherpy.iteration import latest

from . import errors
from .asynchronous.async_provider_base import AsyncProviderBase
from .asynchronous.async_value import AsyncData, AsyncError, AsyncLoading, AsyncResult, AsyncState, AsyncValue
from .asynchronous.state_stream import StateStreamProviderBase
from .container.container_host import ContainerOptions
from .container.keep_alive_link import KeepAliveLink
from .container.observer import ProviderObserver, ProviderObserverContext
from .container.overrides import Override
from .container.provider_container import ProviderContainer
from .container.ref import NotifierRef, Ref
from .errors import *
from .graph.explain import Explanation
from .graph.listenable import ProviderListenable, Refreshable
from .graph.retries.retry_policy import Retry, exponential_retry, never
from .graph.subscription import ListenOptions, OnChange, ProviderSubscription
from .history import History, HistoryStatus
from .mutation import (
    Mutation,
    MutationError,
    MutationIdle,
    MutationPending,
    MutationState,
    MutationSuccess,
    MutationTransaction,
)
from .persistence.storage import InMemoryStorage, PersistedData, Storage, StorageOptions
from .providers.async_notifier_provider import AsyncNotifierProvider
from .providers.future_provider import FutureProvider
from .providers.notifier_provider import NotifierProvider
from .providers.notifiers.notifier import AsyncNotifier, Notifier, StreamNotifier
from .providers.notifiers.notifier_family import NotifierFamily
from .providers.notifiers.optimistic_update import OptimisticUpdate
from .providers.provider import Family, ProviderBase
from .providers.provider_options import ProviderOptions, make_options
from .providers.state_provider import StateController, StateProvider
from .providers.stream_notifier_provider import StreamNotifierProvider
from .providers.stream_provider import StreamProvider
from .providers.value_provider import Provider
from .values.summary import brief

__all__ = [
    "AsyncData",
    "AsyncError",
    "AsyncLoading",
    "AsyncNotifier",
    "AsyncNotifierProvider",
    "AsyncProviderBase",
    "AsyncResult",
    "AsyncState",
    "AsyncValue",
    "ContainerOptions",
    "Explanation",
    "Family",
    "FutureProvider",
    "History",
    "HistoryStatus",
    "InMemoryStorage",
    "KeepAliveLink",
    "ListenOptions",
    "Mutation",
    "MutationError",
    "MutationIdle",
    "MutationPending",
    "MutationState",
    "MutationSuccess",
    "MutationTransaction",
    "Notifier",
    "NotifierFamily",
    "NotifierProvider",
    "NotifierRef",
    "OnChange",
    "OptimisticUpdate",
    "Override",
    "PersistedData",
    "Provider",
    "ProviderBase",
    "ProviderContainer",
    "ProviderListenable",
    "ProviderObserver",
    "ProviderObserverContext",
    "ProviderOptions",
    "ProviderSubscription",
    "Ref",
    "Refreshable",
    "Retry",
    "StateController",
    "StateProvider",
    "StateStreamProviderBase",
    "Storage",
    "StorageOptions",
    "StreamNotifier",
    "StreamNotifierProvider",
    "StreamProvider",
    "brief",
    "exponential_retry",
    "latest",
    "make_options",
    "never",
]
__all__ += errors.__all__

__dir__ = facade_dir(__all__)
