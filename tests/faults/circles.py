"""Computations that wait for somebody who asks for the very same result. Run as a script: a name,
and the cache's folder in ``CIRCLES``.

Each prints the value that it has got, and how often the function was run.
"""

import asyncio
import concurrent.futures
import multiprocessing
import multiprocessing.pool
import os
import queue
import subprocess
import sys
import threading
import time

from neurotools.jobs.cache import hierarchical_cacher

root = os.environ.get("CIRCLES", "")
cacher = hierarchical_cacher((root or "ram://",), allow_mutable_bindings=True)
RUNS = os.path.join(root, "runs.txt")


def inner():
    return os.environ.get("INNER", "")


def ran():
    with open(RUNS, "a") as file:
        file.write("x")
    with open(RUNS) as file:
        return len(file.read())


@cacher
def in_pool(n):
    if ran() == 1:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return pool.submit(in_pool, n).result()
    return n + 1


@cacher
def in_map(n):
    if ran() == 1:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return next(iter(pool.map(in_map, [n, n, n])))
    return n + 1


@cacher
def in_thread(n):
    found = []
    if ran() == 1:
        thread = threading.Thread(target=lambda: found.append(in_thread(n)))
        thread.start()
        thread.join()
        return found[0]
    return n + 1


@cacher
def in_multiprocessing_threads(n):
    if ran() == 1:
        with multiprocessing.pool.ThreadPool(2) as pool:
            return pool.map(in_multiprocessing_threads, [n])[0]
    return n + 1


asked, answered = queue.Queue(), queue.Queue()


def work():
    while True:
        answered.put(of_a_worker(asked.get()))


@cacher
def of_a_worker(n):
    if ran() == 1:
        asked.put(n)
        return answered.get()
    return n + 1


def with_a_worker(n):
    threading.Thread(target=work, daemon=True).start()
    threading.Thread(target=asyncio.new_event_loop().run_forever, daemon=True).start()
    return of_a_worker(n)


@cacher
def in_subprocess(n):
    if ran() == 1:
        command = [sys.executable, "-m", "tests.faults.circles", "in_subprocess"]
        return int(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.split()[0])
    return n + 1


def _child(context, function, n):
    with multiprocessing.get_context(context).Pool(2) as pool:
        return pool.map(function, [n, n, n])[0]


@cacher
def in_fork(n):
    return _child("fork", in_fork, n) if ran() == 1 else n + 1


@cacher
def in_spawn(n):
    return _child("spawn", in_spawn, n) if ran() == 1 else n + 1


@cacher
def in_forkserver(n):
    return _child("forkserver", in_forkserver, n) if ran() == 1 else n + 1


@cacher
def in_process_executor(n):
    if ran() == 1:
        return early.submit(in_process_executor, n).result()
    return n + 1


def with_processes_from_before(n):
    global early
    with concurrent.futures.ProcessPoolExecutor(1) as early:
        early.submit(os.getpid).result()
        return in_process_executor(n)


@cacher
def in_bare_fork(n):
    if ran() == 1:
        child = os.fork()
        if child == 0:
            os._exit(in_bare_fork(n))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return n + 1


@cacher
async def in_tasks(n):
    if ran() == 1:
        return (await asyncio.gather(in_tasks(n), asyncio.create_task(in_tasks(n))))[0]
    return n + 1


def with_tasks(n):
    return asyncio.run(in_tasks(n))


@cacher
def in_to_thread(n):
    async def main():
        return await asyncio.to_thread(in_to_thread, n)

    return asyncio.run(main()) if ran() == 1 else n + 1


@cacher
def in_executor(n):
    async def main():
        return await asyncio.get_running_loop().run_in_executor(None, in_executor, n)

    return asyncio.run(main()) if ran() == 1 else n + 1


barrier = threading.Barrier(2)


@cacher
def first(n):
    if ran() <= 2:
        barrier.wait(60)
        return second(n)
    return n + 1


@cacher
def second(n):
    if ran() <= 2:
        barrier.wait(60)
        return first(n)
    return n + 1


def in_opposite_order(n):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = [pool.submit(first, n), pool.submit(second, n)]
        return {one.result() for one in found}.pop()


def _met(name):
    """Go on when two processes have come here."""
    open(os.path.join(root, name), "w").close()
    while not all(os.path.exists(os.path.join(root, one)) for one in ("here-1", "here-2")):
        time.sleep(0.01)


@cacher
def there(n):
    if inner() == "1":
        _met("here-1")
        return back(n)
    return n + 1


@cacher
def back(n):
    if inner() == "2":
        _met("here-2")
        return there(n)
    return n + 1


@cacher
async def there_task(n):
    if inner() == "1":
        _met("here-1")
        return await back_task(n)
    return n + 1


@cacher
async def back_task(n):
    if inner() == "2":
        _met("here-2")
        return await there_task(n)
    return n + 1


def _two_processes(name):
    command = [sys.executable, "-m", "tests.faults.circles", name]
    both = [
        subprocess.Popen(command, env={**os.environ, "INNER": one}, stdout=subprocess.PIPE)
        for one in ("1", "2")
    ]
    return {int(one.communicate()[0].split()[0]) for one in both}.pop()


def in_two_processes(n):
    if not inner():
        return _two_processes("in_two_processes")
    return there(n) if inner() == "1" else back(n)


def in_tasks_of_two_processes(n):
    if not inner():
        return _two_processes("in_tasks_of_two_processes")
    return asyncio.run(there_task(n) if inner() == "1" else back_task(n))


if __name__ == "__main__":
    from tests.faults import circles

    print(getattr(circles, sys.argv[1])(41), flush=True)
