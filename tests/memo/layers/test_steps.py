"""All that leads to a field, followed as one, and cheaply."""

import sys

import pytest

from neurotools.jobs.layers import CacheToRam, Source, Transform

SCALE = 2


def scaled(image):
    return image * SCALE


class Numbers(Source):
    _offset: int = 0
    _extra: object = None

    def image(i, _offset):
        return i + _offset

    def more(i, _extra):
        return i, _extra


class Scaled(Transform):
    def image(image):
        return scaled(image)


def steps(chain, name="image"):
    return getattr(chain, name).memory.keys.steps


@pytest.fixture
def chain():
    return Numbers() >> Scaled() >> CacheToRam()


def test_the_same_steps_have_the_same_fingerprint(chain):
    again = Numbers() >> Scaled() >> CacheToRam()
    assert steps(chain).current().code == steps(again).current().code


def test_layers_of_one_class_share_what_follows_their_functions(chain):
    again = Numbers(offset=3) >> Scaled() >> CacheToRam()
    assert set(map(id, steps(chain)._trackers)) == set(map(id, steps(again)._trackers))


@pytest.mark.parametrize("often", [1, 30, 300], ids=["seen once", "joined", "compiled"])
def test_a_change_is_seen_however_often_nothing_had_changed(chain, monkeypatch, often):
    fingerprints = {steps(chain).current() for _ in range(often)}
    assert len(fingerprints) == 1
    assert (steps(chain)._joined is not None) is (often > 1)
    here = sys.modules[__name__]
    monkeypatch.setattr(here, "SCALE", 3)
    changed = steps(chain).current()
    assert changed not in fingerprints
    monkeypatch.setattr(here, "scaled", lambda image: image)
    assert steps(chain).current().code not in {changed.code, *(one.code for one in fingerprints)}
    monkeypatch.undo()
    assert steps(chain).current().code == fingerprints.pop().code


def test_a_change_of_code_in_place_is_seen(chain, monkeypatch):
    for _ in range(30):
        before = steps(chain).current()
    monkeypatch.setattr(scaled, "__code__", (lambda image: image + SCALE).__code__)
    assert steps(chain).current().code != before.code


def test_values_that_can_change_are_looked_at_each_time():
    extra = [1]
    chain = Numbers(extra=extra) >> CacheToRam()
    codes = []
    for _ in range(40):
        extra.append(1)
        codes.append(steps(chain, "more").current().code)
    assert len(set(codes)) == 40
    assert steps(chain, "more")._joined is None


def test_the_manifest_names_steps_parameters_and_helpers(chain):
    parts = {(part.kind, part.name): part.source for part in steps(chain).current().manifest.parts}
    assert parts["parameter", "Numbers.offset"] == "0"
    assert parts["step", "Scaled.image"] == "Scaled.image(Numbers.image)"
    assert parts["step", "Numbers.image"] == "Numbers.image(id, Numbers.offset)"
    assert any(kind == "value" and name.endswith("SCALE") for kind, name in parts)
    assert steps(chain).owners["parameter", "Numbers.offset"] == ["Numbers.offset"]
    owners = [who for (_, name), who in steps(chain).owners.items() if name.endswith(":scaled")]
    assert owners == [["Scaled.image"]]


def test_the_same_layer_twice_is_told_apart():
    chain = Numbers() >> Scaled() >> Scaled() >> CacheToRam()
    names = [part.name for part in steps(chain).current().manifest.parts if part.kind == "step"]
    assert names == ["Numbers.image", "Scaled.image", "Scaled.image#2"]


def test_functions_of_one_name_in_several_steps_are_told_apart():
    def made(first, second):
        return Numbers() >> Transform(image=first) >> Transform(image=second) >> CacheToRam()

    one, two = (lambda image: image + 1), (lambda image: image + 2)
    codes = {steps(made(*pair)).current().code for pair in [(one, two), (two, one), (one, one)]}
    assert len(codes) == 3
