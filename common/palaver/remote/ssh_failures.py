"""Explain why ssh failed, from its output and that of the remote command. Pure.

ssh's messages are not translated. It exits with 255 for each failure of its own; other codes are
the remote command's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from palaver.remote.address import Ssh
from palaver.remote.preface import last_line
from palaver.remote.ssh_command import NOT_FOUND

SSH_FAILED: Final = 255
USAGE: Final = 2  # click's exit code for an unknown command
NOT_RUNNABLE: Final = 126


@dataclass(frozen=True)
class Trouble:
    """A failure: `why` is a clause, `help` a sentence or "".

    With `person` only the user can resolve it: a retry is useless.
    """

    why: str
    help: str = ""
    person: bool = False

    def __str__(self) -> str:
        return f"{self.why}.{' ' if self.help else ''}{self.help}"


# Patterns of ssh's messages, in order of precedence, and the failure that each means. {0} is the
# pattern's group; the other names are those of `_names`.
_SAID: Final[tuple[tuple[str, Trouble], ...]] = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED",
        Trouble(
            "the host key of {who} is not the one that ssh knows",
            "If it was set up anew, forget the old one with  ssh-keygen -R {known_as}  and connect"
            " again; if you do not know why, ask whoever runs it.",
            person=True,
        ),
    ),
    (
        r"Host key verification failed|No \S+ host key is known for",
        Trouble(
            "ssh does not know the host key of {who}, and nobody confirmed it",
            "Connect once with  {ssh}  and answer its question.",
            person=True,
        ),
    ),
    (
        r"Could not resolve hostname [^:]+: (.+)",
        Trouble("there is no machine of the name {host} ({0})"),
    ),
    (
        r"Too many authentication failures",
        Trouble(
            "{who} refused to hear of more keys",
            "Say which one is right, with IdentityFile and IdentitiesOnly in ~/.ssh/config.",
            person=True,
        ),
    ),
    (
        r"Permission denied(?: \(([^)]*)\))?",
        Trouble(
            "{who} let nobody in with the keys and passwords that ssh had",
            "See what  {ssh}  says.",
            person=True,
        ),
    ),
    (
        r"Connection refused",
        Trouble("nothing answers at {who}: no ssh server listens on that port"),
    ),
    (r"Connection timed out|Operation timed out", Trouble("{who} did not answer in time")),
    (r"Timeout, server .* not responding", Trouble("{who} stopped answering")),
    (r"No route to host|Network is unreachable", Trouble("no network leads to {who}")),
    (
        r"Bad configuration option|Bad owner or permissions|terminating, \d+ bad configuration",
        Trouble("ssh does not take its own configuration", "See what  {ssh}  says.", person=True),
    ),
    (
        r"kex_exchange_identification|banner exchange|Connection (?:closed|reset) by|Broken pipe",
        Trouble("{who} closed the connection"),
    ),
)
# Lines of ssh that our message repeats, and which are therefore not shown.
_REPEATED: Final = re.compile(
    r"^(?:ssh: |\S+@\S+: Permission denied|Host key verification failed\.|Timeout, server |"
    r"client_loop: |Connection (?:closed|reset) by |kex_exchange_identification|palaverd: )"
)

NO_SSH: Final = Trouble(
    "ssh is not installed here",
    "Install it (Debian and Ubuntu: apt install openssh-client).",
    person=True,
)


def is_repeated(line: str) -> bool:
    """Return whether a line of ssh's standard error is repeated by a `Trouble`."""
    return _REPEATED.match(line) is not None


def trouble(
    place: Ssh,
    code: int | None,
    errors: bytes,
    noise: bytes,
    *,
    asked: bool,
    remote_command: str | None = None,
) -> Trouble:
    """Return why there is no connection.

    Args:
        remote_command: the remote command, None for the default.
        code: ssh's exit code, None if it was terminated.
        errors: its standard error, which includes the remote command's.
        noise: the output before, or instead of, the preface.
        asked: whether ssh could prompt the user.
    """
    who = _who(place)
    said, line = errors.decode(errors="replace"), last_line(errors)
    if code == SSH_FAILED:
        return _of_ssh(place, said, line, asked=asked)
    if code == NOT_FOUND and remote_command is not None:
        return Trouble(
            f"there is no {remote_command.split()[0]} on {who}",
            "Correct --remote-command, or remote_command in client.toml.",
            person=True,
        )
    if code == NOT_FOUND:
        return Trouble(
            f"no palaverd was found on {who}",
            "Install it there (pip install 'palaver[server]'), or say where it is with"
            " --remote-command, or remote_command in client.toml.",
            person=True,
        )
    if code == NOT_RUNNABLE:
        return Trouble(f"palaverd on {who} cannot be run{_quoted(line)}", person=True)
    if code == USAGE and "dial-stdio" in said:
        return Trouble(
            f"palaverd on {who} is too old to be reached through ssh",
            "Upgrade it there (pip install --upgrade 'palaver[server]').",
            person=True,
        )
    if line.startswith("palaverd: "):
        return Trouble(f"{who} says: {line.removeprefix('palaverd: ').rstrip('.')}")
    heard = line or last_line(noise)
    if code:
        return Trouble(f"the command on {who} ended with status {code}{_quoted(heard)}")
    if not heard:
        return Trouble("the connection was closed")
    return Trouble(f"{who} said nothing that palaverd says{_quoted(heard)}")


def not_palaverd(place: Ssh, said: str) -> Trouble:
    """Return the failure for a remote command that prints a lot, but no preface."""
    return Trouble(
        f"{_who(place)} said a great deal, and nothing that palaverd says{_quoted(said)}",
        "Is --remote-command right, and does a start file of the shell there print without end?",
        person=True,
    )


def _of_ssh(place: Ssh, said: str, line: str, *, asked: bool) -> Trouble:
    for pattern, known in _SAID:
        if (found := re.search(pattern, said)) is None:
            continue
        if "Permission denied" in found[0] and not asked:
            return Trouble(
                f"ssh would have to ask you for a password or a passphrase for {_who(place)} again",
                "It cannot while this runs: leave, and come back with the same command; or let an"
                " agent keep the key (ssh-add).",
                person=True,
            )
        group = (found[1] or "").strip() if found.re.groups else ""
        names = _names(place)
        return Trouble(
            known.why.format(group, **names), known.help.format(group, **names), known.person
        )
    return Trouble(f"ssh could not connect to {_who(place)}{_quoted(line)}")


def _who(place: Ssh) -> str:
    return str(place).removeprefix("ssh://")


def _names(place: Ssh) -> dict[str, str]:
    login = f"{place.user}@{place.host}" if place.user else place.host
    port = f"-p {place.port} " if place.port else ""
    return {
        "who": _who(place),
        "host": place.host,
        "ssh": f"ssh {port}{login}",
        "known_as": f"'[{place.host}]:{place.port}'" if place.port else place.host,
    }


def _quoted(line: str) -> str:
    return f" ({line.rstrip('.')})" if line else ""
