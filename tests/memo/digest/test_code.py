"""Functions and classes inside values, and types that say how they are digested."""

import collections
import functools
import gc
import math
import threading
import types
from pathlib import Path

import numpy as np
import pytest

from neurotools.memo.digest import writers
from neurotools.memo.digest.values import digest, qualified_name, register_digest
from neurotools.memo.errors import UndigestableValue
from tests.memo.digest.examples import Box, Colour, OtherBox, Pair, Point, Row, Slots


class TestCode:
    """What the callback gets to see, and that what it says counts."""

    @staticmethod
    def seen(value):
        found = []
        digest(value, lambda part: (found.append(part), qualified_name(part))[1])
        return found

    @pytest.mark.parametrize(
        ("value", "parts"),
        [
            (len, [len]),
            (Box.method, [Box.method]),
            (str.upper, [str.upper]),
            (str.__add__, [str.__add__]),
            (Slots.a, [Slots.a]),
            (Box, [Box]),
            (Colour, [Colour]),
            (math, [math]),
            (np.add, [np.add]),
            (np.mean, [np.mean]),
            ("a".upper, []),
            (Box(a=1).method, [Box.method, Box]),
            (functools.partial(len, 1), [len]),
            ([len, {"a": Box()}], [len, Box]),
            (Pair(1, 2), [Pair]),
            (Colour.RED, [Colour]),
            (Point(1.0), [Point]),
            (Row([1]), [Row]),
            (collections.defaultdict(list), [collections.defaultdict, list]),
            (np.array([1]), []),
            (np.array([1]).view(type("Mine", (np.ndarray,), {}))[:0].sum, None),
        ],
    )
    def test_functions_and_classes_go_through_the_callback(self, value, parts):
        if parts is not None:
            assert self.seen(value) == parts

    def test_a_cached_function_goes_through_the_callback(self):
        cached = functools.lru_cache(Box.method)
        assert self.seen([cached]) == [cached]

    def test_each_is_asked_for_once(self):
        assert self.seen([Box(), Box(), len, len]) == [Box, len]

    @pytest.mark.parametrize("value", [len, Box, Box(), [Box().method], functools.partial(len)])
    def test_what_the_callback_returns_counts(self, value):
        assert digest(value, lambda part: "one") != digest(value, lambda part: "two")

    @pytest.mark.parametrize("value", [1, [1.0, "a"], {"a": np.arange(3)}, Path("a")])
    def test_plain_values_do_not_hang_on_the_callback(self, value):
        assert digest(value, lambda part: "one") == digest(value)

    def test_an_error_of_the_callback_says_where(self):
        def code(part):
            raise UndigestableValue("function", "its source is lost")

        with pytest.raises(UndigestableValue, match="source is lost") as caught:
            digest({"a": [len]}, code)
        assert caught.value.where == "['a'][0]"

    def test_a_qualified_name_has_module_and_name(self):
        assert qualified_name(Box.method) == f"{Box.__module__}:Box.method"
        assert qualified_name(len) == "builtins:len"
        assert qualified_name(str.upper) == "builtins:str.upper"
        assert qualified_name(np.add) == "numpy:add"
        assert qualified_name(math) == "math:"


class TestRegistered:
    """Types that say themselves, or for which somebody says, how they are digested."""

    @pytest.fixture(autouse=True)
    def _nothing_stays_registered(self):
        before = dict(writers.registered)
        yield
        writers.registered.clear()
        writers.registered.update(before)

    def test_a_registered_function_says_what_counts(self):
        register_digest(Box, lambda box: box.a)
        assert digest(Box(a=1, lock=threading.Lock())) == digest(Box(a=1, other=2))
        assert digest(Box(a=1)) != digest(Box(a=2))

    def test_register_digest_is_a_decorator_too(self):
        @register_digest(Box)
        def rule(box):
            return 0

        assert rule(None) == 0
        assert digest(Box(a=1)) == digest(Box(a=2))

    def test_a_subclass_inherits_but_is_another_type(self):
        register_digest(Box, lambda box: 0)
        assert digest(OtherBox(a=1)) == digest(OtherBox(a=2))
        assert digest(OtherBox()) != digest(Box())

    def test_the_most_specific_type_wins(self):
        register_digest(OtherBox, lambda box: box.a)
        register_digest(Box, lambda box: 0)
        assert digest(OtherBox(a=1)) != digest(OtherBox(a=2))

    def test_a_method_says_what_counts(self):
        class Mine:
            def __init__(self, a, lock):
                self.a, self.lock = a, lock

            def __neurotools_digest__(self):
                return self.a

        assert digest(Mine(1, threading.Lock())) == digest(Mine(1, threading.Lock()))
        assert digest(Mine(1, None)) != digest(Mine(2, None))

    def test_a_method_of_a_subclass_wins_over_its_base(self):
        class Mine(Box):
            def __neurotools_digest__(self):
                return 0

        register_digest(Box, lambda box: box.a)
        assert digest(Mine(a=1)) == digest(Mine(a=2))

    def test_what_a_function_returns_is_told_from_the_plain_value(self):
        register_digest(Box, lambda box: box.a)
        assert digest(Box(a=1)) != digest(1)

    def test_classes_made_for_a_moment_are_told_apart(self):
        def made(box):
            gc.collect()
            return [np.zeros(3).view(type(box.a, (np.ndarray,), {}))]

        register_digest(Box, made)
        assert digest([Box(a="One"), Box(a="Two")]) != digest([Box(a="One"), Box(a="One")])

    def test_a_changed_function_counts(self):
        register_digest(Box, lambda box: box.a)
        one = digest(Box(a=1), lambda part: "one" if part is not Box else "box")
        assert one != digest(Box(a=1), lambda part: "two" if part is not Box else "box")

    def test_a_function_that_fails_is_reported_as_such(self):
        register_digest(Box, lambda box: box.missing)
        with pytest.raises(UndigestableValue, match="AttributeError"):
            digest(Box())

    def test_an_error_inside_says_where(self):
        register_digest(Box, lambda box: {"content": [threading.Lock()]})
        with pytest.raises(UndigestableValue) as caught:
            digest([Box()])
        assert caught.value.where == "[0].content[0]"

    @pytest.mark.parametrize("kind", [int, list, dict, np.ndarray, np.float64, types.FunctionType])
    def test_plain_types_cannot_be_registered(self, kind):
        with pytest.raises(ValueError, match="digested by their content"):
            register_digest(kind, lambda value: 0)
