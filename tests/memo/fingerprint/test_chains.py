"""The short way of following a name once for all functions of a module, against the plain road."""

from __future__ import annotations

import importlib
import itertools
import sys
import textwrap

import pytest

from neurotools.memo.fingerprint.chains import Chains
from neurotools.memo.fingerprint.reach import short_code
from neurotools.memo.fingerprint.walk import Walk

HEAD = """
    import importlib, math, os, sys, time
    import numpy as np
    from functools import lru_cache, partial
    from {other} import helper, RATE
    import {other} as other

    TABLE, LOG, COUNTS = {}, [], [0, 1]
    LIMITS = {"low": 1}

    class Setup:
        gain = 2
        def run(self, x):
            return helper(x) * self.gain + RATE

    setup = Setup()
    setup.offset = 3

    def shared(x):
        return helper(x) + math.sqrt(2) + len(LIMITS)

    @lru_cache
    def cached(x):
        return shared(x)
"""

#: What functions do; each stands in two functions of one module, with others between.
BODIES = {
    "code": "return shared(x) + helper(x) + math.sqrt(x) + other.helper(x)",
    "values": "return RATE + LIMITS['low'] + other.RATE + Setup.gain + setup.offset",
    "only fills": "TABLE[x] = shared(x); LOG.append(x); return TABLE.get(x)",
    "only reads": "return len(TABLE) + len(LOG)",
    "assigns": "global COUNTS; COUNTS = [x]; setup.offset = x; other.RATE = x",
    "clock": "return time.time() + shared(x)",
    "environment": "return os.environ['HOME'], os.getcwd()",
    "all globals": "return globals()['shared'](x)",
    "all modules": "return sys.modules['{other}'].helper(x)",
    "computed import": "return importlib.import_module(x)",
    "constant import": "import {other} as o\n    return o.helper(x) + o.RATE",
    "missing": "return nowhere(x) + other.nowhere + math.nowhere",
    "classes": "return Setup().run(x) + setup.run(x) + int(x) + np.float32(x)",
    "library": "return np.random.rand() + np.linalg.norm(x) + np.add(x, x) + np.pi",
    "cached": "return cached(x) + partial(shared, x)()",
    "closure": "def inner(): return shared(x) + RATE\n    return inner()",
    "named alike": "helper = RATE\n    return helper + len([shared for shared in x])",
}
_numbers = itertools.count()


@pytest.fixture
def module_of(tmp_path, monkeypatch):
    """Return what makes a module of bodies, with a function ``top`` that calls all of them."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def make(bodies):
        name, other = f"chained{next(_numbers)}", f"chained{next(_numbers)}"
        text = textwrap.dedent(HEAD)
        for number, body in enumerate(bodies):
            text += f"\ndef f{number}(x):\n    {body}\n"
        calls = ", ".join(f"f{number}(1)" for number in range(len(bodies)))
        text += f"\ndef top():\n    return [{calls}]\n"
        (tmp_path / f"{other}.py").write_text("RATE = 5\ndef helper(x):\n    return x * RATE\n")
        (tmp_path / f"{name}.py").write_text(text.replace("{other}", other))
        importlib.invalidate_caches()
        names.extend((name, other))
        return importlib.import_module(name)

    yield make
    for name in names:
        sys.modules.pop(name, None)


class Forgetful(dict):
    """Keeps nothing."""

    def __setitem__(self, key, value):
        pass


def seen(function, *, plainly=False):
    """Return all that a walk finds; on the plain road if that is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        if plainly:
            patch.setattr(Chains, "_resolved_once", Chains._resolved)
        walk = Walk("minor", False)
        if plainly:
            walk.chains._minded = Forgetful()
        walk.run(function)
    ledger = walk.ledger
    guards = ledger.guards
    guarded = {
        # What classes hold is shown by an object that is made anew each time.
        (known if type(mapping) is dict else 0, frozenset(map(str, present)), frozenset(absent))
        for known, (mapping, present, absent) in guards._entries.items()
    }
    return (
        walk.manifest(short_code),
        set(ledger.doubts),
        {name: str(error) for name, error in ledger.refusals.items()},
        guarded,
        [label for _, label in walk.nodes.values()],
        walk.used,
        walk.packages,
        walk.chains.names,
        walk.holdings._uses,
    )


@pytest.mark.parametrize("name", BODIES)
def test_a_walk_finds_what_one_finds_that_follows_every_name(module_of, name):
    between = BODIES["code"], BODIES["values"]
    module = module_of([BODIES[name], *between, BODIES[name]])
    for short, plain in zip(seen(module.top), seen(module.top, plainly=True), strict=True):
        assert short == plain


def test_so_it_does_for_all_at_once(module_of):
    module = module_of([*BODIES.values(), *reversed(BODIES.values())])
    short, plain = seen(module.top), seen(module.top, plainly=True)
    assert short == plain
    assert len(short[0].parts) > 40


def test_who_uses_a_value_is_noted_of_each(module_of):
    fills, reads = BODIES["only fills"], BODIES["only reads"]
    only_filled = seen(module_of([fills, fills]).top)[0]
    read_too = seen(module_of([fills, fills, reads]).top)[0]
    assert not any(part.name.endswith(".LOG") for part in only_filled.parts)
    assert any(part.name.endswith(".LOG") for part in read_too.parts)
