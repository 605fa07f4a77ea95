"""client.toml, and the server that a command uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from palaver.client import PalaverError
from palaver.remote.address import Ssh, Web
from palaver.remote.servers import Server, Wanted, choose, load

BOX = Web("https", "box", 7777)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "client.toml"


def test_without_a_file_there_are_no_names(path: Path) -> None:
    assert load(path) == {}
    assert choose(Wanted("https://box:7777"), path) == Server(BOX)
    assert choose(Wanted("local"), path) is None


def test_a_name_has_what_the_file_says_and_so_has_its_address(path: Path) -> None:
    path.write_text(
        '[servers.box]\nurl = "https://box:7777"\nca_file = "ca.pem"\ntoken_file = "/t"\n'
        '[servers.far]\nurl = "ssh://me@far:2222"\nremote_command = "~/bin/palaverd"\n'
    )
    box = Server(BOX, "box", ca_file=path.parent / "ca.pem", token_file=Path("/t"))
    assert choose(Wanted("box"), path) == box
    assert choose(Wanted("https://BOX:7777/"), path) == box
    assert choose(Wanted("https://box:7778"), path) == Server(Web("https", "box", 7778))
    far = Server(Ssh("far", "me", 2222), "far", remote_command="~/bin/palaverd")
    assert choose(Wanted("far"), path) == far
    # The command line has precedence.
    assert choose(Wanted("box", ca_file=Path("/other")), path) == Server(
        BOX, "box", ca_file=Path("/other"), token_file=Path("/t")
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[servers.box", "this is not TOML"),
        ("server = 1", "there is no key server. Did you mean servers? Allowed here: servers."),
        ("servers = 1", "servers is 1. It is a table: [servers.NAME]."),
        ("[servers]\nbox = 1", "servers.box is 1. It is a table: [servers.box] url ="),
        ("[servers.box]", 'servers.box.url is missing, as in  url = "https://box:7777".'),
        (
            '[servers.box]\nurl = "https://box/x"',
            "servers.box.url: The server's address has a path",
        ),
        ('[servers.box]\nurl = "box"', "has no scheme. Write  https://box  or  ssh://box."),
        ("[servers.box]\nurl = 7", "servers.box.url is wrong: it must be a text."),
        (
            '[servers.box]\nurl = "https://box"\nca_fil = "x"',
            "there is no key servers.box.ca_fil. Did you mean ca_file? Allowed in [servers.box]:"
            " url, ca_file, token_file, remote_command.",
        ),
        (
            '[servers.box]\nurl = "ssh://box"\nca_file = "x"',
            "servers.box.ca_file is for an https:// address, and url is ssh://box.",
        ),
        ('[servers.local]\nurl = "https://x"', "'local' is the daemon on this machine."),
        ('[servers."a b"]\nurl = "https://x"', "'a b' cannot be a name."),
        ('[servers.box]\nurl = "https://me:hunter2@box"', "has a password in it"),
    ],
)
def test_what_the_file_may_not_say_is_a_sentence_with_file_and_key(
    path: Path, text: str, said: str
) -> None:
    path.write_text(text)
    with pytest.raises(PalaverError) as refused:
        load(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert said in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_file_that_is_not_utf8_says_in_which_line(path: Path) -> None:
    path.write_bytes(b"# one\n# \xff\n")
    with pytest.raises(PalaverError, match="line 2 is not UTF-8"):
        load(path)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("bxo"), "there is no [servers.bxo] in"),
        (Wanted("bxo"), "Did you mean box?"),
        (Wanted("other"), "It names box."),
        (Wanted("other", "PALAVER_SERVER"), "PALAVER_SERVER asks for other, but"),
        (Wanted("ftp://x", "PALAVER_SERVER"), "(from PALAVER_SERVER)"),
        (Wanted("box", remote_command="x"), "--remote-command is for an ssh:// address, and this"),
        (Wanted("ssh://box", ca_file=Path("x")), "--ca-file is for an https:// address, and this"),
    ],
)
def test_a_server_that_is_not_there_is_a_sentence(path: Path, wanted: Wanted, said: str) -> None:
    path.write_text('[servers.box]\nurl = "https://box:7777"\n')
    with pytest.raises(PalaverError) as refused:
        choose(wanted, path)
    assert said in str(refused.value)
