"""``tetherpy jobs enqueue KEY`` in the folder of an app whose ``tether.yaml`` names the definition of the key."""

import sys

import pytest
import typer

from tetherpy.cli.jobs.job_definitions import new_job

APP = """
import attrs
from tetherpy import JobDefinition

@attrs.frozen
class Mail:
    to: str

send_mail = JobDefinition("send_mail", payload=Mail, queue="mail", max_attempts=5)
sweep = JobDefinition("sweep")
other = JobDefinition("another_key")
number = 3
"""


@pytest.fixture
def jobs(tmp_path, monkeypatch):
    """Make the folder of an app the working folder; return a function that declares its jobs."""
    (tmp_path / "app_with_definitions.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "app_with_definitions", raising=False)

    def declare(**names):
        lines = [f"      {key}: app_with_definitions:{name}" for key, name in names.items()]
        head = ["generation:", "  background_services:", "    enabled: true", "    jobs:"]
        (tmp_path / "tether.yaml").write_text("\n".join([*head, *lines]))

    yield declare
    sys.modules.pop("app_with_definitions", None)


def test_the_options_of_the_definition_apply_unless_they_are_given(jobs):
    jobs(send_mail="send_mail", sweep="sweep")
    job = new_job("send_mail", {"to": "ada"}, {})
    assert (job.queue, job.max_attempts, job.payload) == ("mail", 5, {"to": "ada"})
    assert new_job("send_mail", {"to": "ada"}, {"queue": "slow"}).queue == "slow"
    assert new_job("sweep", None, {}).payload is None


@pytest.mark.parametrize("payload", [{"too": "ada"}, {"to": 3}, None, "ada"])
def test_a_payload_that_does_not_fit_is_an_error_of_usage(jobs, payload):
    jobs(send_mail="send_mail")
    with pytest.raises(typer.BadParameter, match=r"does not fit the definition of 'send_mail' at \$"):
        new_job("send_mail", payload, {})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "cannot be imported"),
        ("number", "is a int, and not a JobDefinition"),
        ("other", "is the definition of 'another_key'"),
    ],
)
def test_a_name_that_is_no_definition_of_the_key_is_an_error_of_usage(jobs, name, message):
    jobs(send_mail=name)
    with pytest.raises(typer.BadParameter, match=message):
        new_job("send_mail", None, {})


def test_other_keys_and_classes_of_payloads_need_no_definition(jobs):
    jobs(send_mail="Mail")
    for key in ("send_mail", "unknown"):
        job = new_job(key, {"anything": 1}, {})
        assert (job.queue, job.max_attempts) == ("default", 3)
