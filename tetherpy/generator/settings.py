"""The settings of a ``tether.yaml``."""

from __future__ import annotations

import attrs

from .name_checks import (
    check_callback,
    check_database,
    check_job_key,
    check_line,
    check_log_format,
    check_log_level,
    check_migrations,
    check_package,
    check_payload,
    snake_case,
)


@attrs.frozen
class JobDeclaration:
    """One kind of job: its key, and ``module:definition``, ``module:Class`` of its payload, or None for any JSON.

    A name that begins with a capital letter is a class; others are a ``JobDefinition``.
    """

    key: str = attrs.field(validator=check_job_key)
    payload: str | None = attrs.field(default=None, validator=attrs.validators.optional(check_payload))

    @property
    def definition(self) -> str | None:
        """Return ``module:definition``, None if there is only a payload."""
        name = "" if self.payload is None else self.payload.rpartition(".")[2].rpartition(":")[2]
        return None if name[:1].isupper() else self.payload

    @property
    def function(self) -> str:
        """Return the name of the generated function that enqueues the job."""
        return f"enqueue_{snake_case(self.key)}"


@attrs.frozen
class BackgroundServices:
    """The settings for background jobs.

    ``package`` is the dotted name of the generated package; ``database_path`` the app's database, a ``postgresql://``
    URL or a path, which begins at the folder of the ``tether.yaml`` if it is relative; ``migrations`` the
    ``module:name`` of the app's migrations, if any; ``app_initialization_callback`` the ``module:function`` that each
    worker calls first; ``log_level``, ``log_format`` and ``job_logs`` are those of ``BackgroundService``. A typed
    enqueue function is generated for each of the ``jobs``.
    """

    enabled: bool = False
    package: str = attrs.field(default="providers", validator=check_package)
    database_path: str = attrs.field(default="app.db", validator=check_database)
    migrations: str | None = attrs.field(default=None, validator=attrs.validators.optional(check_migrations))
    app_initialization_callback: str = attrs.field(default="worker:initialize", validator=check_callback)
    initial_notification_title: str = attrs.field(default="Background service", validator=check_line)
    initial_notification_content: str = attrs.field(default="", validator=check_line)
    log_level: str = attrs.field(default="INFO", validator=check_log_level)
    log_format: str = attrs.field(default="text", validator=check_log_format)
    job_logs: bool = True
    jobs: tuple[JobDeclaration, ...] = ()

    @property
    def path_is_relative(self) -> bool:
        """Whether the database is a path that begins at the folder of the ``tether.yaml``."""
        path = self.database_path
        return "://" not in path and not path.startswith(("/", "~"))


@attrs.frozen
class Generation:
    """The settings for all generated code."""

    background_services: BackgroundServices = attrs.Factory(BackgroundServices)


@attrs.frozen
class Settings:
    """A whole ``tether.yaml``."""

    generation: Generation = attrs.Factory(Generation)

    @property
    def background_services(self) -> BackgroundServices:
        """Return the settings for background jobs."""
        return self.generation.background_services
