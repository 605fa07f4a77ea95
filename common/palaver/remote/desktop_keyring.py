"""Access the desktop's keyring, in a process of its own.

A keyring can hang, behind a D-Bus without a service or a dialog that is not seen. Its library is
optional and slow to import. A separate process can be waited for and killed; the token goes through
pipes. Run as a module, this is that process.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Final, Literal

import msgspec

SERVICE: Final = "palaver"
# Timeout in seconds: long enough to type the keyring's password into its dialog.
PATIENCE_S: Final = 30.0
# keyring's own threshold for recommended backends; below are plain-text stores and the null
# backend.
LEAST_PRIORITY: Final = 1.0


class RingError(Exception):
    """No keyring works. The message is a clause."""


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request to the keyring process."""

    do: Literal["store", "read", "forget"]
    server: str
    token: str | None = None


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Its response; `problem` is a clause about an error."""

    token: str | None = None
    problem: str | None = None


class Ring:
    """The keyring. Every method blocks, and raises `RingError`."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s

    def store(self, server: str, token: str) -> None:
        """Store a token, and check that it can be read back."""
        self._ask(Order("store", server, token))

    def read(self, server: str) -> str | None:
        """Return a token, None without one."""
        return self._ask(Order("read", server)).token

    def forget(self, server: str) -> None:
        """Delete a token."""
        self._ask(Order("forget", server))

    def _ask(self, order: Order) -> Answer:
        if importlib.util.find_spec("keyring") is None:
            raise RingError("the keyring library is not installed here (palaver[keyring])")
        try:
            # -P: modules in the current directory must not shadow ours.
            ended = subprocess.run(
                [sys.executable, "-P", "-m", "palaver.remote.desktop_keyring"],
                input=msgspec.json.encode(order),
                capture_output=True,
                timeout=self._patience_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise RingError(f"it did not answer in {self._patience_s:g} s") from error
        except OSError as error:
            raise RingError(f"it could not be asked: {error.strerror}") from error
        try:
            answer = msgspec.json.decode(ended.stdout, type=Answer)
        except msgspec.DecodeError as error:
            raise RingError(f"it ended with status {ended.returncode}") from error
        if answer.problem is not None:
            raise RingError(answer.problem)
        return answer


def obey(order: Order) -> Answer:
    """Carry out a request in this process."""
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    if keyring.get_keyring().priority < LEAST_PRIORITY:
        return Answer(problem="there is none that works here")
    try:
        match order.do:
            case "store":
                keyring.set_password(SERVICE, order.server, order.token or "")
                if keyring.get_password(SERVICE, order.server) != order.token:
                    return Answer(problem="it does not give back what it was given")
            case "read":
                return Answer(keyring.get_password(SERVICE, order.server))
            case "forget":
                keyring.delete_password(SERVICE, order.server)
    except PasswordDeleteError:
        return Answer()
    except KeyringError as error:
        return Answer(problem=f"it says no ({type(error).__name__})")
    return Answer()


def main() -> None:
    """Read one request from standard input, write the response to standard output."""
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        answer = obey(order)
    except Exception as error:  # noqa: BLE001 - backends raise anything; report only its name
        answer = Answer(problem=f"it failed ({type(error).__name__})")
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main()
