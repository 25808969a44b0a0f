"""The job definitions that the ``tether.yaml`` of the working folder names."""

from __future__ import annotations

import sys
from importlib import import_module
from operator import attrgetter
from typing import Any, TypeGuard

import typer

from tetherpy.errors import clause
from tetherpy.jobs import JobDefinition, NewJob, NewJobOptions, PayloadDecodeError, decode_as, encode

from ..parameters.project import find_project


def new_job(key: str, payload: object, options: NewJobOptions) -> NewJob:
    """Return a job of a key, with the options of its definition if ``tether.yaml`` names one.

    Raises ``typer.BadParameter`` for a payload that does not fit the definition.
    """
    definition = _find_definition(key)
    if definition is None:
        return NewJob(job_key=key, payload=payload, **options)
    try:
        decode_as(encode(payload), definition.payload_type)
    except PayloadDecodeError as error:
        reason = f"The payload does not fit the definition of {key!r} at {error.path}: {clause(error.reason)}."
        raise typer.BadParameter(reason) from error
    return definition.new(payload, **options)


def _find_definition(key: str) -> JobDefinition[Any, Any] | None:
    project = find_project()
    declared = () if project is None else project.service.jobs
    named = next((job.definition for job in declared if job.key == key), None)
    if project is None or named is None:
        return None
    module, _, name = named.partition(":")
    if str(project.folder) not in sys.path:
        sys.path.insert(0, str(project.folder))
    try:
        found: object = attrgetter(name)(import_module(module))
    except Exception as error:
        reason = f"The definition {named!r} in tether.yaml cannot be imported ({type(error).__name__}: {error})."
        raise typer.BadParameter(reason) from error
    if not _is_definition(found):
        raise typer.BadParameter(f"{named!r} in tether.yaml is a {type(found).__name__}, and not a JobDefinition.")
    if found.job_key != key:
        reason = f"{named!r} in tether.yaml is the definition of {found.job_key!r}, and not of {key!r}."
        raise typer.BadParameter(reason)
    return found


def _is_definition(value: object) -> TypeGuard[JobDefinition[Any, Any]]:
    return isinstance(value, JobDefinition)
