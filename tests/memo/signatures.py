"""Signatures of all kinds, for tests with random ones."""

import string
from pathlib import PurePosixPath

import numpy as np
from hypothesis import strategies as st

from neurotools.memo import literals
from neurotools.memo.digest.values import qualified_name
from neurotools.memo.entry import Digested
from neurotools.memo.signature import canonical

atoms = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(),
    st.binary(),
    st.just(...),
    st.builds(np.int64, st.integers(-(2**63), 2**63 - 1)),
    st.builds(np.float32, st.floats(width=32)),
    st.builds(np.bool_, st.booleans()),
    st.builds(PurePosixPath, st.text(string.ascii_letters, min_size=1)),
    st.builds(Digested, st.text(), st.text(), st.text()),
)
hashable = st.recursive(
    atoms, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4
)
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.sets(hashable, max_size=3),
        st.dictionaries(hashable, inner, max_size=3),
    ),
    max_leaves=8,
)
names = st.one_of(st.sampled_from(["a", "b", "lambda", "two words"]), st.text())
signatures = st.tuples(
    st.dictionaries(names, values, max_size=3).map(lambda d: tuple(sorted(d.items()))),
    st.none() | st.lists(values, min_size=1, max_size=2).map(tuple),
).map(lambda sig: canonical(sig, qualified_name))


def same(a, b):
    """Equality that tells 1 from True, and finds NaN equal to itself."""
    return type(a) is type(b) and literals.text(literals.tag(a)) == literals.text(literals.tag(b))
