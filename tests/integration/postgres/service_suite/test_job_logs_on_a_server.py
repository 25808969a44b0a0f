"""The logs of jobs, on a server."""

from tests.integration.service.test_job_logs import *  # noqa: F403
