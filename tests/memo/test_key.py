import math

import numpy as np
import pytest

from neurotools.memo.digest.files import File
from neurotools.memo.errors import UnsafeBinding
from neurotools.memo.key import KeyMaker, code_name, key_maker


def example(a, b=2, *more, **options):
    return a


def by_path(path: File):
    return path


def call(maker, *args, **kwargs):
    return maker.key_of_call(args, kwargs, "npy")[0]


CALLS = [
    ((1,), {}),
    ((1.0,), {}),
    ((True,), {}),
    (("1",), {}),
    ((b"1",), {}),
    ((None,), {}),
    ((0,), {}),
    ((0.0,), {}),
    ((-0.0,), {}),
    ((False,), {}),
    ((1, 3), {}),
    ((1, 2, 3), {}),
    ((1,), {"b": 3.0}),
    ((1,), {"z": 2}),
    ((1,), {"y": 2, "z": None}),
    (([1],), {}),
    ((np.int64(1),), {}),
    ((math.nan,), {}),
]


def test_the_shortcut_and_the_plain_road_agree():
    maker, plain = KeyMaker(example), KeyMaker(example)
    for _ in range(3):
        for args, kwargs in CALLS:
            assert call(maker, *args, **kwargs) == plain.key(plain.signature(args, kwargs), "npy")


def test_the_shortcut_tells_calls_apart():
    maker = KeyMaker(example)
    for _ in range(2):
        assert len({call(maker, *args, **kwargs) for args, kwargs in CALLS}) == len(CALLS)


def test_equal_calls_spelled_differently_share_a_key():
    maker = KeyMaker(example)
    for _ in range(2):
        keys = {call(maker, 1), call(maker, 1, 2), call(maker, a=1), call(maker, b=2, a=1)}
        assert len(keys) == 1


def test_a_known_call_is_not_named_again():
    maker = KeyMaker(example)
    assert maker.key_of_call((1,), {}, "npy")[1] is not None
    assert maker.key_of_call((1,), {}, "npy")[1] is None
    assert maker.key_of_call(([1],), {}, "npy")[1] is not None
    assert maker.key_of_call(([1],), {}, "npy")[1] is not None


def test_files_are_looked_at_each_time(tmp_path):
    maker, path = KeyMaker(by_path), tmp_path / "file"
    path.write_text("one")
    before = call(maker, str(path))
    path.write_text("other")
    assert call(maker, str(path)) != before


def test_what_is_remembered_is_bounded():
    maker = KeyMaker(example)
    for number in range(10_000):
        call(maker, number)
    assert len(maker._keys) <= 4096


def test_names_of_short_signatures_are_remembered_and_bounded():
    maker = KeyMaker(example)
    assert call(maker, [1]).call == call(maker, [1]).call != call(maker, (1,)).call
    for number in range(5000):
        call(maker, [number])
    call(maker, ["x" * 100] * 20)
    assert 0 < len(maker._stems) <= 4096
    assert max(map(len, maker._stems)) <= 1024


def test_large_arguments_are_not_kept_alive():
    maker = KeyMaker(example)
    call(maker, "x" * 1000), call(maker, b"x" * 1000), call(maker, 1 << 1000)
    assert maker._keys == {}


def test_functions_and_classes_as_arguments_carry_their_code():
    one, other = (lambda x: x + 1), (lambda x: x + 2)
    assert code_name(one) != code_name(other)
    assert code_name(one) == code_name(one)
    assert code_name(np).startswith("numpy")
    assert code_name(np) == code_name(np)
    assert "OrderedDict" in code_name(__import__("collections").OrderedDict)
    assert isinstance(code_name(len), str)
    assert isinstance(code_name(np.sin), str)


def test_a_plain_function_has_one_key_maker():
    assert key_maker(example) is key_maker(example)
    assert isinstance(key_maker(np.clip), KeyMaker)


def test_methods_differ_by_method():
    assert KeyMaker(example).key((((), None)), "npy").method == "npy"
    with pytest.raises(TypeError, match="missing"):
        KeyMaker(example).signature((), {})


def test_a_refusal_that_is_told_again_does_not_grow():
    def refused(x):
        return __import__(str(x))

    keys, depths = KeyMaker(refused, strict=True), []
    for _ in range(5):
        with pytest.raises(UnsafeBinding) as told:
            _ = keys.fingerprint
        depths.append(len(told.traceback))
    assert len(set(depths)) == 1
