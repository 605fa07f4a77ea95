"""The ssh command line, and the messages about its failures."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from palaver.remote.address import BadAddressError, Ssh, parse
from palaver.remote.ssh_command import command_line, dialling
from palaver.remote.ssh_failures import is_repeated, not_palaverd, trouble

BOX = Ssh("box", "me", 2222)


def test_what_a_person_names_never_becomes_an_option_of_ssh() -> None:
    for text in (
        "ssh://-oProxyCommand=x",
        "ssh://-l@box",
        "ssh://a@-box",
        "ssh://b;x",
        "ssh://$(x)",
    ):
        with pytest.raises(BadAddressError):
            parse(text)
    line = command_line(BOX, None, asks=True)
    assert line[-3:-1] == ["--", "box"]
    assert line[line.index("-l") + 1] == "me"
    assert line[line.index("-p") + 1] == "2222"
    assert "-T" in line


def test_it_asks_nobody_while_somebody_else_has_the_terminal() -> None:
    assert "-oBatchMode=yes" in command_line(BOX, None, asks=False)
    assert "-oBatchMode=yes" not in command_line(BOX, None, asks=True)
    assert command_line(Ssh("box"), None, asks=True)[-3:-1] == ["--", "box"]


def test_a_command_of_ones_own_is_taken_as_it_is() -> None:
    assert dialling("sudo -u palaver /opt/palaver/bin/palaverd") == (
        "sudo -u palaver /opt/palaver/bin/palaverd dial-stdio"
    )
    whole = "palaverd dial-stdio --attached"
    assert dialling(whole) == whole


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
@pytest.mark.parametrize("place", [".local/bin", ".palaver/bin", "on PATH"])
def test_palaverd_is_found_in_the_usual_places_without_a_login_shell(
    tmp_path: Path, place: str, shell: str
) -> None:
    folder = tmp_path / place
    folder.mkdir(parents=True)
    program = folder / "palaverd"
    program.write_text('#!/bin/sh\necho "$0" "$@"\n')
    program.chmod(0o755)
    path = f"{folder}:/usr/bin:/bin" if place == "on PATH" else "/usr/bin:/bin"
    said = subprocess.run(
        [shell, "-c", dialling(None)],
        env={"HOME": str(tmp_path), "PATH": path},
        capture_output=True,
        check=True,
        text=True,
    )
    assert said.stdout == f"{program} dial-stdio\n"


def test_where_there_is_none_the_shell_says_so_with_127(tmp_path: Path) -> None:
    said = subprocess.run(
        ["sh", "-c", dialling(None)],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
    )
    assert (said.returncode, said.stdout, said.stderr) == (127, b"", b"")
    assert len(shlex.split(dialling(None))) == 4  # quoted once, for any shell


# Messages of OpenSSH 9.2, each caused by hand.
CASES = {
    "ssh: Could not resolve hostname box: Name or service not known": (
        "there is no machine of the name box (Name or service not known).",
        False,
    ),
    "ssh: connect to host box port 2222: Connection refused": (
        "nothing answers at me@box:2222: no ssh server listens on that port.",
        False,
    ),
    "ssh: connect to host box port 2222: Connection timed out": (
        "me@box:2222 did not answer in time.",
        False,
    ),
    "ssh: connect to host box port 22: No route to host": (
        "no network leads to me@box:2222.",
        False,
    ),
    "Timeout, server box not responding.": ("me@box:2222 stopped answering.", False),
    "kex_exchange_identification: Connection closed by remote host": (
        "me@box:2222 closed the connection.",
        False,
    ),
    "me@box: Permission denied (publickey,password).": (
        "me@box:2222 let nobody in with the keys and passwords that ssh had."
        " See what  ssh -p 2222 me@box  says.",
        True,
    ),
    "@@@@\r\n@  WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!  @\r\n"
    "Host key verification failed.": (
        "the host key of me@box:2222 is not the one that ssh knows. If it was set up anew, forget"
        " the old one with  ssh-keygen -R '[box]:2222'  and connect again; if you do not know why,"
        " ask whoever runs it.",
        True,
    ),
    "No ED25519 host key is known for [box]:2222 and you have requested strict checking.\r\n"
    "Host key verification failed.": (
        "ssh does not know the host key of me@box:2222, and nobody confirmed it. Connect once with"
        "  ssh -p 2222 me@box  and answer its question.",
        True,
    ),
    "something else.": ("ssh could not connect to me@box:2222 (something else).", False),
    "": ("ssh could not connect to me@box:2222.", False),
}


@pytest.mark.parametrize("said", CASES)
def test_each_failure_of_ssh_has_a_sentence(said: str) -> None:
    found = trouble(BOX, 255, f"a banner\r\n{said}\r\n".encode() if said else b"", b"", asked=True)
    assert (str(found), found.person) == CASES[said]


def test_what_ssh_would_have_to_ask_again_is_said_with_what_to_do() -> None:
    denied = b"me@box: Permission denied (publickey,password)."
    found = trouble(BOX, 255, denied, b"", asked=False)
    assert str(found) == (
        "ssh would have to ask you for a password or a passphrase for me@box:2222 again. It cannot"
        " while this runs: leave, and come back with the same command; or let an agent keep the"
        " key (ssh-add)."
    )
    assert found.person


@pytest.mark.parametrize(
    ("code", "errors", "noise", "command", "sentence"),
    [
        (127, b"", b"", None, "no palaverd was found on me@box:2222. Install it there"),
        (127, b"sh: x", b"", "/x/y z", "there is no /x/y on me@box:2222. Correct --remote-command"),
        (
            126,
            b"sh: /x: Permission denied",
            b"",
            "/x",
            "palaverd on me@box:2222 cannot be run (sh:",
        ),
        (
            2,
            b"Usage: palaverd\n\nError: No such command 'dial-stdio'.",
            b"",
            None,
            "palaverd on me@box:2222 is too old to be reached through ssh. Upgrade it there",
        ),
        (1, b"palaverd: The disk is full.\n", b"", None, "me@box:2222 says: The disk is full."),
        (3, b"oh\n", b"", None, "the command on me@box:2222 ended with status 3 (oh)."),
        (0, b"", b"Welcome\n", "true", "me@box:2222 said nothing that palaverd says (Welcome)."),
        (0, b"", b"", None, "the connection was closed."),
        (None, b"", b"", None, "the connection was closed."),
    ],
)
def test_what_the_other_side_says_is_told(
    code: int | None, errors: bytes, noise: bytes, command: str | None, sentence: str
) -> None:
    found = trouble(BOX, code, errors, noise, asked=True, remote_command=command)
    assert str(found).startswith(sentence)


def test_nothing_that_it_says_drives_the_terminal() -> None:
    found = trouble(BOX, 3, b"\x1b]0;evil\x07\x1b[2J red\n", b"", asked=True)
    assert "\x1b" not in str(found)
    assert "\x1b" not in str(not_palaverd(BOX, "x"))


def test_what_a_person_has_to_read_is_shown_and_what_is_told_again_is_not() -> None:
    for said in ("Authorized users only!", "@ WARNING: REMOTE HOST", "Offending key in x:3"):
        assert not is_repeated(said)
    for said in ("me@box: Permission denied (publickey).", "ssh: connect to host", "palaverd: x"):
        assert is_repeated(said)
