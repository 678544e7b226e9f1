"""Syntax trees made by several threads at once."""

import ast
import sys
import threading

import pytest

from neurotools.memo.fingerprint.parsing import parsed

DEEP = "\n".join(
    f"def f{n}(x):\n    return {'-' * 40}(x + [{'[' * 20}{']' * 20}])" for n in range(60)
)


@pytest.mark.parametrize("text", ["def f(:", "x = '\0'", "(" * 2000 + ")" * 2000])
def test_what_is_no_python_has_no_tree(text):
    assert parsed(text) is None


def test_threads_make_trees_at_the_same_time():
    expected, found, interval = ast.dump(ast.parse(DEEP)), [], sys.getswitchinterval()

    def make():
        found.extend(ast.dump(parsed(DEEP)) == expected for _ in range(20))

    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert found == [True] * 80


def test_another_thread_may_be_in_the_way_for_a_while(monkeypatch):
    parse, failures = ast.parse, iter(range(3))

    def fail_at_first(text):
        if next(failures, None) is not None:
            raise SystemError("AST constructor recursion depth mismatch (before=38, after=61)")
        return parse(text)

    monkeypatch.setattr(ast, "parse", fail_at_first)
    assert ast.dump(parsed("x = 1")) == ast.dump(parse("x = 1"))
