"""A URL -> a file system of fsspec: which driver it needs, and an instance for each process.

Loaded for URLs alone. Not here: how entries are read and written there (`stores`, `objects`).
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import threading
import weakref
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from neurotools.memo.errors import MissingDriver, UnknownChoice, UnusableLocation

#: What the drivers of common schemes are installed with, beyond what the extra installs.
_PACKAGES = {
    **dict.fromkeys(("s3", "s3a", "memory", "ftp"), ""),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "adlfs"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"),
    **dict.fromkeys(("hdfs", "arrow_hdfs"), "pyarrow"),
    "smb": "smbprotocol",
}
_SUGGESTED = ("a folder", "ram://", "s3://", "gs://", "az://", "sftp://", "smb://", "memory://")
#: Botocore's own attempts: one more after a failure that may pass, a second later at most.
_ATTEMPTS = 2
#: Instances kept for later of a driver that several threads must not share.
_MOST_IDLE = 8


class FileSystems:
    """The file systems of one URL, in this process.

    Parameters
    ----------
    url : str
        Of a folder there.
    options : mapping
        What the driver is given, beyond what the URL says.
    patience : float
        Seconds for which connecting and reading may seem not to move, unless the options say it.

    Attributes
    ----------
    root : str
        The folder, as the driver calls it.
    is_async : bool
        Whether the driver is a set of coroutines, and all threads may share one instance.

    Raises
    ------
    UnknownChoice
        If there is no such scheme.
    MissingDriver
        If its driver is not installed.
    UnusableLocation
        If the URL names no place.
    """

    def __init__(self, url: str, options: Mapping[str, Any], patience: float = math.inf) -> None:
        self.scheme = url.partition("://")[0].lower()
        self._driver = _driver(self.scheme, url)
        try:
            self.root: str = self._driver._strip_protocol(url).rstrip("/")
            of_url = self._driver._get_kwargs_from_urls(url)
        except Exception as error:  # each driver has its own ideas of what is wrong with a URL
            raise UnusableLocation(hidden(url), str(error)) from None
        self.is_async = bool(getattr(self._driver, "async_impl", False))
        self._options = _with_defaults(self._driver, self.scheme, {**of_url, **options}, patience)
        self._patience = patience
        self._name = f"{self._driver.__module__}:{sorted(self._options.items(), key=str)!r}"

    @contextlib.contextmanager
    def lent(self) -> Iterator[Any]:
        """Give a file system, for one use by this thread."""
        if self.is_async:
            yield self._shared()
            return
        idle = _PROCESS.idle.setdefault(self._name, [])
        try:
            instance = idle.pop()
        except IndexError:
            instance = self._made()
        is_well = False
        try:
            yield instance
            is_well = True
        except (FileNotFoundError, FileExistsError):
            is_well = True
            raise
        finally:
            # After any other failure its connection may be broken: the next use makes another one.
            if is_well and len(idle) < _MOST_IDLE:
                idle.append(instance)

    def _shared(self) -> Any:
        process = _PROCESS
        with process.lock:
            instance = process.shared.get(self._name)
            if instance is None:
                instance = process.shared[self._name] = self._made()
        return instance

    def forget(self) -> None:
        """Make another instance for the next use: where credentials were refused, others may do."""
        if (instance := _PROCESS.shared.pop(self._name, None)) is not None:
            _RETIRED.append(instance)
            del _RETIRED[:-_MOST_RETIRED]

    def _made(self) -> Any:
        # fsspec would keep it for ever, and in a forked child let it go.
        instance = self._driver(**self._options, skip_instance_cache=True)
        if self.scheme in {"s3", "s3a"}:
            instance.retries = 1  # botocore has tried again by then
        if self.scheme in {"sftp", "ssh"} and self._patience < math.inf:
            channel = getattr(getattr(instance, "ftp", None), "get_channel", lambda: None)()
            if channel is not None:
                channel.settimeout(2 * self._patience)
        return instance


class _Process:
    """The instances of one process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.shared: dict[str, Any] = {}
        self.idle: dict[str, list[Any]] = {}


_PROCESS = _Process()
#: Instances that others may be using still.
_RETIRED: list[Any] = []
_MOST_RETIRED = 8
#: Those of the processes that we were forked from: to let them go would be to end what they use.
_INHERITED: list[_Process] = []


