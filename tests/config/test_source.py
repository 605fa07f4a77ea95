"""The source of a configuration, and the differences of two."""

from __future__ import annotations

import os
from pathlib import Path

from palaverd.config.load import parse_config
from palaverd.config.source import Source, differences
from palaverd.config.types import Config

ONE = """
[providers.local]
kind = "openai-compatible"
base_url = "http://127.0.0.1:1/v1"
[models.llama]
provider = "local"
model = "llama"
"""


def test_differences_are_named_as_the_file_has_them() -> None:
    one = parse_config(ONE, "one")
    other = ONE.replace('model = "llama"', 'model = "qwen"\ncontext_limit = 4096')
    other += '[models.more]\nprovider = "local"\nmodel = "x"\n[worker]\nmax_chats = 3\n'
    assert differences(one, one) == []
    assert differences(one, parse_config(other, "other")) == [
        "models.llama.context_limit",
        "models.llama.model",
        "models.more",
        "worker.max_chats",
    ]


def test_a_look_sees_the_file_and_the_files_of_keys(tmp_path: Path) -> None:
    path, key = tmp_path / "config.toml", tmp_path / "key"
    source = Source(path, {})
    assert source.look(Config()) == {path: None}
    path.write_text(ONE.replace("base_url", f'api_key = "file:{key}"\nbase_url'))
    key.write_text("secret")
    loaded = source.read()
    assert loaded.keys == {"local": "secret"}
    assert "secret" not in repr(loaded)
    before = source.look(loaded.config)
    assert set(before) == {path, key}
    # As editors save: another file under the same name, of the same size and time.
    other = tmp_path / "other"
    other.write_text("terces")
    os.utime(other, ns=(key.stat().st_atime_ns, key.stat().st_mtime_ns))
    other.rename(key)
    assert source.look(loaded.config) != before


def test_what_would_have_brought_a_key_is_named(tmp_path: Path) -> None:
    source = Source(tmp_path / "none", {"OPENAI_API_KEY": ""})
    assert source.lacking(source.read().config) == ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"]
    text = '[providers.a]\nkind = "anthropic"\napi_key = "env:MINE"\n' + ONE
    assert source.lacking(parse_config(text, "x")) == ["MINE"]
    assert Source(tmp_path / "none", {"MINE": "k"}).lacking(parse_config(text, "x")) == []
