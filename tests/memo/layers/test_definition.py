"""The class syntax: what a class body says, and what it cannot say."""

import functools
import inspect
import pickle

import pytest

from neurotools.jobs.layers import (
    Chain,
    Mixin,
    Output,
    Source,
    Transform,
    impure,
    meta,
    optional,
    positional,
)
from neurotools.memo.errors import CacheError, UnknownField, WrongLayer


class Letters(Source):
    """Letters of the alphabet."""

    _first: str
    _size = 3

    @meta
    def ids(_first, _size):
        return tuple(chr(ord(_first) + number) for number in range(_size))

    def twice(i, _mark):
        return 2 * i + _mark

    def _mark(key, _first):
        return "!" if key == _first else "?"

    def number(i):
        return ord(i)

    @staticmethod
    def version():
        return 7


class Louder(Transform):
    __inherit__ = "number"
    _times: int = 2

    def loud(twice, _times):
        return twice.upper() * _times


def test_annotated_private_names_are_keywords_of_the_constructor():
    assert Letters(first="a").ids == ("a", "b", "c")
    assert Letters(first="x", size=2).ids == ("x", "y")
    assert str(inspect.signature(Letters)) == "(*, first, size=3)"


def test_a_lone_parameter_may_be_given_by_place():
    assert (Letters(first="a") >> Louder(1)).loud("a") == "AA!"
    assert str(inspect.signature(Louder)) == "(times=2)"


@pytest.mark.parametrize(
    ("args", "given", "told"),
    [
        ((), {}, "'first' has no value; the parameters are: first, size"),
        ((), {"first": "a", "last": "z"}, "no parameter 'last'; the parameters are: first, size"),
        (("a",), {}, "parameters are given by name"),
    ],
)
def test_wrong_parameters_are_told_with_those_there_are(args, given, told):
    with pytest.raises(TypeError, match=f"Letters: .*{told}"):
        Letters(*args, **given)


def test_private_functions_are_values_for_others_and_the_key_has_any_name():
    letters = Letters(first="a")
    assert (letters.twice("a"), letters.twice("b")) == ("aa!", "bb?")
    assert letters.twice(id="b") == "bb?"


def test_fields_leave_the_class_but_its_own_functions_stay():
    assert set(dir(Letters(first="a"))) == {"id", "ids", "twice", "number"}
    assert Letters.version() == Letters(first="a").version() == 7
    assert Letters.__doc__ == "Letters of the alphabet."
    assert Letters.twice("a", ".") == "aa."  # the plain function, as its name says


def test_untouched_fields_are_dropped_unless_they_are_inherited():
    chain = Letters(first="a") >> Louder()
    assert set(dir(chain)) == {"id", "ids", "loud", "number"}
    with pytest.raises(
        AttributeError, match=r"Louder has no field 'twice'; .*: id, ids, loud, num"
    ):
        chain.twice("a")


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ({"__inherit__": True}, {"twice", "number"}),
        ({"__inherit__": ("twice", "number")}, {"twice", "number"}),
        ({"__exclude__": "twice"}, {"number"}),
        ({"__exclude__": ("twice", "number")}, set()),
        ({}, set()),
    ],
)
def test_what_is_inherited(said, left):
    chain = Letters(first="a") >> Transform(more=lambda number: number, **said)
    assert set(dir(chain)) == left | {"id", "ids", "more"}


def test_meta_fields_and_the_id_pass_through_all_layers():
    chain = Letters(first="a") >> Transform() >> Transform(key=lambda id: id)  # noqa: A006
    assert chain.ids == ("a", "b", "c")
    assert chain.key("b") == chain.id("b") == "b"
    fewer = chain >> Transform(ids=meta(lambda ids: ids[:1]))
    assert fewer.ids == ("a",)


def test_output_and_positional_arguments():
    class Sized(Transform):
        def size(loud: Output):
            return len(loud)

        def loud(loud, /):
            return loud + "."

        @positional
        def number(x, size: Output):
            return x, size

    chain = Letters(first="a") >> Louder() >> Sized()
    assert (chain.size("b"), chain.number("b")) == (7, (98, 7))


def test_the_same_function_for_several_fields():
    @positional
    def bracketed(x, _with):
        return f"{_with}{x}{_with}"

    made = Transform(twice=bracketed, number=bracketed, _with=lambda number: number % 10)
    chain = Letters(first="a") >> made
    assert (chain.twice("a"), chain.number("a")) == ("7aa!7", "7977")


