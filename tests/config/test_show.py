"""The example names every key, and the active configuration is shown without secrets."""

from __future__ import annotations

import tomllib

import pytest

from palaverd.config.load import parse_config
from palaverd.config.show import MASK, effective, example, masked_url
from palaverd.config.types import (
    Config,
    GenerationConfig,
    ModelConfig,
    ProviderConfig,
    WorkerConfig,
)


def test_the_example_is_a_configuration_and_names_every_key() -> None:
    text = example()
    assert parse_config(text, "example").models
    for kind in (Config, ProviderConfig, ModelConfig, WorkerConfig, GenerationConfig):
        for key in kind.__struct_fields__:
            assert any(line.lstrip("# [").startswith(key) for line in text.splitlines()), key


def test_the_example_says_the_defaults() -> None:
    config = parse_config(example(), "example")
    assert (config.worker, config.generation) == (WorkerConfig(), GenerationConfig())


def test_what_is_in_force_can_be_read_back_and_hides_keys() -> None:
    text = (
        '[providers.a]\nkind = "anthropic"\napi_key = "sk-secret-1234"\n'
        '[providers.b]\nkind = "openai"\napi_key = "env:KEY"\n'
        '[models.m]\nprovider = "a"\nmodel = "x \\" y"\n'
    )
    shown = effective(parse_config(text, "f"))
    assert "sk-secret" not in shown
    read = tomllib.loads(shown)
    assert read["providers"]["a"]["api_key"] == MASK
    assert read["providers"]["b"]["api_key"] == "env:KEY"
    assert read["models"]["m"]["model"] == 'x " y'


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.example/v1", "https://api.example/v1"),
        ("https://me:secret@api.example:8443/v1", f"https://{MASK}@api.example:8443/v1"),
        ("https://api.example/v1?key=secret&x=", f"https://api.example/v1?key={MASK}"),
        ("http://[::1", MASK),
    ],
)
def test_a_url_is_shown_without_what_is_secret_in_it(url: str, shown: str) -> None:
    assert masked_url(url) == shown
