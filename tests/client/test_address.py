"""The values that `--server` accepts, and the message for others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palaver.remote.address import Address, BadAddressError, Name, Ssh, Unix, Web, parse

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("text", "address", "again"),
    [
        ("https://box:7777", Web("https", "box", 7777), "https://box:7777"),
        ("https://BOX:7777/", Web("https", "box", 7777), "https://box:7777"),
        ("HTTPS://box", Web("https", "box", 443), "https://box"),
        ("https://box:443", Web("https", "box", 443), "https://box"),
        ("https://[::1]:7777", Web("https", "::1", 7777), "https://[::1]:7777"),
        ("https://bücher.example", Web("https", "bücher.example", 443), "https://bücher.example"),
        ("http://127.0.0.1:7777", Web("http", "127.0.0.1", 7777), "http://127.0.0.1:7777"),
        ("ssh://box", Ssh("box"), "ssh://box"),
        ("ssh://me@Box:2222", Ssh("Box", "me", 2222), "ssh://me@Box:2222"),
        ("ssh://me@[fe80::1%eth0]:22", Ssh("fe80::1%eth0", "me", 22), "ssh://me@[fe80::1%eth0]:22"),
        ("/run/palaverd.sock", Unix("/run/palaverd.sock"), "/run/palaverd.sock"),
        ("unix:///run/p.sock", Unix("/run/p.sock"), "/run/p.sock"),
        ("~/p.sock", Unix("~/p.sock"), "~/p.sock"),
        ("box", Name("box"), "box"),
        ("local", Name("local"), "local"),
        (" box.example ", Name("box.example"), "box.example"),
    ],
)
def test_an_address_is_read_and_written_in_one_way(text: str, address: Address, again: str) -> None:
    assert parse(text) == address
    assert str(address) == again
    assert parse(again) == address


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("https://box:7777 x", "no spaces"),
        ("ftp://box", "There is no server at ftp://"),
        ("https://", "has no host"),
        ("https://box:port", "a port that cannot be one"),
        ("https://box:0", "has the port 0"),
        ("https://box:70000", "a port that cannot be one"),
        ("https://box/palaver", "has a path (/palaver)"),
        (f"https://me:{SECRET}@box", "has a password in it"),
        ("https://me@box", "the token says who you are"),
        (f"https://box?token={SECRET}", "a token is never part of it"),
        (f"https://box/#{SECRET}", "a token is never part of it"),
        ("https://box?", "a token is never part of it"),
        (f"ssh://me:{SECRET}@box", "has a password in it"),
        ("ssh://-oProxyCommand=x", "has a host that cannot be one"),
        ("ssh://-oProxyCommand=x@box", "has a user that cannot be one"),
        ("ssh://me@$(id)", "has a host that cannot be one"),
        ("ssh://box/home", "has a path (/home)"),
        ("box:7777", "write  https://box:7777"),
        ("me@box", "has no scheme"),
        ("what is this", "no spaces"),
        ("--help", "is no server"),
    ],
)
def test_what_is_no_address_is_a_sentence_without_its_secrets(text: str, said: str) -> None:
    with pytest.raises(BadAddressError) as refused:
        parse(text)
    assert said in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("http://box:7777", True),
        ("http://10.0.0.1", True),
        ("http://127.evil.example", True),
        ("https://box:7777", False),
        ("http://localhost:7777", False),
        ("http://127.0.0.1:7777", False),
        ("http://[::1]:7777", False),
    ],
)
def test_a_warning_says_that_others_can_read_along(text: str, warned: bool) -> None:
    address = parse(text)
    assert isinstance(address, Web)
    assert ("not encrypted" in (address.warning or "")) is warned


@given(st.text(alphabet=st.sampled_from("htps:/@[]?#%-.$ab1~ \n"), max_size=30))
def test_anything_is_an_address_that_can_be_written_again_or_a_sentence(text: str) -> None:
    said = ""
    try:
        address = parse(text)
    except BadAddressError as error:
        said = str(error)
    if said:
        assert said.endswith((".", "?"))
        return
    assert parse(str(address)) == address
    if isinstance(address, Ssh):
        assert not address.host.startswith("-")
        assert not (address.user or "").startswith("-")