def test_partial_functions_and_callable_objects_are_functions():
    class Adder:
        def __init__(self, by):
            self.by = by

        def __call__(self, number):
            return number + self.by

    def shifted(number, by, twice):
        return (number + by) * twice

    partial = functools.partial(shifted, by=1, twice=2)
    chain = Letters(first="a") >> Transform(number=Adder(3)) >> Transform(number=partial)
    assert chain.number("a") == 202


def test_optional_fields_vanish_where_their_input_is_missing():
    class Both(Transform):
        @optional
        def bang(twice):
            return twice

        @optional
        def gone(missing):
            return missing

    assert set(dir(Letters(first="a") >> Both())) == {"id", "ids", "bang"}
    assert dir(Transform() >> Both()) == []
    assert dir(Transform() >> (Both() >> Both())) == []
    with pytest.raises(
        UnknownField, match=r"Transform.x needs 'gone', but Both has no field 'gone'"
    ):
        Letters(first="a") >> Both() >> Transform(x=lambda gone: gone)


def test_transforms_alone_take_raw_values():
    half = Transform(image=lambda image, by: image / by)
    assert half.image(2, 3) == half.image(image=3, by=2) == 1.5  # by name, in order
    assert str(inspect.signature(half.image)) == "(by, image)"
    nothing = Transform(__inherit__=True) >> Transform(__inherit__=True)
    assert nothing.anything(5) == 5
    with pytest.raises(AttributeError):
        (Transform(__inherit__="x") >> Transform(__inherit__=True)).y(1)


def test_several_fields_are_loaded_in_one_pass_and_an_entry_has_all():
    letters = Letters(first="a")
    assert letters._compile(["number", "id"])("b") == (98, "b")
    assert letters("b").number == letters("b")["number"] == 98
    assert letters("b")["number", "twice"] == (98, "bb?")


def test_chains_are_the_same_however_they_are_put_together():
    letters, louder, more = Letters(first="a"), Louder(), Transform(out=lambda loud: loud + ".")
    chains = [
        Chain(letters, louder, more),
        letters >> louder >> more,
        Chain(Chain(letters, louder), more),
        Chain(letters, Chain(louder, more)),
        letters >> (louder >> more),
        Chain(Chain(letters, Chain(Chain(louder), more))),
    ]
    assert {chain.out("a") for chain in chains} == {"AA!AA!."}
    assert len({repr(chain) for chain in chains}) == 1
    assert all(chain[0] is letters and len(chain) == 3 for chain in chains)
    assert chains[0][1:].out("x") == "XX."
    assert list(chains[0]) == [letters, louder, more]


def test_layers_and_chains_print_as_they_are_written():
    chain = Letters(first="a") >> Louder(times=3) >> Transform(out=lambda loud: loud)
    text = "Letters(first='a', size=3) >> Louder(times=3) >> Transform(out=<lambda>)"
    assert repr(chain) == text


def test_long_chains_print_one_layer_a_line():
    chain = Chain(Letters(first="a"), *[Transform(__inherit__=True)] * 4)
    lines = repr(chain).splitlines()
    assert lines[:2] == ["Letters(first='a', size=3)", "    >> Transform(__inherit__=True)"]
    assert len(lines) == 5


def test_classes_derive_from_layers_and_mixins():
    class Marked(Mixin):
        _mark: str = "*"

        def marked(twice, _mark):
            return twice + _mark

    class LouderStill(Marked, Louder):
        def loud(twice):
            return twice.upper() + "!!"

    chain = Letters(first="a") >> LouderStill(mark="#")
    assert (chain.marked("a"), chain.loud("a"), chain.number("a")) == ("aa!#", "AA!!!", 97)
    assert isinstance(LouderStill(), Transform)
    assert issubclass(Marked, Mixin)


def test_layers_travel_by_pickle():
    chain = pickle.loads(pickle.dumps(Letters(first="a") >> Louder(times=1)))
    assert chain.loud("b") == "BB?"
    assert repr(chain) == "Letters(first='a', size=3) >> Louder(times=1)"


# ---------------------------------------------------------------- bad input


def body(base=Transform, **members):
    return type(base)("Wrong", (base,), {"__module__": __name__, **members})


async def coroutine(x):
    return x


def a_cycle():
    def one(_two):
        return 1

    def two(_one):
        return 1

    return body(_one=one, _two=two, x=lambda _one: _one)


def outputs_in_a_circle():
    def x(y: Output):
        return y

    def y(x: Output):
        return x

    return body(x=x, y=y)


