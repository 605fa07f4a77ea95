"""Loads config.toml, or makes a configuration from the API keys in the environment."""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from palaver.misfits import Misfit, find_misfit, shown, suggestion
from palaverd.config.addresses import BadListenError, listen_address
from palaverd.config.defaults import HEARTBEATS_PER_LEASE
from palaverd.config.public import BadServerError, network, origin
from palaverd.config.types import (
    Config,
    ModelConfig,
    ProviderConfig,
    ServerConfig,
    WorkerConfig,
)


class ConfigError(Exception):
    """The configuration cannot be used. The message names file, key, value and what is allowed."""


# Providers and models that an API key in the environment enables without a file. The installed SDKs
# list these models (a test compares them). No context limit is set: name it in the file to have the
# share of the context shown.
VENDORS: tuple[tuple[str, str, ProviderConfig, dict[str, ModelConfig]], ...] = (
    (
        "anthropic",
        "ANTHROPIC_API_KEY",
        ProviderConfig(kind="anthropic", api_key="env:ANTHROPIC_API_KEY"),
        {
            "sonnet": ModelConfig(provider="anthropic", model="claude-sonnet-5-5"),
            "haiku": ModelConfig(provider="anthropic", model="claude-haiku-5-5"),
        },
    ),
    (
        "openai",
        "OPENAI_API_KEY",
        ProviderConfig(kind="openai", api_key="env:OPENAI_API_KEY"),
        {
            "gpt": ModelConfig(provider="openai", model="gpt-5.4"),
            "gpt-mini": ModelConfig(provider="openai", model="gpt-5.4-mini"),
        },
    ),
)


def load_config(path: Path, environment: Mapping[str, str], *, required: bool) -> Config:
    """Load `path`; if it does not exist, use the providers that the environment has keys for.

    Args:
        required: the user named the path, so that a missing file is an error.

    Raises:
        ConfigError: the file is missing or malformed, or has a value that is not allowed.
    """
    try:
        text = _decoded(path.read_bytes(), path)
    except FileNotFoundError:
        if required:
            raise ConfigError(f"{path}: there is no such file.") from None
        return with_defaults(Config(), environment)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}.") from None
    return with_defaults(parse_config(text, str(path)), environment)


def _decoded(raw: bytes, path: Path) -> str:
    """Decode UTF-8, with or without a byte order mark, which editors of Windows write."""
    # TOML has no zero byte; UTF-16 and UTF-32 have one in each ASCII character.
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in raw[:64]:
        raise ConfigError(f"{path}: this is UTF-16 (or 32). Save it as UTF-8.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path}: line {line} is not UTF-8. Save the file as UTF-8.") from None


def parse_config(text: str, name: str) -> Config:
    """Parse the text of a configuration file; `name` stands in error messages.

    Raises:
        ConfigError: it is malformed, or has a value that is not allowed.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name}: this is not TOML: {error}.") from None
    try:
        config = msgspec.convert(found, Config)
    except msgspec.ValidationError:
        raise ConfigError(f"{name}: {_explain(find_misfit(found, Config))}") from None
    _check_addresses(config, name)
    _check_references(config, name)
    _check_server(config.server, name)
    _check_lease(config.worker, name)
    return config


def with_defaults(config: Config, environment: Mapping[str, str]) -> Config:
    """Add the vendors whose keys are in the environment, unless the file names models."""
    if config.models:
        return config
    providers, models = dict(config.providers), {}
    for name, variable, provider, offered in VENDORS:
        if environment.get(variable) or name in providers:
            providers.setdefault(name, provider)
            models.update(offered)
    return msgspec.structs.replace(config, providers=providers, models=models)


def _check_addresses(config: Config, name: str) -> None:
    for provider_name, provider in config.providers.items():
        if provider.base_url is not None and not provider.base_url.strip():
            # Treated as absent, it would send chats meant for a private server to the vendor.
            raise ConfigError(
                f"{name}: providers.{provider_name}.base_url is empty. Name the address, as in "
                '"http://127.0.0.1:8080/v1"; or leave it out, for the vendor\'s own.'
            )


def _check_references(config: Config, name: str) -> None:
    for model_name, model in config.models.items():
        if model.provider not in config.providers:
            raise ConfigError(
                f'{name}: models.{model_name}.provider is "{model.provider}", but there is no '
                f"[providers.{model.provider}].{suggestion(model.provider, config.providers)}"
            )
        for other in model.fallback:
            if other == model_name or other not in config.models:
                others = [known for known in config.models if known != model_name]
                raise ConfigError(
                    f'{name}: models.{model_name}.fallback has "{other}", but there is no other '
                    f"model of that name.{suggestion(other, others)}"
                )
    wanted = config.default_model
    if wanted is not None and config.models and wanted not in config.models:
        raise ConfigError(
            f'{name}: default_model is "{wanted}", but there is no '
            f"[models.{wanted}].{suggestion(wanted, config.models)}"
        )


def _check_server(server: ServerConfig, name: str) -> None:
    for text in server.listen:
        try:
            listen_address(text)
        except BadListenError as error:
            raise ConfigError(f"{name}: server.listen: {error}") from None
    for key, read in (
        ("public_url", origin),
        ("allowed_origins", origin),
        ("trusted_proxies", network),
    ):
        said = getattr(server, key)
        for text in [said] if isinstance(said, str) else said or ():
            try:
                read(text)
            except BadServerError as error:
                raise ConfigError(f"{name}: server.{key}: {error}") from None
    if (server.tls_cert is None) != (server.tls_key is None):
        lacks = "tls_key" if server.tls_key is None else "tls_cert"
        raise ConfigError(f"{name}: server.{lacks} is missing: a certificate goes with its key.")


def _check_lease(worker: WorkerConfig, name: str) -> None:
    most = worker.lease_seconds / HEARTBEATS_PER_LEASE
    if worker.heartbeat_seconds > most:
        raise ConfigError(
            f"{name}: worker.heartbeat_seconds is {worker.heartbeat_seconds:g}, but a lease of "
            f"{worker.lease_seconds:g} s needs {HEARTBEATS_PER_LEASE} heartbeats or more: "
            f"at most {most:g}."
        )


# Keys whose values are never shown, since error messages end up in logs.
SECRET = frozenset({"api_key", "base_url"})


def _explain(misfit: Misfit) -> str:
    """Return what is wrong with a file, as a sentence."""
    if misfit.problem == "unknown":
        table, _, key = misfit.path.rpartition(".")
        return (
            f"there is no key {misfit.path}.{suggestion(key, misfit.allowed)} "
            f"Allowed {'in [' + table + ']' if table else 'here'}: {', '.join(misfit.allowed)}."
        )
    if misfit.problem == "missing":
        return f"{misfit.path} is missing."
    value = "wrong" if misfit.name in SECRET else shown(misfit.value)
    if misfit.allowed:
        return f"{misfit.path} is {value}. Allowed: {', '.join(misfit.allowed)}."
    return f"{misfit.path} is {value}: it must be {misfit.wanted}."
