"""The sources of the configuration: a file, the environment, and the files with API keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from palaverd.config.keys import Key, key_variable, read_keys
from palaverd.config.load import VENDORS, load_config
from palaverd.config.types import Config

# Inode, size and modification time (ns) of a file; None if it cannot be read.
Look = tuple[int, int, int] | None


@dataclass(frozen=True)
class Loaded:
    """A configuration and its providers' API keys."""

    config: Config
    keys: Mapping[str, Key] = field(repr=False)


@dataclass(frozen=True)
class Source:
    """A file and an environment. `required`: the user named the file, so it must exist."""

    path: Path
    environment: Mapping[str, str] = field(repr=False)
    required: bool = False

    def read(self) -> Loaded:
        """Load the configuration and its keys. Blocks, and may run the commands that print keys.

        Raises:
            ConfigError: the file cannot be used.
        """
        config = load_config(self.path, self.environment, required=self.required)
        return Loaded(config, read_keys(config, self.environment))

    def look(self, config: Config) -> dict[Path, Look]:
        """Return the current state of the file and of the key files that `config` names."""
        return {path: look_at(path) for path in (self.path, *key_files(config))}

    def lacking(self, config: Config) -> list[str]:
        """Return the environment variables that would provide a key and are not set."""
        named = [key_variable(provider) for provider in config.providers.values()]
        if not config.models:
            named += [variable for _, variable, _, _ in VENDORS]
        return [name for name in dict.fromkeys(named) if name and not self.environment.get(name)]


def key_files(config: Config) -> list[Path]:
    """Return the files that keys are read from."""
    sources = [provider.api_key or "" for provider in config.providers.values()]
    return [
        Path(source.removeprefix("file:")).expanduser()
        for source in sources
        if source.startswith("file:")
    ]


def differences(before: Config, after: Config) -> list[str]:
    """Return the keys whose values differ, as written in the file (`worker.max_chats`), sorted.

    A table that was added or removed is named as a whole (`models.llama`).
    """
    return sorted(_differ("", msgspec.to_builtins(before), msgspec.to_builtins(after)))


def _differ(at: str, before: Any, after: Any) -> list[str]:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return [at] if before != after else []
    names = before.keys() | after.keys()
    return [
        found
        for name in names
        for found in _differ(f"{at}.{name}" if at else name, before.get(name), after.get(name))
    ]


def look_at(path: Path) -> Look:
    """Return the current state of a file, to be compared. Blocks."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
