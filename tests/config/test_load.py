"""Configuration: every mistake is named, with the file, the key and the allowed values."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import anthropic.types.model
import openai.types.shared.chat_model
import pytest

from palaverd.config.keys import key_hint, read_key
from palaverd.config.load import ConfigError, load_config, parse_config, with_defaults
from palaverd.config.types import Config, ProviderConfig, ProviderKind

KINDS = get_args(ProviderKind)

GOOD = """
default_model = "sonnet"
[providers.anthropic]
kind = "anthropic"
api_key = "env:MY_KEY"
[models.sonnet]
provider = "anthropic"
model = "claude"
context_limit = 200000
[worker]
max_chats = 3
"""


def test_a_whole_file_is_read() -> None:
    config = parse_config(GOOD, "config.toml")
    assert config.models["sonnet"].context_limit == 200_000
    assert (config.default_model, config.worker.max_chats) == ("sonnet", 3)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("default_model", "defaultmodel"), "there is no key defaultmodel. Did you mean default_m"),
        (("max_chats", "max_chat"), "there is no key worker.max_chat. Did you mean max_chats?"),
        (
            ("context_limit", "contextlimit"),
            "there is no key models.sonnet.contextlimit. Did you mean context_limit?",
        ),
        (("api_key", "key"), "there is no key providers.anthropic.key."),
        (
            ("200000", '"many"'),
            'models.sonnet.context_limit is "many": it must be a whole number of at least 1.',
        ),
        (
            ('kind = "anthropic"', 'kind = "claude"'),
            f'providers.anthropic.kind is "claude". Allowed: {", ".join(sorted(KINDS))}.',
        ),
        (('kind = "anthropic"\n', ""), "providers.anthropic.kind is missing."),
        (
            ("max_chats = 3", "max_chats = true"),
            "worker.max_chats is true: it must be a whole number of at least 0.",
        ),
        (('provider = "anthropic"', 'provider = "antropic"'), "Did you mean anthropic?"),
        (('default_model = "sonnet"', 'default_model = "sonet"'), "Did you mean sonnet?"),
        (("[worker]", "[worker"), "this is not TOML"),
        (("context_limit = 200000", 'fallback = ["sonet"]'), "models.sonnet.fallback has"),
        (("context_limit = 200000", 'fallback = ["sonnet"]'), "there is no other model"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_remedy(
    change: tuple[str, str], sentence: str
) -> None:
    assert change[0] in GOOD
    with pytest.raises(ConfigError) as raised:
        parse_config(GOOD.replace(*change), "/etc/p.toml")
    assert str(raised.value).startswith("/etc/p.toml: ")
    assert sentence in str(raised.value)


def test_a_file_that_a_person_named_must_exist(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(ConfigError, match="no such file"):
        load_config(missing, {}, required=True)
    assert load_config(missing, {}, required=False).models == {}


def test_a_key_in_the_environment_is_enough() -> None:
    config = with_defaults(Config(), {"ANTHROPIC_API_KEY": "k"})
    assert set(config.models) == {"sonnet", "haiku"}
    config = with_defaults(Config(), {"OPENAI_API_KEY": "k"})
    assert {model.provider for model in config.models.values()} == {"openai"}


def test_the_models_offered_without_a_file_are_ones_that_the_vendors_sdks_list() -> None:
    config = with_defaults(Config(), {"ANTHROPIC_API_KEY": "k", "OPENAI_API_KEY": "k"})
    listed = {
        "anthropic": get_args(get_args(anthropic.types.model.Model)[0]),
        "openai": get_args(openai.types.shared.chat_model.ChatModel),
    }
    for model in config.models.values():
        assert model.model in listed[model.provider]


def test_where_a_key_comes_from_is_said_without_the_key() -> None:
    environment = {"MY_KEY": "secret", "ANTHROPIC_API_KEY": "other"}
    named = ProviderConfig(kind="anthropic", api_key="env:MY_KEY")
    written = ProviderConfig(kind="anthropic", api_key="sk-in-the-file")
    silent = ProviderConfig(kind="anthropic")
    assert (read_key(named, environment), key_hint("a", named)) == ("secret", "MY_KEY")
    assert (read_key(silent, environment), key_hint("a", silent)) == (
        "other",
        "ANTHROPIC_API_KEY",
    )
    assert read_key(written, environment) == "sk-in-the-file"
    assert key_hint("a", written) == "providers.a.api_key in config.toml"
    assert read_key(named, {}) is None
    printed = ProviderConfig(kind="anthropic", api_key="cmd:pass show x")
    assert key_hint("a", printed) == "the command of providers.a.api_key in config.toml"


def test_a_key_can_come_from_a_file_or_a_command(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    in_file = ProviderConfig(kind="anthropic", api_key=f"file:{tmp_path / 'key'}")
    printed = ProviderConfig(kind="anthropic", api_key="cmd:printf from-command")
    assert read_key(in_file, {}) == "from-file"
    assert read_key(printed, {}) == "from-command"


@pytest.mark.parametrize("line", ["api_key = 4815162342", "base_url = 4815162342"])
def test_a_mistake_in_a_secret_is_told_without_it(line: str) -> None:
    text = f'[providers.a]\nkind = "anthropic"\n{line}\n'
    with pytest.raises(ConfigError, match=r"providers\.a\.(api_key|base_url) is wrong") as raised:
        parse_config(text, "f")
    assert "4815162342" not in str(raised.value)


TEXT = "[worker]\r\nmax_chats = 3\r\n# naïve\r\n"


def test_a_mark_of_the_encoding_is_not_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for raw in (TEXT.encode(), TEXT.encode("utf-8-sig")):
        path.write_bytes(raw)
        assert load_config(path, {}, required=True).worker.max_chats == 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_another_encoding_is_refused_by_its_name(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(TEXT.encode(encoding))
    with pytest.raises(ConfigError, match=r"UTF-16 .*Save it as UTF-8"):
        load_config(path, {}, required=True)


def test_what_is_no_utf_8_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(TEXT.encode("latin-1"))
    with pytest.raises(ConfigError, match="line 3 is not UTF-8"):
        load_config(path, {}, required=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("url", ["", "  "])
def test_an_empty_address_is_refused(kind: str, url: str) -> None:
    with pytest.raises(ConfigError, match=r"providers\.p\.base_url is empty"):
        parse_config(f'[providers.p]\nkind = "{kind}"\nbase_url = "{url}"\n', "f")
