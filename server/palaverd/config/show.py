"""Writes configuration as TOML: the commented example, and what is in force with secrets masked."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from palaverd.config.types import Config, ModelConfig, ProviderConfig

MASK = "********"
_WIDTH = 92

# Example values for the tables whose names users choose.
_SAMPLES: dict[str, tuple[str, Mapping[str, Any]]] = {
    "providers": (
        "anthropic",
        msgspec.to_builtins(ProviderConfig(kind="anthropic", api_key="env:ANTHROPIC_API_KEY")),
    ),
    "models": (
        "sonnet",
        msgspec.to_builtins(
            ModelConfig(provider="anthropic", model="claude-sonnet-5-5", context_limit=200_000)
        ),
    ),
}


def example() -> str:
    """Return an example `config.toml` with every key, its meaning and its default."""
    lines = ["# Palaver's configuration. Every key may be left out; these are the defaults.", ""]
    tables: list[str] = []
    for field in _fields(Config):
        value = getattr(Config(), field.name)
        if field.name in _SAMPLES:
            name, sample = _SAMPLES[field.name]
            kind = ProviderConfig if field.name == "providers" else ModelConfig
            tables += _table(f"{field.name}.{name}", kind, sample, _about(field))
        elif isinstance(value, msgspec.Struct):
            tables += _table(field.name, type(value), msgspec.to_builtins(value), _about(field))
        else:
            lines += [*_comment(_about(field)), f'# {field.name} = "sonnet"', ""]
    return "\n".join(lines + tables)


def effective(config: Config) -> str:
    """Return the configuration in force as TOML; keys that stand in the file are masked."""
    lines: list[str] = []
    if config.default_model is not None:
        lines.append(f"default_model = {_toml(config.default_model)}")
    for name, provider in config.providers.items():
        lines += _section(f"providers.{name}", _masked(provider))
    for name, model in config.models.items():
        lines += _section(f"models.{name}", model)
    lines += _section("server", config.server)
    lines += _section("worker", config.worker)
    lines += _section("generation", config.generation)
    lines += _section("retention", config.retention)
    return "\n".join(lines).strip()


def _masked(provider: ProviderConfig) -> ProviderConfig:
    key, url = provider.api_key, provider.base_url
    if key is not None and not key.startswith(("env:", "file:")):
        key = MASK
    return msgspec.structs.replace(provider, api_key=key, base_url=url and masked_url(url))


def masked_url(url: str) -> str:
    """Return a URL with its user, password and query values masked."""
    try:
        parts = urlsplit(url)
        query = urlencode([(name, MASK) for name, _ in parse_qsl(parts.query)], safe="*")
    except ValueError:
        return MASK
    at = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{MASK}@{at[2]}" if at[1] else at[2], query=query))


def _fields(kind: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(kind)


def _about(field: msgspec.structs.FieldInfo) -> str:
    described = msgspec.inspect.type_info(field.type)
    while isinstance(described, msgspec.inspect.Metadata):
        extra = described.extra_json_schema or {}
        if "description" in extra:
            return str(extra["description"])
        described = described.type
    raise AssertionError(f"{field.name} has no description")


def _table(
    name: str, kind: type[msgspec.Struct], values: Mapping[str, Any], about: str
) -> Iterator[str]:
    yield from _comment(about)
    yield f"[{name}]"
    for field in _fields(kind):
        yield from _comment(_about(field))
        value = values.get(field.name)
        yield f"# {field.name} =" if value is None else f"{field.name} = {_toml(value)}"
    yield ""


def _section(name: str, section: msgspec.Struct) -> list[str]:
    values = msgspec.to_builtins(section)
    return ["", f"[{name}]", *(f"{k} = {_toml(v)}" for k, v in values.items() if v is not None)]


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def _toml(value: object) -> str:
    # Strings, numbers and booleans are written alike in JSON and TOML.
    return msgspec.json.encode(value).decode()
