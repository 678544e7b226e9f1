"""How much the entries of a folder take, known to all who write there, without looking at them.

Each process keeps a small file with what it has added and removed so far; one more file says what
there is besides. The sum of all is what there is, about: a look at the folder, which is taken now
and then, puts it right. What is lost or wrong here makes a budget be kept less closely until then.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
import time
from collections.abc import Iterable

from neurotools.memo.tiers import figures
from neurotools.memo.tiers.census import PRIVATE, taken
from neurotools.memo.tiers.figures import NO_LIMITS, NOTHING, Counts, Figures, Limits
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.strictest import Given, strictest
from neurotools.memo.tiers.trust import Trust
from neurotools.memo.tiers.unfinished import this_process, unfinished_in

_BASE = "base"
#: Files of processes are added up when there are more, if they were not touched for so long.
_MANY, _OLD_SECONDS = 16, 600.0
#: A folder is looked at again after so many seconds even if little was stored: others, who keep no
#: account, may have filled it.
_STALE_SECONDS = 600.0


class Account:
    """The account of one folder, as this process sees it.

    Parameters
    ----------
    folders : Folders
        Makes the folder of the account.

    Attributes
    ----------
    own : Counts
        What this process has added, less what it has removed.
    given : Given
        The budgets that this process keeps.
    gone : int
        How many entries all processes have removed, as far as `total` has seen.
    limits : Limits
        The strictest that anybody keeps to who uses the folder, as far as `total` has seen.
    is_stale, is_doubted : bool
        Whether it is long ago that somebody looked at the folder, and whether somebody should soon,
        as far as `total` has seen.
    writers : int
        How many processes have stored something lately, about.
    """

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._place = os.path.join(folders.root, PRIVATE, "budget")
        self._lock = threading.Lock()
        self.own, self._said = NOTHING, Figures()
        self.given, self.limits = Given(), NO_LIMITS
        self._own_gone = self.gone = 0
        self._is_known = self.is_stale = self.is_doubted = False
        self.writers = 1

    def add(self, counts: Counts) -> None:
        """Say what this process has added; less than nothing where it has removed something."""
        with self._lock:
            self.own += counts

    def say_removed(self, counts: Counts) -> None:
        """Say what this process has removed, or is about to remove, to all others at once."""
        with self._lock:
            self.own -= counts
            self._own_gone += counts.entries
            self._say()

    def total(self) -> Counts | None:
        """Say what we have added, and return what there is; None where nobody has looked yet."""
        # In this order: who ends in between is left out for once, not counted twice, which would
        # let too much go.
        base = self._base()
        moved = self._moved()
        if base is None:
            return None
        self.is_doubted, self.gone = base.is_doubted, base.gone + moved.gone
        return base.counts + moved.counts

    def look(self, before: Counts, seen: Counts) -> bool:
        """Put the account right; return whether it is exact, since nothing came meanwhile.

        Parameters
        ----------
        before : Counts
            What `moved` gave before somebody began to look.
        seen : Counts
            What there is.
        """
        now = self.moved()
        # What came while somebody looked was seen by half, as far as one can say.
        middle = Counts((before.room + now.room) // 2, (before.entries + now.entries) // 2)
        base = self._base() or Figures()
        self._write(_BASE, Figures(seen - middle, base.gone))
        self.is_doubted = False
        return before == now

    def doubt(self) -> None:
        """Ask for a look soon: others have stored or removed something, and keep no account."""
        base = self._base()
        if base is not None and not base.is_doubted:
            self._write(_BASE, base._replace(is_doubted=True))

    def moved(self) -> Counts:
        """Return what all processes have added and removed that are not summed up."""
        return self._moved().counts

    def now(self) -> float:
        """Return the time by the disk's own clock, which need not be ours."""
        with self._lock:
            self._say()
            path = os.path.join(self._place, this_process())
            os.utime(path)
            return os.stat(path).st_mtime

    def end(self) -> None:
        """Leave the account: what we have added stands with the rest from now on."""
        with contextlib.suppress(OSError), self._lock:
            if not self._is_known and self.own == NOTHING:
                return  # nothing was said
            self._heed_sums()
            base = self._base()
            if base is None:
                return  # nobody has looked: whoever does will see our entries
            own = self._own()
            self.own, self._own_gone, self._said = NOTHING, 0, Figures()
            self._is_known = False
            # Nobody is to see it in both places.
            os.unlink(os.path.join(self._place, this_process()))
            self._write(_BASE, base.plus(own))

    def _own(self) -> Figures:
        return Figures(self.own, self._own_gone, limits=self.given.limits)

    def _moved(self) -> Figures:
        with self._lock:
            if self._own() != self._said:
                self._say()
        return self._all()

    def _say(self) -> None:
        self._heed_sums()
        own = self._own()
        self._write(this_process(), own)
        self._said, self._is_known = own, True

    def _heed_sums(self) -> None:
        """Where somebody has added up what we had said, as if we had been killed, begin anew."""
        if self._is_known and not os.path.exists(os.path.join(self._place, this_process())):
            self.own -= self._said.counts
            self._own_gone -= self._said.gone
            self._said, self._is_known = Figures(), False

    def _all(self) -> Figures:
        """Return what all processes say that are not summed up."""
        try:
            names = os.listdir(self._place)
        except FileNotFoundError:
            return Figures()
        self.writers, me, is_many = len(names), this_process(), len(names) > _MANY
        found = {
            name: one
            for name in names
            if name != _BASE
            and (is_many or name != me)
            and (one := figures.read(os.path.join(self._place, name))) is not None
        }
        said = {name: one for name, (one, _) in found.items()}
        if me in names and not is_many:
            said[me] = self._said  # as it stands there
        self.limits = self.given.limits
        if found:
            old = self._old({name: written for name, (_, written) in found.items()})
            self.limits = self._strictest({name: said[name].limits for name in said.keys() - old})
            if is_many:
                self._sum_up(said, old)
        return _sum(said.values())

    def _old(self, written: dict[str, float]) -> set[str]:
        """Return who has said nothing for long, by the disk's own clock."""
        newest = max(written.values())
        with contextlib.suppress(OSError):
            newest = max(newest, os.stat(os.path.join(self._place, _BASE)).st_mtime)
        return {name for name, one in written.items() if newest - one > _OLD_SECONDS}

    def _strictest(self, limits: dict[str, Limits]) -> Limits:
        """Return the strictest limits of processes that still run, as far as one can see."""
        own = self.given.limits
        if set(limits.values()) <= {own, NO_LIMITS}:
            return own
        lists = os.path.join(self._folders.root, PRIVATE, "writing")
        lives = unfinished_in(self._folders.root, lists, self._folders).lives
        for name in [name for name, one in limits.items() if strictest([own, one]) != own]:
            if name == this_process() or lives(name) is False:
                del limits[name]
        return strictest([own, *limits.values()])

    def _sum_up(self, said: dict[str, Figures], old: Iterable[str]) -> None:
        """Add up, and take out, what processes have left that were killed, or idle for long."""
        base, added = self._base(), Figures()
        if base is None:
            return
        with contextlib.suppress(OSError):
            for name in old:
                os.unlink(os.path.join(self._place, name))
                added = added.plus(said.pop(name))
        if added != Figures():
            self._write(_BASE, base.plus(added))

    def _base(self) -> Figures | None:
        found = figures.read(os.path.join(self._place, _BASE))
        if found is None:
            return None
        # Two clocks that differ make somebody look more often, or less.
        self.is_stale = time.time() - found[1] > _STALE_SECONDS
        return found[0]

    def _write(self, name: str, said: Figures) -> None:
        path = os.path.join(self._place, name)
        try:
            descriptor = figures.opened(path, self._folders.file_mode)
        except FileNotFoundError:
            self._folders.make(self._place)
            descriptor = figures.opened(path, self._folders.file_mode)
        try:
            if name == _BASE or not self._is_known:
                with contextlib.suppress(OSError):  # another user's
                    self._folders.allow(descriptor)
            figures.write(descriptor, said)
        finally:
            os.close(descriptor)


