from neurotools.memo.pace import Pace


def test_nothing_is_skipped_before_a_load_was_measured():
    pace = Pace()
    pace.computed("a", 1e-6)
    assert not pace.is_computing_faster("a")


def test_slow_loads_are_skipped_and_fast_ones_not():
    pace = Pace()
    pace.loaded("slow", 1.0, 0.1)
    pace.loaded("fast", 0.01, 0.1)
    assert pace.is_computing_faster("slow")
    assert not pace.is_computing_faster("fast")


def test_other_calls_say_nothing_of_a_call():
    pace = Pace()
    pace.loaded("a", 1.0, 0.1)
    assert not pace.is_computing_faster("b")


def test_what_computes_faster_than_results_load_is_not_worth_keeping():
    pace = Pace()
    assert pace.is_worth_keeping(1e-9)
    pace.loaded("a", 1.0, 0.1)
    assert not pace.is_worth_keeping(0.5)
    assert pace.is_worth_keeping(2.0)


def test_now_and_then_a_load_is_measured_again():
    pace = Pace()
    pace.loaded("a", 1.0, 0.1)
    answers = [pace.is_computing_faster("a") for _ in range(64)]
    assert answers.count(False) == 2


def test_a_computation_that_became_slow_is_noticed():
    pace = Pace()
    pace.loaded("a", 1.0, 0.1)
    pace.computed("a", 5.0)
    assert not pace.is_computing_faster("a")
