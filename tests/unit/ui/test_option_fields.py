"""The options of a job in a form: every option is a field, and what a person types is stored."""

import pytest

from tests.support.job_options import every_option, typed_options
from tetherpy.jobs import OPTIONS, NewJob, stored_options
from tetherpy.ui.errors import FieldError
from tetherpy.ui.option_fields import option_fields, read_options

DEFAULTS = stored_options(NewJob(job_key="k"))


def typed():
    return {**typed_options(), "meta": '{"tenant": "7"}'}


def test_every_option_is_a_field_but_instants_and_policies():
    kinds = {option.name for option in OPTIONS if option.kind not in {"instant", "policy"}}
    assert [field.name for field in option_fields(DEFAULTS)] == [o.name for o in OPTIONS if o.name in kinds]
    assert all(field.label and field.hint for field in option_fields(DEFAULTS))


def test_typed_options_are_those_of_the_job():
    given = {name: value for name, value in every_option().items() if name != "retry"}
    assert NewJob(job_key="k", **read_options(typed(), DEFAULTS)) == NewJob(job_key="k", **given)


def test_fields_have_the_options_of_the_definition_and_give_them_back():
    stored = stored_options(NewJob(job_key="k", **every_option()))
    shown = {field.name: str(field.initial) for field in option_fields(stored)}
    again = stored_options(NewJob(job_key="k", **read_options(shown, DEFAULTS)))
    assert again == {**stored, "retry": None}


def test_empty_fields_are_the_required_options_of_the_definition_and_none_of_the_others():
    stored = stored_options(NewJob(job_key="k", **every_option()))
    left = NewJob(job_key="k", **read_options(dict.fromkeys(stored, " "), stored))
    assert {name: value for name, value in stored_options(left).items() if value is not None} == {
        option.name: stored[option.name] for option in OPTIONS if option.default is not None
    }


@pytest.mark.parametrize("name", [option.name for option in OPTIONS if option.kind in {"integer", "duration", "pairs"}])
def test_a_value_that_cannot_be_read_names_its_field(name):
    with pytest.raises(FieldError) as raised:
        read_options({**typed(), name: "x"}, DEFAULTS)
    assert raised.value.field == name
