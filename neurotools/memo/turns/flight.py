"""One computation per key at a time, where a function asks for it. Not here: how (`turn`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neurotools.memo.entry import Key
from neurotools.memo.log import Log

if TYPE_CHECKING:
    from neurotools.memo.turns.leases import Leases
    from neurotools.memo.turns.turn import Alone, AloneAsync

log = Log(__name__)


class Flight:
    """Computations under way.

    Parameters
    ----------
    folder : str or None
        Holds the lock file that other processes see; None for this process alone.
    on_busy : {'wait', 'compute', 'raise'}
        What to do where somebody else has a key.
    leases : Leases, optional
        What other computers see.

    Attributes
    ----------
    is_near : bool
        Whether taking a turn costs little, and only waits for others.
    """

    def __init__(
        self, folder: str | None, on_busy: str = "wait", leases: Leases | None = None
    ) -> None:
        self.folder, self.on_busy, self.leases = folder, on_busy, leases
        self.is_near = on_busy == "wait" and leases is None
        self._alone: type[Alone] | None = None

    def alone(self, key: Key) -> Alone | _Untaken:
        """Hold a key while computing it, in a ``with`` statement.

        It gives whether somebody else held the key meanwhile, so that a result may be there now.
        An interrupt may come just as the block ends: `Alone.free`, called once more, makes sure.
        """
        if self._alone is None:
            try:
                from neurotools.memo.turns.turn import Alone  # not loaded for hits
            except (ImportError, OSError) as error:  # such as no descriptor to load it with
                return _Untaken(error)
            self._alone = Alone
        return self._alone(self, key)

    def alone_async(self, key: Key) -> AloneAsync | _Untaken:
        """Hold a key as `alone` does, letting other coroutines run while waiting."""
        try:
            from neurotools.memo.turns.turn import AloneAsync
        except (ImportError, OSError) as error:
            return _Untaken(error)
        return AloneAsync(self, key)


class _Untaken:
    """No turn: a computation is never kept from running because taking turns is not possible."""

    def __init__(self, error: Exception) -> None:
        log.debug("nobody takes turns: %r", error)

    def free(self) -> None:
        """Do nothing."""

    def __enter__(self) -> bool:
        return False

    def __exit__(self, *_: object) -> None:
        pass

    async def __aenter__(self) -> bool:
        return False

    async def __aexit__(self, *_: object) -> None:
        pass
