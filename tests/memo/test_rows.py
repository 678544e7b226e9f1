"""Rows against `typing.NamedTuple`, which they stand for."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any, NamedTuple

import pytest

from neurotools.memo import rows
from neurotools.memo.entry import Blob, Key
from neurotools.memo.rows import Row


class Plain(NamedTuple):
    """Doc."""

    name: str
    kind: str
    source: str | None = None
    more: tuple[int, ...] = (1,)

    @property
    def both(self) -> str:
        """Of methods."""
        return self.name + self.kind


class Ours(Row):
    """Doc."""

    name: str
    kind: str
    source: str | None = None
    more: tuple[int, ...] = (1,)

    @property
    def both(self) -> str:
        """Of methods."""
        return self.name + self.kind


class Empty(Row):
    pass


CALLS = [
    (("a", "b"), {}),
    (("a",), {"kind": "b"}),
    ((), {"kind": "b", "name": "a", "more": ()}),
    (("a", "b", "c", (2,)), {}),
]


@pytest.mark.parametrize(("args", "kwargs"), CALLS)
def test_a_row_is_what_a_named_tuple_is(args, kwargs):
    plain, ours = Plain(*args, **kwargs), Ours(*args, **kwargs)
    assert isinstance(ours, tuple)
    assert ours == plain
    assert hash(ours) == hash(plain)
    assert repr(ours) == repr(plain).replace("Plain", "Ours")
    assert ours._asdict() == plain._asdict()
    assert ours._replace(kind="z") == plain._replace(kind="z")
    assert ours.both == plain.both
    assert [getattr(ours, name) for name in Ours._fields] == list(plain)
    assert pickle.loads(pickle.dumps(ours)) == ours == copy.deepcopy(ours)
    assert type(pickle.loads(pickle.dumps(ours))) is type(copy.copy(ours)) is Ours
    assert not hasattr(ours, "__dict__")


def test_classes_say_the_same_of_themselves():
    for name in ("_fields", "_field_defaults", "__match_args__", "__doc__", "__slots__"):
        assert getattr(Ours, name) == getattr(Plain, name)
    assert type(Ours) is type
    assert list(inspect.signature(Ours).parameters.values()) == [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in inspect.signature(Plain).parameters.values()
    ]
    assert Ours._make("abcd") == Plain._make("abcd")
    for kind in (Ours, Plain):
        with pytest.raises(TypeError, match="Expected 4 arguments, got 3"):
            kind._make("abc")
    assert Empty() == ()
    assert repr(Empty()) == "Empty()"


@pytest.mark.parametrize(
    ("args", "kwargs"), [(("a",), {}), (("a", "b"), {"kind": "c"}), ((), {"x": 1}), ("abcde", {})]
)
def test_wrong_items_are_refused_as_there(args, kwargs):
    for kind in (Plain, Ours):
        with pytest.raises(TypeError):
            kind(*args, **kwargs)
    with pytest.raises(TypeError):
        Ours("a", "b")._replace(unknown=1)
    with pytest.raises(AttributeError):
        Ours("a", "b").name = "c"


def test_items_with_defaults_come_last():
    with pytest.raises(TypeError, match="come last"):
        type(Row)("Wrong", (Row,), {"__annotations__": {"a": "int", "b": "int"}, "a": 1})


def test_there_is_a_maker_for_each_number_of_items():
    for number in range(len(rows._MAKERS)):
        names = [f"item{place}" for place in range(number)]
        kind: Any = type(Row)("Some", (Row,), {"__annotations__": dict.fromkeys(names, "int")})
        assert kind(*range(number)) == tuple(range(number))
        assert kind(**dict(zip(names, range(number), strict=True)))._fields == tuple(names)


def test_values_that_travel_are_rows_of_their_own_kind():
    key = Key("pkg/f", "code", "call", "npy")
    assert key.path == "pkg/f/code/call.npy"
    assert key._replace(method="pickle").path.endswith(".pickle")
    assert Blob((b"a",), 1).parts == (b"a",)
