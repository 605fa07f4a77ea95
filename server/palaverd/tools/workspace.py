"""The directory that a chat works in, and paths in it.

A path is walked from the open root, one name at a time, with each directory held open: what is
opened in the end is what was checked, whatever is renamed or linked meanwhile. A symbolic link is
followed if it stays inside; one that leads out, and a path that does, is refused.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

import msgspec

from palaverd.tools.failures import ToolError

# As the kernel's own limit (path_resolution(7)).
MOST_LINKS = 40
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Place(msgspec.Struct, frozen=True):
    """The last step of a path: a name in an open directory.

    `path` is relative to the root, for messages. `name` is "." for the root itself.
    """

    directory: int
    name: str
    path: str


class Outside(ToolError):
    """A path leads out of the workspace."""


class Missing(ToolError):
    """A directory on the path does not exist."""


class Workspace(msgspec.Struct, frozen=True):
    """A chat's directory, by its absolute path.

    `umask` is that of the person whose files these are; the daemon's own is for private files.
    """

    path: Path
    umask: int = 0o022

    @contextmanager
    def place(self, path: str, *, make: bool = False) -> Iterator[Place]:
        """Open the directory that a path's last name is in, within a `with` block.

        The last name need not exist; a link there is followed. `path` is relative to the root, or
        absolute and inside it. With `make`, missing directories are made.

        Raises:
            Outside: the path, or a link on it, leads out of the workspace.
            Missing: a directory on it does not exist.
            ToolError: one is no directory, or cannot be opened.
        """
        root = _open_root(self.path)
        made = 0o777 & ~self.umask if make else None
        walk = _Walk(root, path, self._inside(path), self._inside, made=made)
        try:
            yield walk.place()
        finally:
            walk.close()

    def _inside(self, path: str) -> list[str]:
        """Return the names from the root on."""
        if "\0" in path:
            raise ToolError("A path has no zero bytes.")
        asked = PurePosixPath(path)
        if not asked.is_absolute():
            return list(asked.parts)
        for root in (self.path, self.path.resolve()):
            if asked.is_relative_to(root):
                return list(asked.relative_to(root).parts)
        raise Outside(f"{path} is outside of the workspace, {self.path}.")


def _open_root(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ToolError(f"The workspace {path} cannot be opened: {error.strerror}.") from None


class _Walk:
    """Open directories from the root to the last name, and the names that are left."""

    def __init__(
        self,
        root: int,
        path: str,
        names: list[str],
        inside: Callable[[str], list[str]],
        *,
        made: int | None,
    ) -> None:
        self._open = [root]
        self._at: list[str] = []
        self._path = path
        self._left = names[::-1]
        self._inside = inside
        self._made = made  # the mode of directories to make; None: none are made
        self._links = 0

    def place(self) -> Place:
        try:
            while self._left:
                name = self._left.pop()
                if name in ("", "."):
                    continue
                if name == "..":
                    self._up()
                elif (target := self._link(name)) is not None:
                    self._follow(target)
                elif self._left:
                    self._into(name)
                else:
                    return Place(self._open[-1], name, "/".join([*self._at, name]))
        except OSError as error:
            raise ToolError(f"{self._path} cannot be opened: {error.strerror}.") from None
        return Place(self._open[-1], ".", "/".join(self._at) or ".")

    def _up(self) -> None:
        if len(self._open) == 1:
            raise Outside(f"{self._path} leads out of the workspace.")
        os.close(self._open.pop())
        self._at.pop()

    def _link(self, name: str) -> str | None:
        try:
            return os.readlink(name, dir_fd=self._open[-1])
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT):  # no link, or nothing at all
                return None
            raise

    def _follow(self, target: str) -> None:
        self._links += 1
        if self._links > MOST_LINKS:
            raise ToolError(f"{self._path} has too many symbolic links.")
        if target.startswith("/"):
            names = self._inside(target)
            while len(self._open) > 1:
                self._up()
        else:
            names = list(PurePosixPath(target).parts)
        self._left += names[::-1]

    def _into(self, name: str) -> None:
        at = self._open[-1]
        is_new = False
        if self._made is not None:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=at)
                is_new = True
        try:
            self._open.append(os.open(name, _DIRECTORY, dir_fd=at))
            if is_new and self._made is not None:  # the process's own umask took some of it
                os.fchmod(self._open[-1], self._made)
        except NotADirectoryError:
            raise ToolError(f"{'/'.join([*self._at, name])} is no directory.") from None
        except FileNotFoundError:
            raise Missing(f"There is no directory {'/'.join([*self._at, name])}.") from None
        self._at.append(name)

    def close(self) -> None:
        for directory in self._open:
            os.close(directory)
