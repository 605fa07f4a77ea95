"""The command that is printed after the interface: it opens it again at the same place."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from palaver.cli.interface import _at, _choices, way_back
from palaver.cli.options import settings_of
from palaver.cli.settings import Settings
from palaver.remote.address import Ssh


def settings(**options: str) -> Settings:
    names = ("server", "socket", "ca_file", "token_file", "remote_command")
    given: dict[str, Any] = {name: options.get(name) for name in names}
    return settings_of(options.get("data_dir"), None, **given)


@pytest.fixture(autouse=True)
def named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("PALAVER_SERVER", raising=False)
    folder = tmp_path / "palaver"
    folder.mkdir()
    (folder / "client.toml").write_text(
        '[servers.box]\nurl = "https://box:7777"\n[servers.far]\nurl = "ssh://ada@far"\n'
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "palaver attach abc"),
        ({"server": "box"}, "palaver --server box attach abc"),
        ({"server": "https://box:7777"}, "palaver --server box attach abc"),
        ({"server": "https://other"}, "palaver --server https://other attach abc"),
        ({"socket": "/run/s"}, "palaver --socket /run/s attach abc"),
        (
            {"server": "https://other", "ca_file": "/my ca.pem"},
            "palaver --server https://other --ca-file '/my ca.pem' attach abc",
        ),
        (
            {"server": "ssh://me@box:2222", "remote_command": "~/bin/palaverd"},
            "palaver --server ssh://me@box:2222 --remote-command '~/bin/palaverd' attach abc",
        ),
    ],
)
def test_the_way_back_has_what_is_needed(options: dict[str, str], said: str) -> None:
    there = settings(**options)
    assert way_back(there, "abc") == said
    # And it works: the same arguments name the same server.
    words = shlex.split(said)[1:-2]
    again = {
        name.removeprefix("--").replace("-", "_"): value
        for name, value in zip(words[::2], words[1::2], strict=True)
    }
    assert settings(**again).server == there.server


def test_from_this_machine_the_environment_is_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PALAVER_SERVER", "box")
    assert way_back(settings(), "abc") == "palaver --server box attach abc"
    here = settings(data_dir="/data")
    assert way_back(here, "abc") == "palaver --data-dir /data --server local attach abc"
    assert settings(server="local", data_dir="/data").server is None


def test_one_can_go_to_what_is_named_and_to_what_was_asked_for() -> None:
    first = settings(server="https://other", ca_file="/ca.pem")
    assert [choice.name for choice in _choices(first, first)] == [
        "https://other",
        "this machine",
        "box",
        "far",
    ]
    there = _at(_choices(first, first)[3], first)
    assert there.server is not None
    assert there.server.place == Ssh("far", "ada")
    assert [choice.here for choice in _choices(first, there)] == [False, False, False, True]
    assert _at(_choices(first, there)[0], first) is first
    assert _at(_choices(first, there)[1], first).server is None
    named = settings(server="box")
    assert [choice.name for choice in _choices(named, named)] == ["this machine", "box", "far"]
