"""Paths whose prefix, suffix and folder are changed, as BIDS names need it.

A name is a prefix and its extensions: ``sub-01_bold.nii.gz`` has the prefix ``sub-01_bold``, which
ends with the suffix ``_bold``, and the extensions ``.nii.gz``.
"""

from __future__ import annotations

import os
import pathlib

__all__ = ["PathManager"]

#: Letters that end a folder's name: suffixes must not lead into another one.
_SEPARATORS = {os.sep, "/", *filter(None, [os.altsep])}


class PathManager(type(pathlib.Path())):  # type: ignore[misc]
    """A path that offers more; a `pathlib.Path` in all else.

    Each method returns a new PathManager, so that they can be chained.

    Parameters
    ----------
    *args : str or path
        Parts of the path.

    Examples
    --------
    >>> scan = PathManager("/data/sub-01_bold.nii.gz")
    >>> scan.repath("/new").replace_suffix("_mask").path
    '/new/sub-01_mask.nii.gz'
    """

    __slots__ = ()

    @property
    def path(self) -> str:
        """The path as text."""
        return str(self)

    def get_prefix(self) -> PathManager:
        """Return the name up to its first dot, without the folder.

        Dots at the very start belong to the prefix, as they do in names of hidden files.

        Examples
        --------
        >>> PathManager("/my/path/to/a/file.ext.ext2").get_prefix().path
        'file'
        """
        return type(self)(self._prefix())

    def get_path_and_prefix(self) -> PathManager:
        """Return the path up to the first dot of its name.

        Examples
        --------
        >>> PathManager("/my/path/to/a/file.ext.ext2").get_path_and_prefix().path
        '/my/path/to/a/file'
        """
        return self._named(self._prefix())

    def repath(self, dirname: str | os.PathLike[str]) -> PathManager:
        """Return a file of the same name in another folder.

        Parameters
        ----------
        dirname : str or path
            The folder.

        Examples
        --------
        >>> PathManager("/my/path/to/a/file.ext.ext2").repath("/new/path").path
        '/new/path/file.ext.ext2'
        """
        return type(self)(dirname, self.name)

    def append_suffix(self, suffix: str) -> PathManager:
        """Return the path with something added to its prefix, before the extensions.

        Parameters
        ----------
        suffix : str
            What is added as it is: BIDS suffixes begin with ``_``.

        Raises
        ------
        ValueError
            If it would lead into another folder, or the path has no name.

        Examples
        --------
        >>> PathManager("/a/file.ext.ext2").append_suffix("_newsuffix").path
        '/a/file_newsuffix.ext.ext2'
        """
        return self._named(f"{self._prefix()}{_checked(suffix)}{self._extensions()}")

    def replace_suffix(self, suffix: str) -> PathManager:
        """Return the path with another last suffix; it is added where there is none.

        Parameters
        ----------
        suffix : str
            What replaces all from the last ``_`` of the prefix on.

        Raises
        ------
        ValueError
            If it would lead into another folder, or the path has no name.

        Examples
        --------
        >>> PathManager("/a/file_newsuffix.ext").replace_suffix("_newsuffix2").path
        '/a/file_newsuffix2.ext'
        >>> PathManager("/my_dir/b.nii").replace_suffix("_x").path
        '/my_dir/b_x.nii'
        """
        return self._named(f"{self._stem()}{_checked(suffix)}{self._extensions()}")

    def delete_suffix(self) -> PathManager:
        """Return the path without its last suffix; where there is none, it stays as it is.

        Examples
        --------
        >>> PathManager("/a/file_newsuffix2.ext.ext2").delete_suffix().path
        '/a/file.ext.ext2'
        """
        return self._named(f"{self._stem()}{self._extensions()}")

    def _prefix(self) -> str:
        shown = self.name.lstrip(".")
        hidden = self.name.removesuffix(shown)
        return f"{hidden}{shown.partition('.')[0]}"

    def _extensions(self) -> str:
        return str(self.name[len(self._prefix()) :])

    def _stem(self) -> str:
        """Return the prefix without its last suffix; a prefix that is all suffix has none."""
        prefix = self._prefix()
        return prefix.rpartition("_")[0] or prefix

    def _named(self, name: str) -> PathManager:
        if self.name in {"", ".."}:
            raise ValueError(f"{self.path!r} has no file name that could be changed")
        return type(self)(self.with_name(name))


def _checked(suffix: str) -> str:
    if _SEPARATORS & set(suffix):
        raise ValueError(f"suffix {suffix!r} would lead into another folder")
    return suffix
