"""Outcomes of jobs, on a server."""

from tests.integration.service.test_service_outcomes import *  # noqa: F403
