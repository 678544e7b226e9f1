"""Bytes on their way to or from a server: whoever waits for them is told that they move.

What waits with patience is told in any case (`neurotools.memo.watch.deadline`). A person at a
terminal sees a bar once it takes more than two seconds, unless the bytes move in the background.
"""

from __future__ import annotations

from types import TracebackType

from neurotools.memo.progress import Late, is_main, is_main_process
from neurotools.memo.watch import deadline


class Moving:
    """One object on its way; it is called, by any one thread, with how many bytes have moved.

    Parameters
    ----------
    what : str
        ``'loading'`` or ``'storing'``.
    path : str
        The entry's path below its tier.
    total : int, optional
        How many bytes there are, if that is known already.
    """

    def __init__(self, what: str, path: str, total: int | None = None) -> None:
        task = deadline.current()
        self._go_on = _nothing if task is None else task.moved
        is_waited_for = is_main() if task is None else task.is_of_main and is_main_process()
        # Of an entry, the function's name; all else is small.
        name = path.split("/")[-3:][0]
        options = {"unit": "B", "unit_scale": True, "unit_divisor": 1000}
        self._bar = Late(desc=f"{what} {name}", total=total, **options) if is_waited_for else None
        self._done = 0

    def expect(self, total: int) -> None:
        """Say how many bytes there are, before the first of them is counted."""
        if self._bar is not None:
            self._bar.expect(total)

    def __call__(self, count: int = 0) -> None:
        """Say that the work goes on, and how many bytes more have moved.

        Raises
        ------
        GivenUp
            If nobody waits for it any more.
        """
        self._go_on()
        self._done += count
        if self._bar is not None:
            self._bar(self._done)

    def __enter__(self) -> Moving:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def _nothing() -> None:
    pass
