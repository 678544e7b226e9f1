import math
from pathlib import Path
from typing import Optional

import numpy as np
import pytest

from neurotools.memo import literals, signature
from neurotools.memo.digest.files import File
from neurotools.memo.digest.values import qualified_name
from neurotools.memo.entry import Digested
from neurotools.memo.errors import UndigestableValue, WrongArguments
from neurotools.memo.signature import (
    LITERAL_LEAVES,
    LITERAL_LENGTH,
    Binder,
    canonical,
    canonical_value,
)


def example(a, b=2, *more, c=3, **options):
    pass


def text(function, *args, **kwargs):
    return literals.encode(canonical(Binder(function).bind(args, kwargs), qualified_name))


@pytest.mark.parametrize(
    ("args", "kwargs"), [((1,), {}), ((1, 2), {}), ((), {"a": 1}), ((), {"c": 3, "b": 2, "a": 1})]
)
def test_equal_calls_have_equal_signatures_however_spelled(args, kwargs):
    assert text(example, *args, **kwargs) == text(example, 1)


def test_arguments_are_sorted_and_extra_ones_apart():
    bound = Binder(example).bind((1, 5, 6, 7), {"z": 8})
    assert bound == ((("a", 1), ("b", 5), ("c", 3), ("z", 8)), (6, 7))


def test_without_extra_arguments_there_are_none():
    assert Binder(example).bind((1,), {})[1] is None


def test_ignored_arguments_are_left_out():
    assert Binder(example, ["b", "options"]).bind((1,), {"x": 1})[0][0] == ("a", 1)

    def f(x, n_jobs=1):
        pass

    assert Binder(f, "n_jobs").bind((1, 8), {}) == ((("x", 1),), None)


def test_ignoring_what_is_no_parameter_is_an_error():
    def f(x):
        pass

    with pytest.raises(ValueError, match="the parameters are: x"):
        Binder(f, ["y"])


def test_arguments_that_do_not_fit_are_a_type_error():
    with pytest.raises(TypeError, match="missing a required argument"):
        Binder(example).bind((), {})


def test_keyword_and_positional_only_names_may_meet():
    def f(a, /, **options):
        pass

    assert text(f, 1, a=2) != text(f, 2, a=1)


@pytest.mark.parametrize(
    "value",
    [
        1,
        True,
        1.5,
        "x",
        b"x",
        None,
        (1, [2.0]),
        {"a": {1}},
        frozenset([1]),
        np.int8(3),
        Path("x"),
        2j,
    ],
)
def test_small_plain_values_stay_as_they_are(value):
    found = canonical_value(value, qualified_name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "value",
    [
        "x" * (LITERAL_LENGTH + 1),
        list(range(LITERAL_LEAVES + 1)),
        10**100,
        math.nan,
        np.arange(3),
        (1, np.arange(3)),
        len,
        example,
        Path("x" * 300),
    ],
    ids=lambda value: type(value).__name__,
)
def test_large_and_special_values_are_digested(value):
    found = canonical_value(value, qualified_name)
    assert isinstance(found, Digested)
    assert found == canonical_value(value, qualified_name)


def test_a_digest_says_what_it_stands_for():
    found = canonical_value(np.zeros((3, 4), "f4"), qualified_name)
    assert (found.kind, found.detail) == ("numpy.ndarray", "(3, 4) float32")
    assert repr(found) == f"<ndarray (3, 4) float32 {found.digest[:6]}>"


def test_nested_data_does_not_take_exponential_time():
    deep = []
    for _ in range(100):
        deep = [deep, deep]
    assert isinstance(canonical_value(deep, qualified_name), Digested)


def test_what_cannot_be_digested_names_the_argument(tmp_path):
    with (
        (tmp_path / "open").open("w") as file,
        pytest.raises(UndigestableValue, match="argument 'a'"),
    ):
        canonical(((("a", file),), None), qualified_name)


def annotated(path: File):
    pass


def annotated_as_text(path: "neurotools.jobs.cache.File"):  # noqa: F821
    pass