WRONG = {
    "a cycle": (a_cycle, r"Wrong: the field '_one' needs itself: _one -> _two -> _one; .* x, _one"),
    "a cycle of outputs": (outputs_in_a_circle, "the field 'x' needs itself: x -> y -> x"),
    "no such parameter": (
        lambda: body(x=lambda _fctor: 1, __annotations__={"_factor": int}),
        "Wrong.x needs '_fctor', but Wrong has no field '_fctor'; the fields there are: _factor, x",
    ),
    "several keys": (lambda: body(Source, x=lambda i, j: 1), "several arguments .*: 'i', 'j'"),
    "an id": (lambda: body(Source, id=lambda i: 1), "'id' is what a source is asked for"),
    "meta with a key": (lambda: body(Source, ids=meta(lambda i: 1)), "'ids' is @meta"),
    "a default": (lambda: body(x=lambda x, y=1: 1), "'y' has a default value"),
    "only keywords": (lambda: body(x=lambda *, a: 1), 'The parameter "a" must be "positional or'),
    "any arguments": (lambda: body(x=lambda *a: 1), 'The parameter "a" must be "positional or'),
    "any keywords": (lambda: body(x=lambda **a: 1), 'The parameter "a" must be "positional or'),
    "a constructor": (lambda: body(__init__=lambda self: None), "cannot define __init__"),
    "a property": (lambda: body(x=property(lambda self: 1)), "'x' is a property; use @meta"),
    "a number": (lambda: body(x=3), "'x' is of type int, but a field is a function"),
    "a public annotation": (lambda: body(__annotations__={"x": int}), "not 'x'"),
    "both": (lambda: body(__inherit__="a", __exclude__="b"), "not both"),
    "odd inherit": (lambda: body(__inherit__=3), "__inherit__ is True, a name or .* not 3"),
    "odd exclude": (lambda: body(__exclude__=[3]), "__exclude__ is a name or a sequence"),
    "two bases": (lambda: type(Source)("Wrong", (Letters, Louder), {}), "not from both"),
    "no function": (lambda: Transform(x=3), "'x' is no function, but 3"),
    "by place": (lambda: Transform(len), "functions by name"),
    "no signature": (lambda: Transform(x=print), "positional or keyword|parameters are not known"),
    "a generator": (lambda: Transform(x=(lambda x: (yield x))), "x: it is a generator"),
    "a coroutine": (lambda: Transform(x=coroutine), "x: it is a coroutine"),
    "a bare source": (Source, "derive a class from Source"),
    "a bare mixin": (Mixin, "derive a Source or Transform"),
    "marks on values": (lambda: impure(3), "for functions, not for 3"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_a_layer_cannot_be_is_told(wrong):
    make, told = WRONG[wrong]
    with pytest.raises(CacheError, match=told):
        make()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda s, t: s >> s, "Letters: it is a source, and stands behind Letters"),
        (lambda s, t: Chain(s, t, s), "Letters: it is a source, and stands behind Louder"),
        (lambda s, t: s >> Louder, "no layer; make one of a class with"),
        (lambda s, t: s >> 3, "3 is no layer"),
        (lambda s, t: Chain(), "one layer at least"),
        (lambda s, t: s >> t >> t, "Louder.loud needs 'twice', but Louder has no field 'twice'"),
        (
            lambda s, t: s >> Transform(x=lambda nope: 1),
            "'nope'; the fields there are: id, ids, nu",
        ),
    ],
)
def test_what_a_chain_cannot_be_is_told(make, told):
    with pytest.raises((WrongLayer, UnknownField), match=told):
        make(Letters(first="a"), Louder())


def test_wrong_calls_of_a_field_say_what_it_takes():
    letters = Letters(first="a")
    for call in (lambda: letters.number(), lambda: letters.number("a", "b")):
        with pytest.raises(TypeError, match=r"Letters.number does not .* it takes id"):
            call()
    with pytest.raises(TypeError, match="given key='a', it takes id"):
        letters.number(key="a")
    with pytest.raises(TypeError, match="it takes id"):
        letters.number("a", id="a")


def test_an_id_that_does_not_exist_is_told_with_those_there_are():
    class Few(Source):
        @meta
        def ids():
            return ("a", "b")

        def size(i):
            return {"a": 1, "b": 2}[i]

        def broken(i):
            raise ValueError("broken")

    with pytest.raises(KeyError, match=r"^Few.size: there is no id 'c'; the 2 ids are: 'a', 'b'$"):
        (Few() >> Transform(__inherit__=True)).size("c")
    with pytest.raises(ValueError, match="broken"):
        Few().broken("a")


def test_fields_may_have_the_names_of_what_chains_offer():
    class Warm(Source):
        def warm(i):
            return i

    assert (Warm() >> Transform(__inherit__=True)).warm(3) == Warm().warm(3) == 3
    assert pickle.loads(pickle.dumps(Letters(first="a"))).warm.__name__ == "warm"
