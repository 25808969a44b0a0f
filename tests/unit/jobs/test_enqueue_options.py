"""Functions that pass options on accept the optional fields of a new job, and the transaction."""

import inspect

import attrs
import pytest

from tetherpy.jobs import (
    OPTIONS,
    BackgroundJob,
    BackgroundJobManager,
    DefinitionOptions,
    EnqueueOptions,
    NewJob,
    NewJobOptions,
)
from tetherpy.service import BackgroundService


def test_the_options_are_the_optional_fields_of_a_new_job_and_the_transaction():
    optional = inspect.signature(NewJob).parameters.keys() - {"job_key", "payload", "result_type"}
    assert {option.name for option in OPTIONS} == optional == NewJobOptions.__annotations__.keys()
    assert EnqueueOptions.__annotations__.keys() == optional | {"transaction"}
    assert DefinitionOptions.__annotations__.keys() == optional


def test_a_stored_job_has_a_field_for_every_stored_option_with_its_default():
    fields = {field.name: field.default for field in attrs.fields(BackgroundJob)}
    assert {option.field: fields[option.field] for option in OPTIONS if option.stored} == {
        option.field: option.default for option in OPTIONS if option.stored
    }


@pytest.mark.parametrize("call", [BackgroundJobManager.enqueue, BackgroundService.job])
def test_functions_that_pass_options_on_do_not_list_them_again(call):
    named = inspect.signature(call).parameters.keys() - {"self", "job_key", "payload", "options"}
    assert named <= {"transaction"}
