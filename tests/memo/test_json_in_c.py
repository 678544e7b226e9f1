"""The short way to JSON against `json`."""

import json
import math
import random
import subprocess
import sys

import pytest

from neurotools.memo import json_in_c

VALUES = [
    None,
    True,
    "",
    'ä\u2028\ud800\x00"\\/\n𝄞',
    0,
    -(10**30),
    1.5,
    -0.0,
    5e-324,
    math.inf,
    -math.inf,
    [],
    {},
    {"a": [1, {"b": None}], "": [[], [[]]]},
    {1: 2, None: 3, False: 4, 2.5: 5},
    ("a", (1, 2)),
    "text alone",
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_is_written_and_read_as_json_does(value):
    text = json_in_c.dumps(value)
    assert text == json.dumps(value)
    assert repr(json_in_c.loads(text)) == repr(json.loads(text))


def test_an_encoder_that_is_kept_writes_as_json_does():
    for between, behind_names in ((",", ":"), (", ", ": ")):
        write = json_in_c.encoder(between, behind_names)
        for value in VALUES:
            assert write(value) == json.dumps(value, separators=(between, behind_names))
        with pytest.raises(TypeError):
            write({"a": object()})
        assert write("again") == '"again"'


def test_values_at_random_come_out_the_same():
    chance = random.Random(3)

    def some(depth):
        kind = chance.randrange(7 if depth else 5)
        if kind == 5:
            return [some(depth - 1) for _ in range(chance.randrange(4))]
        if kind == 6:
            return {str(number): some(depth - 1) for number in range(3)}
        text = "".join(map(chr, chance.choices(range(1, 0x3000), k=5)))
        return [None, chance.random() * 1e300, chance.getrandbits(90), text, False][kind]

    for _ in range(300):
        value = some(4)
        text = json.dumps(value)
        assert json_in_c.dumps(value) == text
        assert json_in_c.loads(text) == value


@pytest.mark.parametrize(
    "text",
    ["", " ", "{", "[1,", '{"a" 1}', "nul", "[1] x", "'a'", '"\n"', "[1,]", "\ufeff[]", "-", "01"],
)
def test_what_is_no_json_is_refused_in_the_same_words(text):
    with pytest.raises(json.JSONDecodeError) as theirs:
        json.loads(text)
    with pytest.raises(json.JSONDecodeError) as ours:
        json_in_c.loads(text)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("text", [" [1] ", "\n{}\n", "NaN", "[-Infinity, Infinity]"])
def test_what_json_allows_besides_is_allowed(text):
    assert repr(json_in_c.loads(text)) == repr(json.loads(text))


@pytest.mark.parametrize("value", [{1, 2}, object(), b"", {(1,): 2}])
def test_what_json_does_not_write_is_refused(value):
    for module in (json, json_in_c):
        with pytest.raises(TypeError):
            module.dumps(value)


def test_nesting_without_end_is_refused():
    with pytest.raises(RecursionError):
        json_in_c.loads("[" * 1_000_000)
    circle: list = []
    circle.append(circle)
    with pytest.raises(ValueError, match="Circular"):
        json_in_c.dumps(circle)


def test_without_the_part_in_c_json_does_it():
    code = (
        "import sys; sys.modules['_json'] = None\n"
        "from neurotools.memo import json_in_c\n"
        "print(json_in_c.dumps(json_in_c.loads('[1, \"a\"]')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[1, "a"]'
