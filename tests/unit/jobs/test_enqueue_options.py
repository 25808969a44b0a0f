"""Functions that pass options on accept the optional fields of a new job, and the transaction."""

import inspect

import pytest

from tetherpy.jobs import BackgroundJobManager, DefinitionOptions, EnqueueOptions, NewJob
from tetherpy.service import BackgroundService


def test_the_options_are_the_optional_fields_of_a_new_job_and_the_transaction():
    optional = inspect.signature(NewJob).parameters.keys() - {"job_key", "payload", "result_type"}
    assert EnqueueOptions.__annotations__.keys() == optional | {"transaction"}
    assert DefinitionOptions.__annotations__.keys() == optional | {"retry"}


@pytest.mark.parametrize("call", [BackgroundJobManager.enqueue, BackgroundService.job])
def test_functions_that_pass_options_on_do_not_list_them_again(call):
    named = inspect.signature(call).parameters.keys() - {"self", "job_key", "payload", "options"}
    assert named <= {"transaction"}