@pytest.mark.parametrize("function", [annotated, annotated_as_text])
def test_a_file_argument_stands_for_its_content(tmp_path, function):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("same")
    other.write_text("same")
    before = text(function, str(one))
    assert before == text(function, other)
    one.write_text("changed")
    assert before != text(function, str(one))


def maybe(path: File | None = None):
    pass


def optional(path: Optional[File] = None):  # noqa: UP045 - as people write it
    pass


def many(paths: list[File]):
    pass


def extra(*paths: File):
    pass


def keywords(**paths: File):
    pass


def as_text(path: "File | None" = None):
    pass


@pytest.mark.parametrize(
    "call",
    [
        lambda path: text(maybe, path),
        lambda path: text(optional, path),
        lambda path: text(many, [path, path]),
        lambda path: text(many, (Path(path),)),
        lambda path: text(extra, path),
        lambda path: text(keywords, a=path),
        lambda path: text(as_text, path),
    ],
)
def test_files_count_by_content_however_they_are_annotated(tmp_path, call):
    path = tmp_path / "file"
    path.write_text("one")
    before = call(str(path))
    path.write_text("other")
    assert call(str(path)) != before


def test_no_file_is_no_file():
    assert text(maybe) == text(maybe, None)


def test_a_path_is_its_text():
    assert text(example, "data.csv") != text(example, "./data.csv")
    assert text(example, Path("data.csv")) != text(example, "data.csv")


def plain(a, b, c=3):
    pass


def mixed(a, /, b, c=3, *, d, e=5):
    pass


def open_ended(a, *more, d=4, **others):
    pass


CALLS = [
    *(((), {}), ((1,), {}), ((1, 2), {}), ((1, 2, 4), {}), ((1, 2, 3, 4), {}), ((1,), {"b": 2})),
    *(((), {"a": 1, "b": 2}), ((1,), {"a": 1}), ((1, 2), {"d": 5}), ((1, 2), {"d": 5, "e": 6})),
    *(((1,), {"b": 2, "d": 4}), ((), {"a": 1, "b": 2, "d": 3}), ((1, 2), {"x": 5})),
    *(((1, 2), {"c": 3, "d": 4}), ((1, 2, 3), {"c": 3, "d": 4}), ((1, 2, 3), {"d": 4})),
]


@pytest.mark.parametrize("function", [plain, mixed, open_ended])
@pytest.mark.parametrize(("args", "kwargs"), CALLS)
def test_the_short_way_to_bind_agrees_with_the_plain_one(function, args, kwargs):
    binder = Binder(function)
    short = binder._bound_shortly(args, kwargs)
    if short is not None:
        assert short == binder._bound(args, kwargs)


def test_the_short_way_to_bind_is_taken():
    bound = Binder(mixed)._bound_shortly((1, 2), {"d": 4})
    assert bound == {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}


def test_arguments_that_need_only_be_sorted_are_bound_as_all_others_are(monkeypatch):
    for args, kwargs in (((2, 1), {}), ((), {"b": 1, "a": 2}), ((5,), {}), ((), {})):
        for function in (lambda b=7, a=8: (a, b), plain):
            usual, plainly = Binder(function), Binder(function)
            monkeypatch.setattr(plainly, "_is_usual", False)
            results = []
            for binder in (usual, plainly):
                try:
                    results.append(binder.bind(args, kwargs))
                except WrongArguments as error:
                    results.append(str(error))
            assert results[0] == results[1]


AT_THE_EDGE = [0, -1, 1 << 256, 1 << 255, True, None, 1.5, -0.0, float("nan"), float("inf")]


@pytest.mark.parametrize(
    "value", [*AT_THE_EDGE, "a", "x" * 128, "x" * 129, "\ud800", b"", b"y" * 129], ids=repr
)
def test_plain_values_stand_for_themselves_where_they_do_on_the_plain_road(monkeypatch, value):
    short = canonical(((("x", value),), None), str)
    monkeypatch.setattr(signature, "_PLAIN", {})
    assert repr(short) == repr(canonical(((("x", value),), None), str))
