"""From one machine to another: a real network address, with everything between real.

The daemon, its model and an sshd run in a network namespace with its own address; the client's
commands run outside it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.certificates import Authority
from support.namespace import Namespace, namespace, until
from support.process import CONFIG
from support.require import require
from support.sshd import Box
from support.tokens import make_token

pytestmark = pytest.mark.process

PORT = 7777
BOUND_S = 60.0


class Far:
    """The other machine, and this one's commands to it."""

    def __init__(self, net: Namespace, folder: Path) -> None:
        self.net, self.folder = net, folder
        self.data, self.log = folder / "data", folder / "log"
        self.authority = Authority(folder)
        self.url = f"https://{net.address}:{PORT}"
        self.daemon: subprocess.Popen[str] | None = None
        self.environment = {
            **os.environ,
            "PALAVER_DATA_DIR": str(self.data),
            "PALAVER_CONFIG": str(folder / "config.toml"),
            "XDG_CONFIG_HOME": str(folder / "laptop"),
        }

    def serve(self, *arguments: str) -> subprocess.Popen[str]:
        with self.log.open("w") as log:
            return self.net.start(
                *(sys.executable, "-m", "palaverd", "serve", *arguments),
                env=self.environment,
                stderr=log,
            )

    def start(self) -> None:
        self.daemon = self.serve("--listen", f"{self.net.address}:{PORT}")
        until(lambda: '"ready"' in self.log.read_text(), self.daemon)

    def kill(self) -> None:
        if self.daemon is not None:
            self.daemon.kill()
            self.daemon.wait()

    def palaverd(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "palaverd", *words],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=BOUND_S,
        )
        return done.stdout

    def token(self, *options: str) -> Path:
        """Create a token, and return a file that contains it."""
        return self.kept(self.palaverd("token", "create", "laptop", *options).strip())

    def kept(self, token: str) -> Path:
        path = self.folder / f"token-{time.monotonic_ns()}"
        path.touch(0o600)
        path.write_text(token)
        return path

    def palaver(self, *words: str, token: Path | None = None) -> subprocess.Popen[str]:
        trusting = ["--ca-file", str(self.authority.file), "--server", self.url]
        known = ["--token-file", str(token)] if token is not None else []
        return subprocess.Popen(
            [sys.executable, "-m", "palaver", *trusting, *known, *words],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def says(self, *words: str, token: Path | None = None) -> tuple[int, str, str]:
        process = self.palaver(*words, token=token)
        out, err = process.communicate(timeout=BOUND_S)
        return process.returncode, out, err


@pytest.fixture(scope="module")
def far() -> Iterator[Far]:
    require("netns")
    with TemporaryDirectory(prefix="pv") as made, namespace() as net:
        folder = Path(made)
        with net.start(
            *(sys.executable, "-m", "palaverd.simulator", "--until-eof", "--rate", "20"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as model:
            assert model.stdout is not None
            url = model.stdout.readline().split('"')[3]
            one = Far(net, folder)
            certificate, key = one.authority.issue(net.address)
            (folder / "config.toml").write_text(
                f'{CONFIG.format(url=url)}[server]\ntls_cert = "{certificate}"\ntls_key = "{key}"\n'
            )
            try:
                one.start()
                yield one
            finally:
                one.kill()
                model.kill()


def test_a_token_and_a_ca_of_ones_own_are_all_that_it_takes(far: Far) -> None:
    code, out, err = far.says("run", "[[echo]] from here to there", token=far.token())
    assert (code, out.strip(), err) == (0, "from here to there", "")


def test_without_the_ca_or_a_token_it_says_what_is_missing(far: Far) -> None:
    trusting, far.authority = far.authority, Authority(far.folder / "other")
    (far.folder / "other").mkdir()
    try:
        code, _, err = far.says("ls", token=far.token())
    finally:
        far.authority = trusting
    assert code == 1
    assert "--ca-file" in err
    code, _, err = far.says("ls")
    assert code == 1
    assert f"palaver login {far.url}" in err


def test_a_token_that_is_wrong_or_over_is_told_apart(far: Far) -> None:
    wrong = far.kept(far.token().read_text()[:-4] + "AAAA")
    made = make_token(far.data / "palaverd.sock", expires_seconds=1)
    over = far.kept(asyncio.run(made).secret)
    revoked = far.token()
    far.palaverd("token", "revoke", revoked.read_text().split("_")[1])
    time.sleep(1.0)  # a token expires in real time
    for token, said in ((wrong, "not known"), (over, "expired"), (revoked, "revoked")):
        code, _, err = far.says("ls", token=token)
        assert code == 1
        assert said in err


def test_a_token_that_is_revoked_while_one_watches_ends_that(far: Far) -> None:
    token = far.token()
    watching = far.palaver("run", "[[silence]] for ever", "--json", token=token)
    assert watching.stdout is not None
    while "message_part" not in watching.stdout.readline():
        assert watching.poll() is None
    far.palaverd("token", "revoke", token.read_text().split("_")[1])
    _, err = watching.communicate(timeout=BOUND_S)
    assert watching.returncode == 1
    assert "revoked" in err


def test_a_daemon_that_is_killed_and_comes_back_is_gone_on_with(far: Far) -> None:
    words = " ".join(f"w{number}" for number in range(40))
    running = far.palaver("run", f"[[echo]] {words}", "--json", token=far.token())
    assert running.stdout is not None
    while "message_part" not in running.stdout.readline():
        assert running.poll() is None
    far.kill()
    far.start()
    out, err = running.communicate(timeout=BOUND_S)
    assert running.returncode == 0, err
    result = out.strip().splitlines()[-1]
    assert '"type":"result"' in result
    assert f'"text":"{words}"' in result


def test_a_slow_line_that_loses_some_of_it_changes_nothing(far: Far) -> None:
    """With the kernel's traffic control, if available; test_slow_line.py uses a relay."""
    with far.net.slow("delay", "200ms", "loss", "2%") as slow:
        if not slow:
            pytest.skip("this kernel has no netem")
        words = " ".join(f"w{number}" for number in range(40))
        code, out, err = far.says("run", f"[[echo]] {words}", token=far.token())
    assert (code, out.strip(), err) == (0, words, "")


def test_what_others_could_read_along_is_not_served_unless_somebody_says_so(far: Far) -> None:
    plain = far.folder / "plain.toml"
    plain.write_text((far.folder / "config.toml").read_text().partition("[server]")[0])
    address = f"{far.net.address}:{PORT + 1}"
    words = ("--config", str(plain), "--data-dir", str(far.folder / "plain"), "--listen", address)
    refused = far.serve(*words)
    assert refused.wait(BOUND_S) == 1
    said = far.log.read_text()
    assert address in said
    assert "--allow-plaintext" in said
    served = far.serve(*words, "--allow-plaintext")
    try:
        until(lambda: '"ready"' in far.log.read_text(), served)
        asked = subprocess.run(
            ["curl", "--silent", f"http://{address}/healthz"], capture_output=True, timeout=BOUND_S
        )
        assert asked.stdout == b'{"status":"ok"}'
    finally:
        served.kill()
        served.wait()


def test_ssh_leads_there_too(far: Far) -> None:
    require("sshd")
    home = far.folder / "ssh"
    home.mkdir()
    box = Box(home, far.net.address)
    box.install()
    (home / "data").symlink_to(far.data)  # the daemon that runs there
    with far.net.start(*box.command(), stderr=subprocess.DEVNULL) as sshd:
        try:
            until(lambda: b"SSH" in _greeting(far.net.address, box.port), sshd)
            asked = subprocess.run(
                [sys.executable, "-m", "palaver", "--server", box.url, "ls", "--json"],
                env=far.environment | box.environment,
                capture_output=True,
                text=True,
                timeout=BOUND_S,
            )
            assert asked.returncode == 0, asked.stderr
            _, out, _ = far.says("ls", "--json", token=far.token())
            # The chats of earlier tests may still change.
            assert _ids(asked.stdout) == _ids(out) != set()
        finally:
            sshd.kill()


def _ids(listed: str) -> set[str]:
    return {json.loads(line)["id"] for line in listed.splitlines()}


def _greeting(host: str, port: int) -> bytes:
    """Return the first bytes that a server sends there, nothing while none listens."""
    asked = subprocess.run(
        ["ssh-keyscan", "-T", "1", "-p", str(port), host], capture_output=True, timeout=BOUND_S
    )
    return asked.stdout + asked.stderr
