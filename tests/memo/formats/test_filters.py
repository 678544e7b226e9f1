import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from neurotools.memo.formats import filters

CODES = (filters.PLAIN, *filters.SHUFFLES, *filters.PALETTES)
BLOCKS = npst.arrays("u1", st.integers(0, 200))


def again(code, block):
    content = filters.apply(code, block)
    back = np.empty(len(block), "u1")
    filters.revert(code, np.frombuffer(content.tobytes(), "u1"), back)
    return back


@pytest.mark.parametrize("code", CODES)
@given(BLOCKS)
def test_what_was_applied_is_reverted(code, block):
    if filters.apply(code, block) is not None:
        assert (again(code, block) == block).all()


@pytest.mark.parametrize("code", filters.PALETTES)
@pytest.mark.parametrize("different", [1, 2, 256, 257, 3000, 65536])
def test_palettes_of_all_sizes_are_reverted(code, different):
    """More different items than slots to look them up in collide, and come back still."""
    random = np.random.default_rng(different)
    items = random.integers(0, 2**63, different, "u8").astype(f"u{code - 32}")
    block = items[random.integers(0, different, 100_000)].view("u1")
    assert (again(code, block) == block).all()


@pytest.mark.parametrize("code", filters.PALETTES)
def test_too_many_different_items_make_no_palette(code):
    assert filters.apply(code, np.arange(100_000, dtype=f"u{code - 32}").view("u1")) is None


def test_a_shuffle_puts_equal_bytes_together():
    block = np.array([1, 2, 3], ">u4").view("u1")
    assert filters.apply(4, block).tolist() == [0] * 9 + [1, 2, 3]


@pytest.mark.parametrize("code", [*CODES, 0, 3, 255])
@given(BLOCKS, st.integers(0, 64))
def test_foreign_content_fills_the_block_or_is_refused(code, content, size):
    with contextlib.suppress(ValueError):
        filters.revert(code, content, np.empty(size, "u1"))
