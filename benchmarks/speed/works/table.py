"""The works by name."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.speed.task import Task
from benchmarks.speed.works import (
    arguments,
    compressed,
    crowds,
    entries,
    hits,
    memory,
    misses,
    starts,
)

WORKS: dict[str, Callable[..., Task]] = {
    work.__name__: work
    for work in (
        hits.hit,
        hits.hit_bundle,
        hits.promote,
        arguments.array_argument,
        arguments.same_array_again,
        arguments.same_map_again,
        arguments.frame_argument,
        misses.miss,
        misses.miss_large,
        crowds.hits_together,
        crowds.hits_of_all,
        crowds.hits_per_second,
        crowds.one_computation,
        crowds.compute_slowly,
        crowds.store_together,
        crowds.store_some,
        entries.hit_among,
        entries.scan,
        entries.clear,
        starts.cold_start,
        starts.hit_reaching,
        starts.import_time,
        compressed.compressed_size,
        compressed.compressed_write,
        compressed.compressed_read,
        memory.load_memory,
        memory.promote_memory,
        memory.store_memory,
    )
}
