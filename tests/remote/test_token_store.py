"""Stored tokens: for their server only, readable by their owner only, complete."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from palaver.client import PalaverError
from palaver.remote.address import Web
from palaver.remote.desktop_keyring import Ring, RingError
from palaver.remote.token_store import Tokens, checked, token_of

BOX = Web("https", "box", 7777)
TOKEN = "palaver_ab12_" + "s" * 43
OTHER = "palaver_cd34_" + "t" * 43

# A backend for keyring: its passwords are files, so that each process finds them.
BACKEND = """
import os, pathlib, time
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, KeyringLocked

class Files(KeyringBackend):
    priority = 5

    def _path(self, service, name):
        return pathlib.Path(os.environ["RING"]) / (service + "-" + name.replace("/", "_"))

    def set_password(self, service, name, password):
        self._path(service, name).write_text(password)

    def get_password(self, service, name):
        path = self._path(service, name)
        return path.read_text() if path.exists() else None

    def delete_password(self, service, name):
        if not self._path(service, name).exists():
            raise PasswordDeleteError
        self._path(service, name).unlink()

class Hanging(Files):
    def set_password(self, service, name, password):
        time.sleep(600)

class Locked(Files):
    def set_password(self, service, name, password):
        raise KeyringLocked

class Forgetful(Files):
    def set_password(self, service, name, password):
        pass

class Plain(Files):
    priority = 0.5

class Broken(Files):
    def set_password(self, service, name, password):
        raise ValueError(password)
"""


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working keyring, which other processes find as well; returns its folder."""
    ring = tmp_path / "ring"
    ring.mkdir()
    (tmp_path / "rings.py").write_text(BACKEND)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("RING", str(ring))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "rings.Files")
    return ring


@pytest.fixture
def without_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


@pytest.mark.process
@pytest.mark.usefixtures("without_keyring")
def test_a_token_is_in_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    before = os.umask(0)  # with no restriction by the umask
    try:
        tokens = Tokens(tmp_path / "tokens")
        kept = tokens.store(BOX, TOKEN)
    finally:
        os.umask(before)
    assert (kept.where, kept.why) == ("file", "there is none that works here")
    path = tokens.path(BOX)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert tokens.token(BOX) == TOKEN
    assert [(str(one.server), one.where) for one in tokens.kept()] == [(str(BOX), "file")]


@pytest.mark.process
@pytest.mark.usefixtures("without_keyring")
@pytest.mark.parametrize(
    "other", [Web("http", "box", 7777), Web("https", "box", 443), Web("https", "box.evil", 7777)]
)
def test_a_token_is_for_its_server_only(tmp_path: Path, other: Web) -> None:
    tokens = Tokens(tmp_path / "tokens")
    tokens.store(BOX, TOKEN)
    assert tokens.token(other) is None
    # Nor is it when its file has another's name.
    tokens.path(BOX).rename(tokens.path(other))
    assert tokens.token(other) is None


@pytest.mark.process
@pytest.mark.usefixtures("without_keyring")
def test_a_new_token_takes_the_place_of_the_old_one_and_is_forgotten(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens")
    tokens.store(BOX, TOKEN)
    tokens.store(BOX, OTHER)
    assert tokens.token(BOX) == OTHER
    assert tokens.forget(BOX)
    assert tokens.token(BOX) is None
    assert not tokens.forget(BOX)
    assert tokens.kept() == []


@pytest.mark.process
@pytest.mark.usefixtures("without_keyring")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    tokens = Tokens(tmp_path / "tokens")
    tokens.store(BOX, TOKEN)
    tokens.path(BOX).chmod(mode)
    with pytest.raises(PalaverError, match=r"others can read it .*chmod 600") as refused:
        tokens.token(BOX)
    assert TOKEN not in str(refused.value)
    assert tokens.forget(BOX)  # it is removed all the same


def test_a_token_file_of_ones_own_is_read_as_strictly(tmp_path: Path) -> None:
    path = tmp_path / "box.token"
    with pytest.raises(PalaverError, match="is not there"):
        token_of(path)
    path.write_text(f"\n{TOKEN}\n")
    path.chmod(0o644)
    with pytest.raises(PalaverError, match="chmod 600"):
        token_of(path)
    path.chmod(0o600)
    assert token_of(path) == TOKEN
    path.write_text("sk-ant-hunter2")
    with pytest.raises(PalaverError, match="not a token of Palaver's") as refused:
        token_of(path)
    assert "hunter2" not in str(refused.value)
    assert str(path) in str(refused.value)
    with pytest.raises(PalaverError, match="is not a file"):
        token_of(Path("/dev/null"))


@pytest.mark.parametrize(
    "text", ["", " \n", "palaver_", f"{TOKEN} x", "x" * 40, f"{TOKEN}\n2", "é"]
)
def test_what_is_no_token_is_not_sent_anywhere(text: str) -> None:
    with pytest.raises(PalaverError) as refused:
        checked(text)
    assert text.strip() not in str(refused.value) or len(text.strip()) < 9


@pytest.mark.process
def test_a_keyring_that_works_has_the_token_and_the_file_none(
    tmp_path: Path, keyring: Path
) -> None:
    tokens = Tokens(tmp_path / "tokens")
    assert tokens.store(BOX, TOKEN).where == "keyring"
    assert TOKEN not in tokens.path(BOX).read_text()
    assert [path.read_text() for path in keyring.iterdir()] == [TOKEN]
    assert tokens.token(BOX) == TOKEN
    assert tokens.forget(BOX)
    assert list(keyring.iterdir()) == []


@pytest.mark.process
@pytest.mark.parametrize(
    ("backend", "why"),
    [
        ("Hanging", "it did not answer in 2 s"),
        ("Locked", "it says no (KeyringLocked)"),
        ("Forgetful", "it does not give back what it was given"),
        ("Plain", "there is none that works here"),
        ("Broken", "it failed (ValueError)"),
        ("Missing", "it failed (AttributeError)"),
    ],
)
def test_a_keyring_that_does_not_work_is_done_without(
    tmp_path: Path, keyring: Path, monkeypatch: pytest.MonkeyPatch, backend: str, why: str
) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"rings.{backend}")
    tokens = Tokens(tmp_path / "tokens", Ring(patience_s=2))
    kept = tokens.store(BOX, TOKEN)
    assert (kept.where, kept.why) == ("file", why)
    assert tokens.token(BOX) == TOKEN


@pytest.mark.process
def test_a_keyring_that_is_out_of_reach_says_so(
    tmp_path: Path, keyring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = Tokens(tmp_path / "tokens")
    tokens.store(BOX, TOKEN)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    with pytest.raises(PalaverError, match=r"is in the keyring, and there is none that works here"):
        tokens.token(BOX)


def test_no_keyring_is_asked_where_its_library_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(RingError, match=r"palaver\[keyring\]"):
        Ring().read("https://box")
    assert Tokens(tmp_path / "tokens").store(BOX, TOKEN).where == "file"
