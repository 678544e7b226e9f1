"""How a memoized function goes to another process: by name, or by value."""

from __future__ import annotations

import sys
import zlib
from typing import Any

from neurotools.memo.log import Log

log = Log(__name__)


def asked_by_cloudpickle() -> bool:
    """Return whether the caller, a ``__reduce_ex__``, was called by cloudpickle."""
    # Frame 2 called the C pickler's dump: cloudpickle's own, or one that ray or joblib bring along.
    return "cloudpickle" in str(sys._getframe(2).f_globals.get("__name__", ""))


def is_importable(memoized: Any) -> bool:
    """Return whether a memoized function is found by its name elsewhere."""
    if memoized.__module__ == "__main__":
        return False
    place: Any = sys.modules.get(memoized.__module__)
    for name in memoized.__qualname__.split("."):
        place = getattr(place, name, None)
    return place is memoized


def by_value(memoized: Any, *made_of: Any) -> tuple[Any, ...]:
    """Return how a memoized function is made again, for ``__reduce_ex__``.

    Parameters
    ----------
    memoized : Memoized
        The function. Its folder goes along, and such source as is not to be found elsewhere, so
        that all workers have the keys that its caller has.
    *made_of
        What its class is called with.
    """
    try:
        texts = memoized.keys.tracker.texts()
    except Exception as error:  # the walk looks at objects of the user's
        log.debug("%s goes without its source: %r", memoized.__qualname__, error)
        texts = {}
    packed = {
        name: zlib.compress(text.encode("utf-8", "surrogatepass")) for name, text in texts.items()
    }
    return arrived, (type(memoized), made_of, memoized.keys.folder, packed)


def arrived(kind: Any, made_of: tuple[Any, ...], folder: str, packed: dict[str, bytes]) -> Any:
    """Return a memoized function that came from another process by value."""
    from neurotools.memo.fingerprint.texts import remember

    remember(
        {
            name: zlib.decompress(text).decode("utf-8", "surrogatepass")
            for name, text in packed.items()
        }
    )
    memoized = kind(*made_of)
    memoized.keys.belong_to(folder)
    return memoized
