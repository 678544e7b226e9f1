import time

import numpy as np
import pytest

from neurotools.jobs.ndecorator import (
    argument_signature,
    clear_memoized,
    memoize,
    print_signature,
    sanitize,
    timed,
    unwrap,
)
from neurotools.memo.entry import Digested
from neurotools.memo.errors import UnknownChoice


def f(a, b=2, *more, c: int = 3, **options):
    pass


def test_arguments_are_bound_by_name():
    assert argument_signature(f, 1) == ((("a", 1), ("b", 2), ("c", 3)), None)
    assert argument_signature(f, a=1) == argument_signature(f, 1, 2, c=3)
    assert argument_signature(f, 1, 2, 3, z=4)[1] == (3,)
    assert ("z", 4) in argument_signature(f, 1, 2, 3, z=4, function=5)[0]


def test_arguments_that_do_not_fit_are_a_value_error():
    with pytest.raises(ValueError, match="f does not take these arguments"):
        argument_signature(f)


def test_decorated_functions_bind_like_the_function():
    assert argument_signature(timed(f), 1) == argument_signature(f, 1)


def test_sanitize_keeps_types_apart():
    values = [1, 1.0, True, (1,), [1], {1}, np.int64(1), "1", b"1"]
    found = [sanitize(value) for value in values]
    assert len({(type(value), repr(value)) for value in found}) == len(values)


def test_sanitize_digests_what_is_large():
    assert isinstance(sanitize(np.zeros(3)), Digested)
    sig = argument_signature(f, np.zeros(3))
    assert sanitize(sig) == sig


def test_strict_mode_takes_plain_values_only():
    assert sanitize((1, ["a b", None, 2.5]), mode="strict") == (1, ["a b", None, 2.5])
    for value in ["a/b", {1}, b"x", np.zeros(1), (1, {"a": 2})]:
        with pytest.raises(ValueError, match="strict mode takes"):
            sanitize(value, mode="strict")
    with pytest.raises(UnknownChoice, match="choose liberal or strict"):
        sanitize(1, mode="loose")


def test_signatures_print_like_calls():
    assert print_signature(((("a", 1), ("b", "x")), None)) == "a=1,b='x'"
    assert print_signature(((("a", 1),), (2, 3))) == "a=1,2,3"


def test_timed_adds_milliseconds():
    milliseconds, result = timed(lambda: time.sleep(0.02) or "done")()
    assert result == "done"
    assert 15 < milliseconds < 5000


def test_memoize_computes_once_and_keeps_types_apart():
    calls = []

    @memoize
    def g(x):
        "Say."
        calls.append(x)
        return [x]

    assert g(1) is g(x=1)
    assert [type(g(x)[0]) for x in (1, 1.0, True)] == [int, float, bool]
    assert len(calls) == 3
    assert g.__doc__ == "Say."
    assert len(g.__cache__) == 3


def test_clear_memoized_forgets_all(capsys):
    calls = []

    @memoize
    def g():
        calls.append(1)

    g()
    clear_memoized(verbose=True)
    assert "forgetting" in capsys.readouterr().out
    g()
    assert len(calls) == 2


def test_failures_are_not_remembered():
    calls = []

    @memoize
    def g():
        calls.append(1)
        raise ValueError("on purpose")

    for _ in range(2):
        with pytest.raises(ValueError, match="on purpose"):
            g()
    assert len(calls) == 2


def test_unwrap_strips_decorators():
    assert unwrap(timed(memoize(f))) is f
    assert unwrap(f) is f
    f.__wrapped__ = f
    assert unwrap(f) is f
    del f.__wrapped__
