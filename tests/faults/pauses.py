"""A place that was left alone is used again: the pauses in between are cut short."""

import time


def end_pauses(health):
    """Let a place be tried again now, as if the pause were over."""
    for side in health._sides.values():
        if side.is_open:
            side._until = min(side._until, side._clock())


def until_used_again(f, check, depth=-1):
    """Wait until a tier is tried again; it has to be, however long it was left alone."""
    end, number = time.monotonic() + 60, 1000
    while f.cache_info().tiers[depth].left_alone and time.monotonic() < end:
        end_pauses(f._hierarchy.tiers[depth].health)
        number += 1
        check(f, [number])
        time.sleep(0.05)
    assert f.cache_info().tiers[depth].left_alone == ""
