"""What is taken for a key, what is told about what is none, and what a command may do."""

from __future__ import annotations

from pathlib import Path

import pytest

from palaverd.config import keys
from palaverd.config.keys import BadKey, Key, read_key
from palaverd.config.load import ConfigError
from palaverd.config.types import ProviderConfig

PATH = {"PATH": "/usr/bin:/bin"}


def from_command(command: str, **environment: str) -> Key:
    provider = ProviderConfig(kind="anthropic", api_key=f"cmd:{command}")
    return read_key("a", provider, PATH | environment)


def read_each_way(text: str, folder: Path) -> list[Key]:
    """Read `text` as a key from a variable, a file, a command, and the configuration itself."""
    file = folder / "key"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    sources = ("env:MINE", f"file:{file}", f"cmd:cat {file}", text)
    return [
        read_key("a", ProviderConfig(kind="anthropic", api_key=source), PATH | {"MINE": text})
        for source in sources
    ]


@pytest.mark.parametrize(
    "around", ["{}\n", "{}\r\n", " {}", "{}\t", "\n\n{}\n\n", "{}\u00a0", "\ufeff{}", "{}\u2028"]
)
def test_white_space_around_a_key_is_not_of_it(around: str, tmp_path: Path) -> None:
    assert read_each_way(around.format("sk-a-key"), tmp_path) == ["sk-a-key"] * 4


@pytest.mark.parametrize("text", ["", "\n", "  \r\n"])
def test_nothing_is_no_key(text: str, tmp_path: Path) -> None:
    variable, file, command, _ = read_each_way(text, tmp_path)
    assert (variable, file) == (None, None)
    assert command == BadKey("its command printed nothing")


@pytest.mark.parametrize("text", ["login: me\nkey: Zq81", "a\rb", "a\u2028b", "a\x0bb"])
def test_a_key_is_one_line(text: str, tmp_path: Path) -> None:
    found = read_each_way(text, tmp_path)
    assert found == [BadKey("it has more than one line")] * 4
    assert "Zq81" not in repr(found)


@pytest.mark.parametrize(
    "text", ["kéy", "a\tb", "a\x7fb", "a\x1b[0mb", "k\u200bey", "k\udcffy", "Ⓚ"]
)
def test_a_key_is_printable_ascii(text: str, tmp_path: Path) -> None:
    assert (
        read_each_way(text, tmp_path)
        == [BadKey("it has characters that are not printable ASCII")] * 4
    )


def test_a_command_runs_in_a_shell(tmp_path: Path) -> None:
    assert from_command("printf 'one\\ntwo\\n' | tail -n1") == "two"
    assert from_command("echo $MINE", MINE="mine") == "mine"
    (tmp_path / "key").write_text("at-home\n")
    assert from_command("cat ~/key", HOME=str(tmp_path)) == "at-home"
    assert from_command('test -n "$NONE" || echo "quoted  twice"') == "quoted  twice"


def test_a_command_that_fails_says_what_it_said() -> None:
    with pytest.raises(ConfigError, match=r"ended with code 1: cat: /nowhere/key: No such file"):
        from_command("cat /nowhere/key")
    with pytest.raises(ConfigError, match="no-such-program"):
        from_command("no-such-program --please")


def test_a_command_that_prints_nothing_says_what_it_said() -> None:
    found = from_command("echo not in the store >&2 | tail -n1")
    assert found == BadKey("its command printed nothing: not in the store")


@pytest.mark.parametrize(
    "command",
    [
        "echo Zq81Secret7Part; echo failed with Zq81Secret7Part >&2; exit 1",
        "echo one Zq81Secret7Part; echo Zq81Secret7Part >&2; exit 1",
        "Zq81Secret7Part4More",
        "echo sk-Zq81Secret7Part >&2; exit 1",
    ],
)
def test_what_a_command_said_is_told_without_a_key(command: str) -> None:
    with pytest.raises(ConfigError) as raised:
        from_command(command)
    assert "Zq81" not in str(raised.value)


def test_a_command_that_does_not_end_is_ended_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(keys, "COMMAND_TIMEOUT_S", 0.2)
    with pytest.raises(ConfigError, match=r"did not end within 0\.2 s"):
        # A pipe that is held by what the shell started, and not by the shell alone.
        from_command(f"sleep 60 | sh -c 'echo $$ > {tmp_path}/pid; sleep 60'")
