"""Exact keys and exact values, over a zoo of values by chance; the long form is a benchmark."""

import copy
import pickle

import numpy as np
import pytest

from benchmarks.reliability.exact import run
from neurotools.memo.errors import UnstorableValue
from neurotools.memo.formats.registry import FORMATS
from tests.memo.formats.promises import again
from tests.memo.zoo import OwnArray, Zoo, spell

pytest.importorskip("pandas")
pytest.importorskip("scipy")


@pytest.mark.parametrize("seed", range(2))
def test_values_have_keys_of_their_own_and_come_back_exactly(seed):
    ledger = run(seed, 300)
    assert ledger.faults == []
    assert ledger.counts["digested in another process"] > 100
    assert all(ledger.counts[f"{method}: came back exactly"] > 50 for method in FORMATS)


def test_the_oracle_tells_values_apart_that_python_takes_for_equal():
    different = [0.0, -0.0, 0, False, np.int64(0), np.float64(0), np.array(0), [0], (0,), "0", b"0"]
    assert len({spell(value) for value in different}) == len(different)
    zoo = Zoo(5)
    for _ in range(200):
        value = zoo.array()
        assert spell(zoo.again(value)) == spell(copy.deepcopy(value)) == spell(value)


MASKED = {
    "no mask": np.ma.array([1, 2]),
    "nothing masked": np.ma.array([1, 2], mask=[False, False]),
    "hard": np.ma.array([1.0, 2.0], mask=[True, False], hard_mask=True),
    "big-endian": np.ma.array(np.array([1, 2], ">i4"), mask=[True, False], fill_value=7),
    "records": np.ma.array([(1, 2.0)], mask=[(True, False)], dtype=[("a", "i4"), ("b", ">f8")]),
}


@pytest.mark.parametrize("kind", MASKED)
def test_pickles_keep_all_of_a_masked_array(kind):
    value = MASKED[kind]
    back = again(FORMATS["pickle"], value)
    assert spell(back, exact=True) == spell(value, exact=True)
    assert (back._mask is np.ma.nomask) == (value._mask is np.ma.nomask)
    payload = FORMATS["pickle"].encode(value)
    plain = pickle.loads(b"".join(payload.parts))
    assert spell(plain, exact=True) == spell(value, exact=True)


def test_pickles_keep_the_byte_order_of_subclasses_or_refuse_them():
    matrix = np.array([[1, 2]], ">f4").view(np.matrix)
    assert spell(again(FORMATS["pickle"], matrix)) == spell(matrix)
    assert again(FORMATS["pickle"], np.zeros(3).view(OwnArray)).unit is None
    odd = np.ma.array(np.array([1, 2], ">i4"))
    odd.extra = 1
    for value in (np.zeros(3, ">f4").view(OwnArray), [np.zeros(0, ">f4").view(OwnArray)], odd):
        with pytest.raises(UnstorableValue, match="turn"):
            FORMATS["pickle"].encode(value)
