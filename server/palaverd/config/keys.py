"""Where API keys come from. A key is a secret: it is never printed, logged or stored."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from palaverd.config.load import ConfigError
from palaverd.config.types import Config, ProviderConfig

COMMAND_TIMEOUT_S = 10.0  # a password manager that wants more is waiting for a person

_DEFAULT_VARIABLES = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}


def read_keys(config: Config, environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return each provider's key, None where there is none. Reads files and runs commands.

    Raises:
        ConfigError: a file or a command that should give a key does not.
    """
    return {
        name: read_key(name, provider, environment) for name, provider in config.providers.items()
    }


def read_key(name: str, config: ProviderConfig, environment: Mapping[str, str]) -> str | None:
    """Return the key of one provider, None when there is none.

    Raises:
        ConfigError: a file or a command that should give the key does not.
    """
    variable = key_variable(config)
    if variable is not None:
        return environment.get(variable) or None
    source, _, rest = (config.api_key or "").partition(":")
    place = f"providers.{name}.api_key"
    if source == "file":
        try:
            return Path(rest).expanduser().read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{place}: {rest} cannot be read: {error}.") from None
    if source == "cmd":
        return _run(place, rest)
    return config.api_key or None


def _run(place: str, command: str) -> str | None:
    try:
        ended = subprocess.run(
            shlex.split(command),
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        # Not the exception's own words: they may carry what the command printed.
        raise ConfigError(f"{place}: the command did not run ({type(error).__name__}).") from None
    if ended.returncode != 0:
        raise ConfigError(f"{place}: the command ended with code {ended.returncode}.")
    return ended.stdout.strip() or None


def key_variable(config: ProviderConfig) -> str | None:
    """Name the environment variable that the key comes from, None when it is another source."""
    if config.api_key is None:
        return _DEFAULT_VARIABLES.get(config.kind)
    if config.api_key.startswith("env:"):
        return config.api_key.removeprefix("env:")
    return None


def key_hint(name: str, config: ProviderConfig) -> str:
    """Say in a few words where the key is set, for a sentence that asks to set it."""
    variable = key_variable(config)
    return variable if variable is not None else f"providers.{name}.api_key in config.toml"
