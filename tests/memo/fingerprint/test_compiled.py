import pytest

from neurotools.memo.fingerprint import compiled as module
from neurotools.memo.fingerprint.compiled import compiled
from neurotools.memo.fingerprint.reach import Tracker


class Box:
    pass


def box(value):
    made = Box()
    made.value = value
    return made


@pytest.mark.parametrize("count", [1, 2, module._MOST, module._MOST + 1, 5 * module._MOST])
def test_every_condition_counts(count):
    boxes = [box(number) for number in range(count)]
    check = compiled(("{}.value is {}", (box, box.value)) for box in boxes)
    assert check() is True
    for number in {0, count // 2, count - 1}:
        was, boxes[number].value = boxes[number].value, object()
        assert check() is False
        boxes[number].value = was
    assert check() is True


@pytest.mark.parametrize("key", ["a", 1, None, ("a", 1), 'it\'s {} "quoted"\n', b"\x00"], ids=repr)
def test_keys_of_all_kinds_are_looked_up(key):
    values = {key: 1000}
    check = compiled([("{}[{}] is {}", (values, key, values[key]))])
    assert check()
    values[key] = 1000.0
    assert not check()
    del values[key]
    with pytest.raises(KeyError):
        check()


def test_what_is_seen_often_is_compiled_and_gives_the_same_answers():
    scope = {}
    exec("K = 1\ndef g(x, y=2): return x\ndef f(x): return g(x) + K", scope)
    tracker = Tracker(scope["f"])
    first = {tracker.current().code for _ in range(300)}
    assert len(first) == 1
    assert tracker._seen.walk.ledger.guards._compiled is not None
    for change in ("K = True", "K = 1.0", "g.__defaults__ = (3,)", "def g(x, y=2): return -x"):
        exec(change, scope)
        changed = tracker.current().code
        assert changed not in first
        first.add(changed)
    del scope["g"]
    assert tracker.current().code not in first
