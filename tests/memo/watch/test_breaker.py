import pytest

from neurotools.memo.watch.breaker import (
    FIRST_SECONDS,
    LONGEST_CHEAP_SECONDS,
    LONGEST_SECONDS,
    THRESHOLD,
    Breaker,
)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return Breaker(clock)


def fail(breaker, times=THRESHOLD, seconds=1.0):
    for _ in range(times):
        breaker.failed(seconds)


def test_single_failures_change_nothing(breaker):
    for _ in range(10):
        fail(breaker, THRESHOLD - 1)
        assert breaker.lets_through()
        breaker.went_well()


def test_failures_in_a_row_open_it(breaker):
    fail(breaker)
    assert breaker.is_open
    assert not breaker.lets_through()
    assert breaker.seconds_left == FIRST_SECONDS


def test_one_failure_is_enough_where_it_is_certain(breaker):
    breaker.failed(5.0, for_certain=True)
    assert not breaker.lets_through()


def test_after_a_pause_one_is_let_through(breaker, clock):
    fail(breaker)
    clock.now += FIRST_SECONDS
    assert [breaker.lets_through() for _ in range(4)] == [True, False, False, False]


def test_a_trial_that_nobody_hears_of_is_repeated(breaker, clock):
    fail(breaker)
    clock.now += FIRST_SECONDS
    assert breaker.lets_through()
    clock.now += LONGEST_SECONDS
    assert breaker.lets_through()


def test_what_went_well_closes_it(breaker, clock):
    fail(breaker)
    clock.now += FIRST_SECONDS
    breaker.went_well(on_trial=True)
    assert breaker.is_spotless
    assert not breaker.is_open
    assert [breaker.lets_through() for _ in range(3)] == [True] * 3


@pytest.mark.parametrize(("seconds", "longest"), [(1, LONGEST_SECONDS), (0, LONGEST_CHEAP_SECONDS)])
def test_pauses_grow_up_to_a_limit(breaker, clock, seconds, longest):
    fail(breaker, seconds=seconds)
    pauses = []
    for _ in range(12):
        pauses.append(breaker.seconds_left)
        clock.now += breaker.seconds_left
        assert breaker.lets_through()
        breaker.failed(seconds)
    assert pauses[:3] == [FIRST_SECONDS, 2 * FIRST_SECONDS, 4 * FIRST_SECONDS]
    assert pauses[-1] == longest


def test_a_place_that_fails_after_each_trial_is_tried_ever_more_rarely(breaker, clock):
    left = []
    for _ in range(4):
        breaker.failed(5.0, for_certain=True)
        left.append(breaker.seconds_left)
        clock.now += breaker.seconds_left
        breaker.went_well(on_trial=True)
    assert left == [1, 2, 4, 8]


def test_real_use_that_goes_well_shortens_the_next_pause(breaker):
    for _ in range(3):
        breaker.failed(5.0, for_certain=True)
        breaker.went_well(on_trial=True)
    for _ in range(3):
        breaker.went_well()
    breaker.failed(5.0, for_certain=True)
    assert breaker.seconds_left == FIRST_SECONDS
