"""The command line of ssh for a place, and what it is to start there. Pure."""

from __future__ import annotations

from typing import Final

from palaver.remote.address import Ssh

# A session of ssh's has no login shell, so that what a profile adds to PATH is not there. These
# are where README installs it, where pipx and `uv tool` put it, and where a system has it.
PLACES: Final = ("$HOME/.local/bin", "$HOME/.palaver/bin", "/usr/local/bin", "/opt/palaver/bin")
NOT_FOUND: Final = 127  # a shell's word for it
# For `sh`, whatever the person's own shell is: all of them read single quotes alike.
_SCRIPT: Final = (
    f'PATH="$PATH:{":".join(PLACES)}"; export PATH;'
    " command -v palaverd >/dev/null 2>&1 || exit 127;"
    " exec palaverd dial-stdio"
)
USUAL: Final = f"exec sh -c '{_SCRIPT}'"

# Seconds. A line that is dead is noticed after three keepalives without an answer.
CONNECT_S: Final = 20
ALIVE_S: Final = 5
ALIVE_TRIES: Final = 3

OPTIONS: Final = (
    "-T",  # no terminal there: bytes are to arrive as they are
    f"-oConnectTimeout={CONNECT_S}",
    f"-oServerAliveInterval={ALIVE_S}",
    f"-oServerAliveCountMax={ALIVE_TRIES}",
    # What the person's configuration may have for their own sessions with this host.
    "-oClearAllForwardings=yes",
    "-oRemoteCommand=none",
)


def dialling(remote_command: str | None) -> str:
    """Return what the shell there is given. `remote_command` names palaverd, None finds it."""
    if remote_command is None:
        return USUAL
    whole = "dial-stdio" in remote_command.split()
    return remote_command if whole else f"{remote_command} dial-stdio"


def command_line(place: Ssh, remote_command: str | None, *, asks: bool) -> list[str]:
    """Return the arguments of ssh, without its own name.

    Without `asks` it gives up where it would have to ask for something.
    """
    options = [*OPTIONS]
    if not asks:
        options.append("-oBatchMode=yes")
    if place.user is not None:
        options += ["-l", place.user]
    if place.port is not None:
        options += ["-p", str(place.port)]
    # Behind -- nothing is an option, whatever it begins with.
    return [*options, "--", place.host, dialling(remote_command)]
