"""`palaver demo` as a user runs it: simulator, daemon and command, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.process

# Starting simulator and daemon imports two SDKs, which is slow on a busy machine.
LONG_S = 60


@pytest.fixture
def temporary() -> Iterator[Path]:
    """The parent of the demo's directory. Not tmp_path: a socket's address is short."""
    with tempfile.TemporaryDirectory(prefix="pv") as directory:
        yield Path(directory)


def demo(temporary: Path, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "palaver", "demo", "--", *command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )


def ended(process: subprocess.Popen[str], temporary: Path) -> tuple[int, str, str]:
    """Return code, output and errors; fail if a file or a process is left."""
    out, err = process.communicate(timeout=LONG_S)
    assert list(temporary.iterdir()) == []
    assert processes_in(temporary) == []
    assert "Traceback" not in err
    return process.returncode, out, err


def processes_in(temporary: Path) -> list[str]:
    """Return the command lines of all processes that name the directory."""
    listing = subprocess.run(
        ["ps", "-eo", "args"], check=True, capture_output=True, text=True, timeout=LONG_S
    )
    return [line for line in listing.stdout.splitlines() if str(temporary) in line]


def result(out: str) -> Any:
    return json.loads(out.splitlines()[-1])


def test_an_answer_is_streamed_and_ends_with_a_result_line(temporary: Path) -> None:
    code, out, err = ended(demo(temporary, "run", "hello", "--json"), temporary)
    events = [json.loads(line) for line in out.splitlines()]
    parts = [event["delta"] for event in events if event["type"] == "message_part"]
    assert (code, err) == (0, "")
    assert len(parts) > 5
    assert "".join(parts) == result(out)["text"]
    assert (result(out)["status"], result(out)["error"]) == ("finished", None)
    assert result(out)["usage"]["output_tokens"] > 0


def test_a_rejected_key_is_a_structured_error_and_exit_three(temporary: Path) -> None:
    code, out, _ = ended(demo(temporary, "run", "[[401]] hello", "--json"), temporary)
    assert (code, result(out)["status"]) == (3, "error")
    assert (result(out)["error"]["kind"], result(out)["error"]["status_code"]) == ("auth", 401)


def test_an_overload_is_announced_and_then_the_answer_comes(temporary: Path) -> None:
    code, out, _ = ended(demo(temporary, "run", "[[529]] hello", "--json"), temporary)
    events = [json.loads(line) for line in out.splitlines()]
    waits = [e["retry"] for e in events if e["type"] == "retry" and e["retry"] is not None]
    assert (code, result(out)["status"]) == (0, "finished")
    assert waits[0]["error"]["kind"] == "overloaded"
    assert (waits[0]["error"]["status_code"], waits[0]["delay_ms"] > 0) == (529, True)


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        (["tail", "nope"], 1, "There is no chat"),
        (["run", "hello", "--model", "nix"], 1, "There is no model nix"),
        (["rnu"], 2, "There is no command"),
    ],
)
def test_a_failure_is_a_sentence_and_nothing_is_left(
    temporary: Path, command: list[str], code: int, sentence: str
) -> None:
    got, out, err = ended(demo(temporary, *command), temporary)
    assert (got, out) == (code, "")
    assert sentence in err


def test_a_message_of_ten_megabytes_is_refused_in_a_sentence(temporary: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "palaver", "demo", "--", "run"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    _, err = process.communicate("a" * 10_000_000, timeout=LONG_S)
    assert process.returncode == 1
    assert err.count("\n") == 1
    assert "larger than" in err


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_of_an_answer_leaves_nothing_behind(
    temporary: Path, sent: signal.Signals, code: int
) -> None:
    process = demo(temporary, "run", "[[length=2000]] hello")
    assert process.stdout is not None
    assert process.stdout.read(5)
    process.send_signal(sent)
    assert ended(process, temporary)[0] == code


def test_a_killed_daemon_is_started_again_and_the_answer_goes_on(temporary: Path) -> None:
    process = demo(temporary, "run", "[[length=300]] hello", "--json")
    assert process.stdout is not None
    for line in process.stdout:
        if "message_part" in line:
            break
    (directory,) = temporary.iterdir()
    serving = subprocess.run(
        ["pgrep", "-f", f"palaverd serve --data-dir {directory}"],
        check=True,
        capture_output=True,
        text=True,
        timeout=LONG_S,
    )
    os.kill(int(serving.stdout), signal.SIGKILL)
    code, out, err = ended(process, temporary)
    assert (code, result(out)["status"]) == (0, "finished")
    assert "Connection lost" in err
    assert len(result(out)["text"].split()) > 100
