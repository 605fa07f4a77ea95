"""Which paths of a workspace are ignored, as git decides it.

Read are `.gitignore` of each directory, and `.git/info/exclude` of the repository's root. The
innermost file that has something to say about a path decides, in it the last pattern. A nested
repository has rules of its own. Where the workspace is a part of a repository, the ignore files
above it, up to the repository's root, count too; nothing else outside of it is read.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Container
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec
from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore.base import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from palaverd.tools.files.pages import lines_of

# Bytes of one ignore file; the largest collections of patterns have tens of thousands.
LARGEST = 1024 * 1024
# What versions are kept in: never looked into unless it is named.
METADATA = frozenset({".git", ".hg", ".jj", ".svn"})
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OF_TOP = frozenset({".git", ".gitignore"})
_BELOW = frozenset({".gitignore"})
# A group that the library's expressions name, each the same.
_NAMED_GROUP = "(?P<ps_d>"


class _IgnoreFile(msgspec.Struct, frozen=True):
    """The patterns of one directory, whose path is `base`, ending with a slash, or "".

    `perhaps` fits whatever one of the patterns fits, and costs a tenth of asking each.
    """

    base: str
    spec: GitIgnoreSpec
    perhaps: re.Pattern[str]

    def says(self, path: str) -> bool | None:
        """Return whether a path is ignored; None if no pattern is about it."""
        inside = path[len(self.base) :]
        if self.perhaps.search(inside) is None:
            return None
        return self.spec.check_file(inside).include


class Rules(msgspec.Struct, frozen=True):
    """The ignore files that count in a directory, the innermost first.

    `prefix` is the workspace's path in its repository, ending with a slash; "" for its root.
    """

    prefix: str = ""
    files: tuple[_IgnoreFile, ...] = ()

    def ignore(self, path: str, *, directory: bool) -> bool:
        """Return whether a path of the workspace is ignored."""
        asked = f"{self.prefix}{path}/" if directory else f"{self.prefix}{path}"
        for file in self.files:
            if (said := file.says(asked)) is not None:
                return said
        return False

    def within(self, directory: int, path: str, names: Container[str]) -> Rules:
        """Return the rules in an open directory with these names; its path is "" for the root."""
        base = f"{self.prefix}{path}/" if path else self.prefix
        repository = ".git" in names
        texts = [_excluded(directory)] if repository else []
        if ".gitignore" in names:
            texts.insert(0, _read(directory, ".gitignore"))
        found = tuple(file for text in texts if (file := _parsed(base, text)) is not None)
        if repository and base:  # a nested one
            return Rules(self.prefix, found)
        return Rules(self.prefix, found + self.files) if found else self


def rules_above(root: str) -> Rules:
    """Return the rules of the directories above a workspace, up to its repository's root.

    None count if the workspace is the root of a repository, belongs to none, or is ignored itself.
    """
    real = Path(root).resolve()
    top = next((one for one in (real, *real.parents) if os.path.lexists(one / ".git")), None)
    if top is None:
        return Rules()
    rules, path = Rules(), ""
    for name in real.relative_to(top).parts:
        try:
            directory = os.open(top / path, _DIRECTORY)
        except OSError:  # what cannot be read has no rules
            return Rules()
        try:
            rules = rules.within(directory, path, _OF_TOP if not path else _BELOW)
        finally:
            os.close(directory)
        path = f"{path}/{name}" if path else name
        if rules.ignore(path, directory=True):
            return Rules()
    return Rules(f"{path}/" if path else "", rules.files)


def _parsed(base: str, text: str) -> _IgnoreFile | None:
    patterns = []
    for line in lines_of(text):
        with suppress(GitIgnorePatternError):  # git skips such a line, too
            pattern = GitIgnoreSpecPattern(line)
            if pattern.include is not None:
                patterns.append(pattern)
    if not patterns:
        return None
    every = "|".join(
        one.regex.pattern.replace(_NAMED_GROUP, "(?:") for one in patterns if one.regex is not None
    )
    return _IgnoreFile(base, GitIgnoreSpec(patterns, backend="simple"), re.compile(every))


def _read(directory: int, name: str) -> str:
    """Return an ignore file's text; "" if it is none, as git takes it: no link, no pipe."""
    try:
        descriptor = os.open(name, _FILE, dir_fd=directory)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return ""
        return os.fsdecode(file.read(LARGEST).removeprefix(codecs.BOM_UTF8))


def _excluded(directory: int) -> str:
    with ExitStack() as opened:
        at = directory
        for name in (".git", "info"):
            try:
                at = os.open(name, _DIRECTORY, dir_fd=at)
            except OSError:  # a worktree's or submodule's .git is a file
                return ""
            opened.callback(os.close, at)
        return _read(at, "exclude")
