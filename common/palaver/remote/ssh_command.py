"""Build the command line of ssh, and the remote command. Pure."""

from __future__ import annotations

from typing import Final

from palaver.remote.address import Ssh

# ssh runs no login shell, so PATH lacks what a profile adds. README, pipx, `uv tool` and system
# packages install into these.
PLACES: Final = ("$HOME/.local/bin", "$HOME/.palaver/bin", "/usr/local/bin", "/opt/palaver/bin")
NOT_FOUND: Final = 127  # a shell's exit code for it
# Run by `sh`, whatever the user's login shell is: all of them parse single quotes alike.
_SCRIPT: Final = (
    f'PATH="$PATH:{":".join(PLACES)}"; export PATH;'
    " command -v palaverd >/dev/null 2>&1 || exit 127;"
    " exec palaverd dial-stdio"
)
USUAL: Final = f"exec sh -c '{_SCRIPT}'"

# Seconds. A dead connection is noticed after three unanswered keepalives.
CONNECT_S: Final = 20
ALIVE_S: Final = 5
ALIVE_TRIES: Final = 3

OPTIONS: Final = (
    "-T",  # no pseudo-terminal: bytes must arrive unchanged
    f"-oConnectTimeout={CONNECT_S}",
    f"-oServerAliveInterval={ALIVE_S}",
    f"-oServerAliveCountMax={ALIVE_TRIES}",
    # Undo what the user's configuration may set for interactive sessions with this host.
    "-oClearAllForwardings=yes",
    "-oRemoteCommand=none",
)


def dialling(remote_command: str | None) -> str:
    """Return the remote command. `remote_command` is the user's palaverd; None searches for it."""
    if remote_command is None:
        return USUAL
    whole = "dial-stdio" in remote_command.split()
    return remote_command if whole else f"{remote_command} dial-stdio"


def command_line(place: Ssh, remote_command: str | None, *, asks: bool) -> list[str]:
    """Return the arguments of ssh, without its own name.

    Without `asks`, ssh fails where it would have to prompt.
    """
    options = [*OPTIONS]
    if not asks:
        options.append("-oBatchMode=yes")
    if place.user is not None:
        options += ["-l", place.user]
    if place.port is not None:
        options += ["-p", str(place.port)]
    # After -- nothing is an option.
    return [*options, "--", place.host, dialling(remote_command)]
