from tetherpy.service.supervisor.restart_policy import RestartPolicy


def idle(policy):
    return policy.delay_after(was_ready=True, did_work=False)


def broken(policy):
    return policy.delay_after(was_ready=False, did_work=False)


def test_workers_that_did_work_are_restarted_at_once_however_many_die():
    policy = RestartPolicy()
    assert [policy.delay_after(was_ready=True, did_work=True) for _ in range(2000)] == [0.0] * 2000


def test_the_first_death_without_work_restarts_at_once_and_later_ones_are_delayed():
    policy = RestartPolicy(first_delay=0.1, max_delay=1.0)
    assert [idle(policy) for _ in range(7)] == [0.0, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_workers_that_were_ready_are_restarted_without_limit():
    policy = RestartPolicy(max_broken_starts=2)
    assert all(idle(policy) is not None for _ in range(2000))


def test_failed_starts_do_not_delay_the_restart_of_a_worker_that_worked():
    policy = RestartPolicy()
    assert [broken(policy) for _ in range(3)] == [0.0, 0.1, 0.2]
    assert policy.delay_after(was_ready=True, did_work=True) == 0.0
    assert broken(policy) == 0.4


def test_work_resets_the_delay():
    policy = RestartPolicy()
    assert [idle(policy), idle(policy), broken(policy), broken(policy)] == [0.0, 0.1, 0.0, 0.1]
    policy.worked()
    assert [idle(policy), broken(policy)] == [0.0, 0.0]


def test_repeated_failed_starts_stop_the_service():
    policy = RestartPolicy(max_broken_starts=3)
    assert [broken(policy) is None for _ in range(3)] == [False, False, True]


def test_one_successful_start_resets_the_count_of_failed_ones():
    policy = RestartPolicy(max_broken_starts=2)
    for _ in range(10):
        assert broken(policy) is not None
        assert idle(policy) is not None
