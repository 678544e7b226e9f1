"""A tier that can be taken away, slowed down and hung by files, from any process."""

import errno
import os
import time

from neurotools.memo.tiers.directory import DirectoryTier


class Away:
    """A folder behind a switch, as a server would be: it has no marks, and is no near folder.

    Files beside the folder are the switches: ``away`` makes each use fail, ``hangs`` makes stores
    wait until the file is gone; ``slow`` holds the seconds that each store takes.
    """

    def __init__(self, place, name="away"):
        self.place, self.name = str(place), f"{name}:{place}"
        self._tier = DirectoryTier(os.path.join(self.place, "behind"))

    def _use(self, action, *arguments):
        while action == "put" and os.path.exists(os.path.join(self.place, "hangs")):
            time.sleep(0.01)
        if os.path.exists(os.path.join(self.place, "away")):
            raise OSError(errno.EHOSTUNREACH, "No route to host")
        if action == "put":
            with open(os.path.join(self.place, "puts"), "a") as file:
                file.write(arguments[0].path + "\n")
            slow = os.path.join(self.place, "slow")
            if os.path.exists(slow):
                with open(slow) as file:
                    time.sleep(float(file.read()))
        return getattr(self._tier, action)(*arguments)

    def get(self, key):
        return self._use("get", key)

    def put(self, key, blob):
        return self._use("put", key, blob)

    def discard(self, key):
        return self._use("discard", key)

    def clear(self, function, code):
        return self._use("clear", function, code)

    def record(self, key):
        return self._use("record", key)

    def size(self, key):
        return self._use("size", key)

    def has(self, key):
        return self._use("has", key)

    def keys(self, function=""):
        return self._use("keys", function)

    def put_manifest(self, key, content):
        return self._use("put_manifest", key, content)

    def get_manifest(self, function, code):
        return self._use("get_manifest", function, code)

    def location(self, key):
        return f"{self.name}/{key.path}"

    def switch(self, name, on=True):
        """Turn a switch on, off, or to a number."""
        path = os.path.join(self.place, name)
        if on is False:
            os.unlink(path)
        else:
            with open(path, "w") as file:
                file.write(str(on))

    def puts(self):
        """Return the entries that were stored, one for each time."""
        try:
            with open(os.path.join(self.place, "puts")) as file:
                return file.read().split()
        except FileNotFoundError:
            return []


def marks_in(folder):
    """Return the files that tell what is unsent, in a cache or above it."""
    return [
        os.path.join(place, name)
        for place, _, names in os.walk(folder)
        if os.sep + "unsent" + os.sep in place
        for name in names
        if not name.startswith(".")
    ]


def entries_in(folder):
    """Return the names of the entries below a folder."""
    return {
        name
        for place, _, names in os.walk(folder)
        if ".neurotools" not in place
        for name in names
        if name.endswith((".npy", ".pickle")) and not name.startswith(".")
    }


def until(condition, seconds=60):
    """Wait until something is so, and fail where it never is."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be so"
        time.sleep(0.01)