def _sum(all_of_them: Iterable[Figures]) -> Figures:
    total = Figures()
    for one in all_of_them:
        total = total.plus(one)
    return total


_ALL: dict[str, Account] = {}


def account_of(folders: Folders) -> Account:
    """Return the account of a folder in this process: one, however many budgets it is given."""
    known = _ALL.get(folders.root)
    return _ALL.setdefault(folders.root, Account(folders)) if known is None else known


def doubt(root: str) -> None:
    """Have a folder looked at soon by who keeps it to a budget, if anybody does.

    For who stores or removes results there and does not count them.
    """
    with contextlib.suppress(OSError):  # they look later then
        _kept_at(root).doubt()


def say_removed(root: str, counts: Counts) -> None:
    """Say what was removed from a folder, if anybody keeps it to a budget."""
    with contextlib.suppress(OSError):
        account = _kept_at(root)
        account.say_removed(counts)
        if account.given.limits == NO_LIMITS:
            account.end()


def one_of(size: int) -> Counts:
    """Return what one entry of so many bytes counts."""
    return Counts(taken(size), 1)


def _kept_at(root: str) -> Account:
    """Return the account of a folder that somebody keeps to a budget.

    Raises
    ------
    FileNotFoundError
        If nobody does.
    """
    mode = os.stat(os.path.join(root, PRIVATE, "budget", _BASE)).st_mode
    # Who shares the folder with a group goes on doing so.
    return account_of(Folders(root, Trust(), "group" if mode & stat.S_IWGRP else None))


# A forked child is a process of its own, that has stored nothing.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ALL.clear)
