"""Where API keys come from. A key is a secret: it is never printed, logged or stored."""

from __future__ import annotations

from collections.abc import Mapping

from palaverd.config.types import ProviderConfig

_DEFAULT_VARIABLES = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}


def api_key(config: ProviderConfig, environment: Mapping[str, str]) -> str | None:
    """Return the provider's key, None when there is none."""
    variable = key_variable(config)
    if variable is not None:
        return environment.get(variable) or None
    return config.api_key or None


def key_variable(config: ProviderConfig) -> str | None:
    """Name the environment variable that the key comes from, None when it stands in the file."""
    if config.api_key is None:
        return _DEFAULT_VARIABLES.get(config.kind)
    if config.api_key.startswith("env:"):
        return config.api_key.removeprefix("env:")
    return None


def key_hint(name: str, config: ProviderConfig) -> str:
    """Say in a few words where the key is set, for a sentence that asks to set it."""
    variable = key_variable(config)
    return variable if variable is not None else f"providers.{name}.api_key in config.toml"
