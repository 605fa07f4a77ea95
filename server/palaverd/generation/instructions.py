"""Instruction files: what people want every chat of a directory to know (`AGENTS.md`)."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from palaverd.tools.failures import ToolError
from palaverd.tools.workspace import Workspace

# What agents of several makers read (agents.md).
NAME: Final = "AGENTS.md"
# Bytes of one file; more would crowd out the conversation.
LONGEST: Final = 64 * 1024
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SHORT: Final = 4096  # bytes of the files in which git notes where it is
_BRANCH: Final = re.compile(r"ref: refs/heads/([^\x00-\x20\x7f]{1,200})\n?")
_COMMIT: Final = re.compile(r"([0-9a-f]{40,64})\n?")


class Instructions(msgspec.Struct, frozen=True):
    """The text of one file, and the file's path."""

    path: str
    text: str


def read_instructions(
    config_folder: Path | None, workspace: Path | None, *, local: bool
) -> tuple[Instructions, ...]:
    """Return what the instruction files say, the most general one first. Blocks.

    They are in the folder of the configuration, and in the workspace and the directories above it
    up to the root of its repository. `local`: the chat is of this process's user; only then files
    outside of the workspace are read. Links are followed within the repository: what it has may
    come from anybody, and must not name any file of this machine.
    """
    found: list[Instructions | None] = []
    if local and config_folder is not None:
        with suppress(OSError):
            # A link here is the person's own.
            path = (config_folder / NAME).resolve(strict=True)
            found.append(_read(Workspace(path.parent), path.name, str(config_folder / NAME)))
    if workspace is not None:
        here = Path(os.path.realpath(workspace))
        root = (repository_root(here) if local else None) or here
        inside = here.relative_to(root) / NAME
        found += [
            _read(Workspace(root), str(folder / NAME), str(root / folder / NAME))
            for folder in reversed(inside.parents)
        ]
    return tuple(one for one in found if one is not None)


def repository_root(workspace: Path) -> Path | None:
    """Return the nearest directory with a git repository, from this one upwards. Blocks."""
    for folder in (workspace, *workspace.parents):
        with suppress(OSError):  # one that may not be looked into has none for us
            if (folder / ".git").exists():
                return folder
    return None


def read_branch(workspace: Path, *, local: bool) -> str | None:
    """Return the branch that is checked out, or the commit; None outside of a repository. Blocks.

    `local` is as in `read_instructions`.
    """
    here = Path(os.path.realpath(workspace))
    root = repository_root(here) if local else here
    if root is None:
        return None
    git = Workspace(root / ".git")
    # In a worktree and in a submodule it is a file that says where the directory is.
    if local and (pointer := read_head(Workspace(root), ".git", _SHORT)) is not None:
        told = pointer[0].decode("utf-8", "replace").removeprefix("gitdir:").strip()
        git = Workspace(root / told)
    head = read_head(git, "HEAD", _SHORT)
    if head is None:
        return None
    text = head[0].decode("utf-8", "replace")
    if on_branch := _BRANCH.fullmatch(text):
        return on_branch[1]
    detached = _COMMIT.fullmatch(text)
    return f"none, at the commit {detached[1][:12]}" if detached else None


def _read(folder: Workspace, path: str, shown: str) -> Instructions | None:
    found = read_head(folder, path, LONGEST)
    if found is None:
        return None
    data, size = found
    text = data.decode("utf-8-sig", "ignore" if size > len(data) else "replace").strip()
    if size > len(data):
        text += f"\n\n[{size - len(data):,} bytes more are in {shown}.]"
    return Instructions(shown, text) if text else None


def read_head(folder: Workspace, path: str, most: int) -> tuple[bytes, int] | None:
    """Return the first bytes of a regular file, at most `most`, and its size.

    None if there is none, or it cannot be read. Blocks.
    """
    try:
        with folder.place(path) as place:
            descriptor = os.open(place.name, _FLAGS, dir_fd=place.directory)
            try:
                about = os.fstat(descriptor)
                if not stat.S_ISREG(about.st_mode):
                    return None
                data = os.pread(descriptor, most, 0)
            finally:
                os.close(descriptor)
    except (OSError, ToolError):
        return None
    return data, max(about.st_size, len(data))
