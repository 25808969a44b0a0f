"""tetherpy: reactive providers and durable background jobs for stateful Python apps.

Every name that an app declares, calls or catches can be imported from here. A name loads the package that defines it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .facades import lazy_facade

# fmt: off
# isort: off
if TYPE_CHECKING:
    from .database import (
        Address, AppTransaction, Database, Migration, Row, SqlDatabase, SqlExecuted, SqlRow, SqlTransaction,
        SyncDatabase, Transaction,
    )
    from .database.errors import *
    from .durable import STORAGE_MIGRATIONS, JobProvider, JobProviderError, JobProviderFamily, SqliteStorage
    from .errors import ArgumentError, DurationError, JsonError, SlowConsumerError, TetherError
    from .jobs import (
        JOB_MIGRATIONS, BackgroundJob, BackgroundJobManager, BackgroundJobStatus, Backoff, CancelJob, ClaimLostError,
        CopyDiffersError, CopyRefusedError, CreationOrder, Cron, CronMissingError, DefinitionOptions, DoNotRetry,
        EngineLimitError, EnqueueOptions, Every, ForeignQueueError, IllegalJobTransitionError, JobArgumentError,
        JobAttempt, JobCancelledError, JobCounts, JobDefinition, JobDefinitionError, JobEndedError, JobError,
        JobFailedError, JobId, JobMismatchError, JobNotFoundError, JobPage, JobQuery, JobRunningError,
        JobTablesMissingError, JobTimeline, JobTimeoutError, JobWaitTimeoutError, ListOptions, NewJob, NewJobOptions,
        PayloadDecodeError, PayloadEncodeError, PayloadError, PayloadTooLargeError, Schedule, ScheduleError,
        SchemaMissingError, Snooze, SyncJobManager, UniqueJobError, UnknownStatusError, UnreadableJobError,
        WorkerRecord, background_job, copy_jobs, is_legal_move, open_database, open_engine,
    )
    from .reactive import (
        AsyncData, AsyncError, AsyncLoading, AsyncNotifier, AsyncNotifierProvider, AsyncResult, AsyncState, AsyncValue,
        Explanation, Family, FutureProvider, History, HistoryStatus, InMemoryStorage, KeepAliveLink, Mutation,
        MutationError, MutationIdle, MutationPending, MutationState, MutationSuccess, MutationTransaction, Notifier,
        NotifierFamily, NotifierProvider, NotifierRef, OptimisticUpdate, Override, PersistedData, Provider,
        ProviderContainer, ProviderListenable, ProviderObserver, ProviderObserverContext, ProviderSubscription, Ref,
        Retry, StateController, StateProvider, Storage, StorageOptions, StreamNotifier, StreamNotifierProvider,
        StreamProvider, exponential_retry, latest, never,
    )
    from .reactive.errors import *
    from .service import (
        BackgroundService, CallbackNameError, FrameError, HandlerRegistrationError, MessageError, NoSuchHandlerError,
        NoWorkerProcessesError, OutsideJobError, OutsideLoopError, ServiceAlreadyRunningError, ServiceArgumentError,
        ServiceDiffersError,
        ServiceError, ServiceFolderError, ServiceInstance, ServiceNotRunningError, ServiceStalledError, ServiceState,
        SyncServiceInstance, UnsupportedDatabaseError, WorkerStartError, WorkerState, WorkerStopError,
    )
# isort: on

__all__ = [
    "JOB_MIGRATIONS", "STORAGE_MIGRATIONS", "Address", "AppTransaction", "ArgumentError", "AsyncCallbackError",
    "AsyncData", "AsyncError", "AsyncLoading", "AsyncNotifier", "AsyncNotifierProvider", "AsyncResult", "AsyncState",
    "AsyncValue", "AsyncValueIsLoadingError", "BackgroundJob", "BackgroundJobManager", "BackgroundJobStatus",
    "BackgroundService", "Backoff", "BatchOverAwaitError", "BuildCancelledError", "CallbackNameError", "CancelJob",
    "ChangeDuringBuildError", "CircularDependencyError", "ClaimLostError", "ContainerClosingError",
    "ContainerDisposedError", "CopyDiffersError", "CopyRefusedError", "CreationOrder", "Cron", "CronMissingError",
    "Database", "DatabaseAddressError", "DatabaseArgumentError", "DatabaseClosedError", "DatabaseCorruptError",
    "DatabaseEncodingError", "DatabaseError", "DatabaseFolderMissingError", "DatabaseForkedError", "DatabaseIOError",
    "DatabaseLockedError", "DatabaseOpenError", "DatabasePrivilegeError", "DatabaseReadOnlyError",
    "DatabaseReplacedError", "DatabaseUnavailableError", "DeclarationError", "DefinitionOptions", "DiskFullError",
    "DoNotRetry", "DuplicateMigrationError", "DuplicateOverrideError", "DuplicatePersistKeyError", "DurationError",
    "EndlessUpdateError", "EngineLimitError", "EnqueueOptions", "Every", "Explanation", "Family",
    "FamilyArgumentsError", "ForeignQueueError", "FrameError", "FutureProvider", "GraphInvariantError",
    "HandlerRegistrationError", "History", "HistoryClosedError", "HistoryStatus", "IllegalJobTransitionError",
    "InMemoryStorage", "JobArgumentError", "JobAttempt", "JobCancelledError", "JobCounts", "JobDefinition",
    "JobDefinitionError", "JobEndedError", "JobError", "JobFailedError", "JobId", "JobMismatchError",
    "JobNotFoundError", "JobPage", "JobProvider", "JobProviderError", "JobProviderFamily", "JobQuery",
    "JobRunningError", "JobTablesMissingError", "JobTimeline", "JobTimeoutError", "JobWaitTimeoutError",
    "JsonError", "KeepAliveLink", "ListOptions", "MessageError", "Migration", "MigrationChangedError",
    "MigrationError", "MigrationFailedError", "MigrationMissingError", "MigrationOrderError", "MissingDependencyError",
    "Mutation", "MutationEndedError", "MutationError", "MutationIdle", "MutationPending", "MutationState",
    "MutationSuccess", "MutationTransaction", "NewJob", "NewJobOptions", "NewerDataError", "NoEventLoopError",
    "NoSuchHandlerError", "NoTestError", "NoWorkerProcessesError",
    "NotADatabaseError", "NotAProviderError", "NotATransactionError", "NotAnExceptionError", "NotAnOverrideError",
    "NotBuiltError", "NotCallableError", "NotScopedError", "NotUndoableError", "Notifier", "NotifierFamily",
    "NotifierNotReadyError", "NotifierProvider", "NotifierRef", "OptimisticUpdate", "OtherDatabaseError",
    "OutsideJobError", "OutsideLoopError", "OutsideScopeError",
    "Override", "OverrideMismatchError", "PayloadDecodeError", "PayloadEncodeError", "PayloadError",
    "PayloadTooLargeError", "PersistedData", "PostgresMissingError", "Provider", "ProviderContainer",
    "ProviderDisposedError", "ProviderError", "ProviderListenable", "ProviderObserver", "ProviderObserverContext",
    "ProviderReturnTypeError", "ProviderSubscription", "ReactiveArgumentError", "ReactiveError",
    "ReadDuringDisposalError", "ReadTimeoutError", "Ref", "Retry", "Row", "RowNotFoundError", "Schedule",
    "ScheduleError", "SchemaMissingError", "SchemaNewerError", "ScopeError", "ServiceAlreadyRunningError",
    "ServiceArgumentError", "ServiceDiffersError", "ServiceError", "ServiceFolderError", "ServiceInstance",
    "ServiceNotRunningError", "ServiceStalledError", "ServiceState", "SlowConsumerError", "Snooze", "SqlDatabase",
    "SqlExecuted", "SqlRow", "SqlTransaction", "SqliteStorage", "StateController", "StateProvider",
    "StatementTimeoutError", "Storage", "StorageOptions", "StreamEndedError", "StreamNotifier",
    "StreamNotifierProvider", "StreamProvider",
    "SubscriptionClosedError", "SyncCallInLoopError", "SyncDatabase", "SyncJobManager", "SyncServiceInstance",
    "TetherError", "Transaction", "TransactionConflictError", "TransactionControlError",
    "TransactionHeldError", "TransactionNestedError", "TransactionOverError", "TransactionUnusableError",
    "UnhashableArgumentError", "UniqueJobError", "UnknownStatusError", "UnmountedRefError", "UnnamedProviderError",
    "UnreadableJobError", "UnsupportedDatabaseError", "WorkerRecord", "WorkerStartError", "WorkerState",
    "WorkerStopError", "WriteOnReaderError", "WrongLoopError", "WrongThreadError", "background_job", "copy_jobs",
    "exponential_retry", "is_legal_move", "latest", "never", "open_database", "open_engine",
]

_NAMES: dict[str, tuple[str, ...]] = {
    "database": (
        "Address", "AppTransaction", "Database", "DatabaseAddressError", "DatabaseArgumentError",
        "DatabaseClosedError", "DatabaseCorruptError", "DatabaseEncodingError", "DatabaseError",
        "DatabaseFolderMissingError", "DatabaseForkedError", "DatabaseIOError", "DatabaseLockedError",
        "DatabaseOpenError", "DatabasePrivilegeError", "DatabaseReadOnlyError", "DatabaseReplacedError",
        "DatabaseUnavailableError", "DiskFullError", "DuplicateMigrationError", "Migration", "MigrationChangedError",
        "MigrationError", "MigrationFailedError", "MigrationMissingError", "MigrationOrderError", "NotADatabaseError",
        "NotATransactionError", "OtherDatabaseError", "PostgresMissingError", "ReadTimeoutError", "Row",
        "RowNotFoundError", "SchemaNewerError", "SqlDatabase", "SqlExecuted", "SqlRow", "SqlTransaction",
        "StatementTimeoutError",
        "SyncCallInLoopError", "SyncDatabase",
        "Transaction", "TransactionConflictError", "TransactionControlError", "TransactionHeldError",
        "TransactionNestedError", "TransactionOverError", "TransactionUnusableError", "WriteOnReaderError",
        "WrongLoopError",
    ),
    "durable": (
        "STORAGE_MIGRATIONS", "JobProvider", "JobProviderError", "JobProviderFamily", "SqliteStorage",
    ),
    "errors": (
        "ArgumentError", "DurationError", "JsonError", "SlowConsumerError", "TetherError",
    ),
    "jobs": (
        "JOB_MIGRATIONS", "BackgroundJob", "BackgroundJobManager", "BackgroundJobStatus", "Backoff", "CancelJob",
        "ClaimLostError", "CopyDiffersError", "CopyRefusedError", "CreationOrder", "Cron", "CronMissingError",
        "DefinitionOptions", "DoNotRetry", "EngineLimitError", "EnqueueOptions", "Every", "ForeignQueueError",
        "IllegalJobTransitionError", "JobArgumentError", "JobAttempt", "JobCancelledError", "JobCounts",
        "JobDefinition", "JobDefinitionError", "JobEndedError", "JobError", "JobFailedError", "JobId",
        "JobMismatchError", "JobNotFoundError", "JobPage", "JobQuery", "JobRunningError", "JobTablesMissingError",
        "JobTimeline", "JobTimeoutError", "JobWaitTimeoutError", "ListOptions", "NewJob", "NewJobOptions",
        "PayloadDecodeError", "PayloadEncodeError", "PayloadError", "PayloadTooLargeError", "Schedule", "ScheduleError",
        "SchemaMissingError", "Snooze", "SyncJobManager", "UniqueJobError", "UnknownStatusError", "UnreadableJobError",
        "WorkerRecord",
        "background_job", "copy_jobs", "is_legal_move", "open_database", "open_engine",
    ),
    "service": (
        "BackgroundService", "CallbackNameError", "FrameError", "HandlerRegistrationError", "MessageError",
        "NoSuchHandlerError", "NoWorkerProcessesError", "OutsideJobError", "OutsideLoopError",
        "ServiceAlreadyRunningError",
        "ServiceArgumentError", "ServiceDiffersError", "ServiceError", "ServiceFolderError", "ServiceInstance",
        "ServiceNotRunningError", "ServiceStalledError", "ServiceState", "SyncServiceInstance",
        "UnsupportedDatabaseError", "WorkerStartError",
        "WorkerState", "WorkerStopError",
    ),
}
"""The names of each package but ``reactive``, whose names are the rest."""
# fmt: on

_PACKAGES = {name: package for package, names in _NAMES.items() for name in names}

if not TYPE_CHECKING:  # type checkers report the names that are not public
    __getattr__, __dir__ = lazy_facade(__name__, __all__, _PACKAGES, others="reactive")