def _forget() -> None:
    """Start afresh in a forked child, which must not speak on its parent's connections."""
    global _PROCESS
    _INHERITED.append(_PROCESS)  # those in _RETIRED stay there: children retire few
    kept = [
        *_RETIRED,
        *_PROCESS.shared.values(),
        *(one for idle in _PROCESS.idle.values() for one in idle),
    ]
    _PROCESS = _Process()
    # They would be closed at the exit, by an event loop that does not run here: that is waited for.
    for closing in list(getattr(weakref.finalize, "_registry", ())):
        if (what := closing.peek()) is not None and any(what[0] is one for one in kept):
            closing.detach()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _driver(scheme: str, url: str) -> Any:
    """Return the class of a scheme's file system."""
    package = _PACKAGES.get(scheme)
    if find_spec("fsspec") is None:
        if package is None:
            raise UnknownChoice("kind of tier", f"{scheme}://", _SUGGESTED)
        raise MissingDriver(hidden(url), package)
    import fsspec

    if scheme not in fsspec.available_protocols():
        raise UnknownChoice("kind of tier", f"{scheme}://", _SUGGESTED)
    try:
        driver = fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise MissingDriver(hidden(url), package or "", str(error)) from None
    # Some of fsspec's own ask for what they need at their first use only.
    if package and driver.__module__.startswith("fsspec.") and find_spec(package) is None:
        raise MissingDriver(hidden(url), package)
    return driver


def _with_defaults(
    driver: Any, scheme: str, options: Mapping[str, Any], patience: float
) -> dict[str, Any]:
    """Return a driver's options: an outage is to be noticed soon, and no listing is to be old."""
    from fsspec.config import apply_config

    full: dict[str, Any] = apply_config(driver, dict(options))
    if scheme in {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss"}:
        full.setdefault("use_listings_cache", False)
    if scheme in {"s3", "s3a"}:
        full["config_kwargs"] = _for_botocore(full.get("config_kwargs") or {}, patience)
    if scheme in {"sftp", "ssh"} and patience < math.inf:
        for name in ("timeout", "banner_timeout", "auth_timeout"):
            full.setdefault(name, 2 * patience)
    return full


def _for_botocore(chosen: Mapping[str, Any], patience: float) -> dict[str, Any]:
    from botocore.config import Config

    ours: dict[str, Any] = {"max_pool_connections": 32}
    # Our own checksum covers more, and not every store of another maker knows these.
    ours["request_checksum_calculation"] = ours["response_checksum_validation"] = "when_required"
    if patience < math.inf:
        # Whoever waits gives up before; this is for the thread that is left behind.
        ours["connect_timeout"] = ours["read_timeout"] = 2 * patience
    if "AWS_MAX_ATTEMPTS" not in os.environ:
        ours["retries"] = {"mode": "standard", "total_max_attempts": _ATTEMPTS}
    known = {name: value for name, value in ours.items() if name in Config.OPTION_DEFAULTS}
    return {**known, **chosen}


def own_options(scheme: str, storage_options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the options that hold for a scheme.

    Parameters
    ----------
    scheme : str
        Of the URL.
    storage_options : mapping, optional
        Options for all URLs; or, by scheme, those for each.

    Raises
    ------
    TypeError
        If it is no mapping with text as keys.
    ValueError
        If it is a mixture of both.
    """
    if storage_options is None:
        return {}
    if not isinstance(storage_options, Mapping) or not all(
        isinstance(name, str) for name in storage_options
    ):
        raise TypeError(f"storage_options is {type(storage_options).__name__}; give a dict")
    by_scheme = [name for name in storage_options if _is_scheme(name, storage_options[name])]
    if not by_scheme:
        return dict(storage_options)
    if len(by_scheme) < len(storage_options):
        other = next(name for name in storage_options if name not in by_scheme)
        raise ValueError(
            f"storage_options has options for {by_scheme[0]}:// and {other!r} beside it; "
            "give either one dict for each scheme, or options alone"
        )
    return dict(storage_options.get(scheme) or {})


def _is_scheme(name: str, value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    if name in _PACKAGES or name in {"file", "local", "http", "https"}:
        return True
    if find_spec("fsspec") is None:
        return False
    import fsspec

    return name in fsspec.available_protocols()


def hidden(url: str) -> str:
    """Return a URL as it may be shown: without a password."""
    return re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:***@", url)
