import asyncio
import threading

from neurotools.jobs.cache import disk_cacher
from neurotools.memo.aside import UNDER_WAY, aside


def counted(tmp_path):
    made = []

    @disk_cacher(tmp_path, allow_mutable_bindings=True)
    def f(x):
        made.append(x)
        return x

    return f, made


def test_calls_aside_neither_read_nor_write(tmp_path):
    f, made = counted(tmp_path)
    f(1)
    with aside():
        assert (f(1), f(2)) == (1, 2)
    assert made == [1, 1, 2]
    assert not f.check_call_in_cache(2)
    assert f(1) == 1
    assert made == [1, 1, 2]


def test_it_ends_with_an_error_too(tmp_path):
    try:
        with aside():
            raise ValueError
    except ValueError:
        pass
    assert UNDER_WAY == [0]


def test_other_threads_use_the_cache_meanwhile(tmp_path):
    f, made = counted(tmp_path)
    f(1)
    with aside():
        other = threading.Thread(target=f, args=(1,))
        other.start()
        other.join()
    assert made == [1]


def test_awaited_calls_are_reached(tmp_path):
    made = []

    @disk_cacher(tmp_path, allow_mutable_bindings=True)
    async def f(x):
        made.append(x)
        return x

    async def twice():
        return [await f(1), await asyncio.ensure_future(f(1))]

    with aside():
        assert asyncio.run(twice()) == [1, 1]
    assert made == [1, 1]
