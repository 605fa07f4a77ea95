"""API keys: where they are read from, what is refused as a key, and commands that print one."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from palaverd.config import keys
from palaverd.config.keys import BadKey, Key, read_key, read_keys
from palaverd.config.types import Config, ProviderConfig

PATH = {"PATH": "/usr/bin:/bin"}


def from_command(command: str, **environment: str) -> Key:
    provider = ProviderConfig(kind="anthropic", api_key=f"cmd:{command}")
    return read_key(provider, PATH | environment)


def read_each_way(text: str, folder: Path) -> list[Key]:
    """Read `text` as a key from a variable, a file, a command, and the configuration itself."""
    file = folder / "key"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    sources = ("env:MINE", f"file:{file}", f"cmd:cat {file}", text)
    return [
        read_key(ProviderConfig(kind="anthropic", api_key=source), PATH | {"MINE": text})
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
    failed = from_command("cat /nowhere/key")
    assert isinstance(failed, BadKey)
    assert "its command ended with code 1: cat: /nowhere/key: No such file" in failed.fault
    unknown = from_command("no-such-program --please")
    assert isinstance(unknown, BadKey)
    assert "its command ended with code 127" in unknown.fault
    assert "no-such-program" in unknown.fault


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("/nowhere/key", "/nowhere/key cannot be read: No such file or directory"),
        ("/", "/ cannot be read: Is a directory"),
        ("a\0b", "cannot be read: no such path"),
        ("~no-such-user-here/key", "~no-such-user-here/key cannot be read: no such path"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(file: str, said: str) -> None:
    found = read_key(ProviderConfig(kind="anthropic", api_key=f"file:{file}"), PATH)
    assert isinstance(found, BadKey)
    assert said in found.fault


def test_a_key_that_cannot_be_had_keeps_no_other_from_being_read() -> None:
    sources = {"a": "cmd:exit 3", "b": "file:/nowhere/key", "c": "cmd:echo sk-good", "d": "env:K"}
    config = Config(
        providers={n: ProviderConfig(kind="anthropic", api_key=s) for n, s in sources.items()}
    )
    found = read_keys(config, PATH | {"K": "sk-too"})
    assert found["a"] == BadKey("its command ended with code 3")
    assert isinstance(found["b"], BadKey)
    assert (found["c"], found["d"]) == ("sk-good", "sk-too")


def test_commands_are_waited_for_beside_each_other(tmp_path: Path) -> None:
    """Each ends only when all have begun."""
    pipes = [tmp_path / name for name in ("one", "two")]
    for pipe in pipes:
        os.mkfifo(pipe)
    one, two = pipes
    commands = {"a": f"echo a > {one}; cat {two}", "b": f"cat {one}; echo b > {two}"}
    config = Config(
        providers={
            n: ProviderConfig(kind="anthropic", api_key=f"cmd:{c}") for n, c in commands.items()
        }
    )
    assert read_keys(config, PATH) == {"a": "b", "b": "a"}


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
    found = from_command(command)
    assert isinstance(found, BadKey)
    assert "ended with code" in found.fault
    assert "Zq81" not in found.fault


def test_a_command_that_does_not_end_is_ended_with_all_it_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(keys, "COMMAND_TIMEOUT_S", 0.2)
    # A pipe that a child of the shell holds open, not only the shell.
    found = from_command(f"sleep 60 | sh -c 'echo $$ > {tmp_path}/pid; sleep 60'")
    assert found == BadKey("its command did not end within 0.2 s")


def test_what_a_command_leaves_running_is_not_waited_for(tmp_path: Path) -> None:
    """An agent that it starts has its own session, and holds the outputs open."""
    try:
        assert from_command(f"setsid sleep 600 & echo $! > {tmp_path}/pid; echo sk-a-key") == (
            "sk-a-key"
        )
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_an_agent_that_outlives_a_command_without_an_end_holds_nothing_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(keys, "COMMAND_TIMEOUT_S", 0.2)
    try:
        found = from_command(f"setsid sleep 600 & echo $! > {tmp_path}/pid; wait")
        assert found == BadKey("its command did not end within 0.2 s")
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_what_is_too_long_for_a_key_is_read_no_further() -> None:
    assert from_command("yes") == BadKey("its command wrote more than 64 KB")
    assert from_command("yes >&2") == BadKey("its command wrote more than 64 KB")
    endless = read_key(ProviderConfig(kind="anthropic", api_key="file:/dev/zero"), PATH)
    assert endless == BadKey("its file holds more than 64 KB")


def test_a_command_that_closes_its_outputs_is_still_waited_for() -> None:
    assert from_command("echo sk-a-key; exec >&- 2>&-; sleep 0.1; exit 3") == BadKey(
        "its command ended with code 3"
    )


def test_a_command_that_a_signal_ends_says_which() -> None:
    found = from_command("echo no agent >&2; kill -TERM $$")
    assert found == BadKey("its command was ended by signal 15: no agent")
