"""The settings of a service are converted or refused by the app's call, not by a worker that cannot start."""

import numpy as np
import pytest

from tetherpy.database import DatabaseArgumentError, PostgresDatabase
from tetherpy.service import ServiceArgumentError
from tetherpy.service.protocol.settings import WorkerConfig

CALLBACK = {"database": "app.db", "callback": "app:initialize"}


@pytest.mark.parametrize("name", ["concurrency", "processes", "pool_size"])
@pytest.mark.parametrize("value", [0, -1, 2**31, "2", 2.0, True, None, np.float64(2)])
def test_a_number_that_no_worker_can_use_is_refused(name, value):
    with pytest.raises(ServiceArgumentError, match=name):
        WorkerConfig(**CALLBACK, **{name: value})
    if name == "pool_size":
        with pytest.raises(DatabaseArgumentError, match=name):
            PostgresDatabase.open("postgresql://host/name", pool_size=value)


@pytest.mark.parametrize("queues", ["mail", b"mail", [1], ["mail", None], 5])
def test_queues_that_are_no_names_are_refused(queues):
    with pytest.raises(ServiceArgumentError, match="queues"):
        WorkerConfig(**CALLBACK, queues=queues)


@pytest.mark.parametrize("title", [5, b"title", None])
def test_a_notification_that_is_no_text_is_refused(title):
    with pytest.raises(ServiceArgumentError, match="initial_notification_title"):
        WorkerConfig(**CALLBACK, notification_title=title)


def test_settings_of_similar_types_arrive_in_the_worker_as_plain_values():
    given = WorkerConfig(**CALLBACK, concurrency=np.int64(3), queues=["mail", np.str_("push")])
    assert (
        WorkerConfig.decode(given.encode()) == given == WorkerConfig(**CALLBACK, concurrency=3, queues=("mail", "push"))
    )
