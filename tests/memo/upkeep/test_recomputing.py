import pytest
from hypothesis import given

from neurotools.memo import literals, naming
from neurotools.memo.entry import Digested, Key
from neurotools.memo.errors import CannotRebuild
from neurotools.memo.key import KeyMaker
from neurotools.memo.upkeep.recomputing import computed, rebuilt, signature_of
from tests.memo.signatures import same, signatures


def takes_all(*more, **others):
    return more, others


KEYS = KeyMaker(takes_all)


@given(signatures)
def test_calls_are_read_back_exactly_or_not_at_all(signature):
    named, extra = signature
    args, kwargs = extra or (), dict(named)
    kept = literals.decode(KEYS.text(args, kwargs))
    try:
        found, others = rebuilt(KEYS, kept)
    except CannotRebuild:
        values = [*kept[1], *dict(kept[0]).values()] if kept[1] else dict(kept[0]).values()
        assert any(isinstance(value, Digested) for value in values)
        return
    assert same(found, args)
    assert all(same(others[name], value) for name, value in kwargs.items())
    assert others.keys() == kwargs.keys()


def made(function, *args, ignore=(), **kwargs):
    keys = KeyMaker(function, ignore)
    return keys, keys.signature(args, kwargs)


def test_kinds_of_parameters_are_minded():
    def f(a, /, b, *more, c, d=4, **others):
        return a, b, more, c, d, others

    for args, kwargs in (
        ((1, 2), {"c": 3}),
        ((1, 2, 5, 6), {"c": 3, "d": 5, "a": 7, "more": 8}),
        ((1,), {"b": 2, "c": 3}),
    ):
        keys, signature = made(f, *args, **kwargs)
        if "a" in kwargs:
            # The name of two arguments: which one is which cannot be told any more.
            with pytest.raises(CannotRebuild):
                rebuilt(keys, signature)
            continue
        assert computed(f, rebuilt(keys, signature)) == f(*args, **kwargs)


def test_an_ignored_argument_has_its_default_or_the_call_is_lost():
    def f(x, jobs=3):
        return x, jobs

    def g(x, jobs):
        return x, jobs

    keys, signature = made(f, 1, jobs=7, ignore=["jobs"])
    assert computed(f, rebuilt(keys, signature)) == (1, 3)
    keys, signature = made(g, 1, 7, ignore=["jobs"])
    with pytest.raises(CannotRebuild, match="'jobs' does not count, and so is not kept"):
        rebuilt(keys, signature)


def test_parameters_that_came_or_went_are_told():
    _, signature = made(lambda x: x, 1)
    with pytest.raises(CannotRebuild, match="'y' is new"):
        rebuilt(KeyMaker(lambda x, y: x), signature)
    with pytest.raises(CannotRebuild, match="'y' is new"):
        rebuilt(KeyMaker(lambda x, y=1: x), signature)
    with pytest.raises(CannotRebuild, match="no argument 'x' now"):
        rebuilt(KeyMaker(lambda: 1), signature)


def test_a_name_without_arguments_asks_the_record():
    key = Key("f", "code", "hash.digest", "npy")
    with pytest.raises(CannotRebuild, match="neither its name nor its record"):
        signature_of(key, lambda: None)
    with pytest.raises(CannotRebuild, match="neither its name nor its record"):
        signature_of(key, lambda: (_ for _ in ()).throw(OSError("gone")))
    named = (("x", 1),), None
    assert signature_of(key._replace(call=naming.stem(named)), lambda: None) == named
