"""Containers, ticks, retention and queues, on a server."""

from tests.integration.service.test_service_scope import *  # noqa: F403
