"""The short form of the fuzzing: the same decoders and changes, fewer inputs."""

import random

import pytest

from benchmarks.reliability import decoders, fuzz, mutants


@pytest.mark.parametrize("name", decoders.decoders())
def test_hostile_inputs_give_a_value_or_the_error_that_is_documented(name):
    many = decoders.numbers(6000)[name]
    # The same inputs each time: the long form looks for new ones.
    found = fuzz.fuzz(decoders.decoders()[name], many, 7)
    assert found.counts["bad"] == 0, found.examples
    assert found.counts["value"] + found.counts["refusal"] > many * 0.9


def test_what_is_bad_is_counted_and_shown():
    def read(given):
        raise KeyError(given)

    decoder = decoders.Decoder(lambda dice: dice.random(), read, (ValueError,), 1)
    found = fuzz.fuzz(decoder, 10, 0)
    assert found.counts == {"bad": 10}
    assert len(found.examples) == 3


def test_the_same_seed_gives_the_same_inputs():
    seeds = [b"a real input", b"another one"]
    made = [mutants.of_bytes(seeds[0], seeds, random.Random(seed)) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
