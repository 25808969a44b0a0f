from tetherpy.service.restart import RestartPolicy


def test_first_death_is_answered_at_once_then_ever_later():
    policy = RestartPolicy(first_delay=0.1, max_delay=1.0)
    assert [policy.delay_after(0.01, was_ready=True) for _ in range(7)] == [0.0, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0]


def test_never_gives_up_on_workers_that_were_ready():
    policy = RestartPolicy(max_broken_starts=2)
    assert all(policy.delay_after(0.01, was_ready=True) is not None for _ in range(2000))


def test_calm_forgives():
    policy = RestartPolicy(calm_after=30.0)
    policy.delay_after(1.0, was_ready=True)
    policy.delay_after(1.0, was_ready=True)
    assert policy.delay_after(31.0, was_ready=True) == 0.0


def test_gives_up_on_starts_that_break_in_a_row():
    policy = RestartPolicy(max_broken_starts=3)
    assert [policy.delay_after(0.1, was_ready=False) is None for _ in range(3)] == [False, False, True]


def test_one_good_start_clears_the_broken_ones():
    policy = RestartPolicy(max_broken_starts=2)
    for _ in range(10):
        assert policy.delay_after(0.1, was_ready=False) is not None
        assert policy.delay_after(0.1, was_ready=True) is not None
