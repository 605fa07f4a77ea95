"""The environment of commands: this program's own without its secrets, and without prompts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from palaver.servers.table import SERVERS

# This program's own settings; a command may be another Palaver, or its tests.
OWN_PREFIX = "PALAVER_"
# What the vendors' libraries read a key from, whatever is configured; and the usual variables of
# the other vendors.
KEYS = frozenset(
    {
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_CUSTOM_HEADERS",
        "OPENAI_API_KEY",
        "OPENAI_ADMIN_KEY",
    }
) | {server.key for server in SERVERS if server.key is not None}
# A shorter value of a secret is not looked for in other variables.
_LEAST = 8

# Nobody sits at a terminal: what would ask, page or edit must go on or fail.
SETTINGS: Mapping[str, str] = {
    "TERM": "dumb",
    "NO_COLOR": "1",
    "PAGER": "cat",
    "GIT_PAGER": "cat",
    "GH_PAGER": "cat",
    "MANPAGER": "cat",
    "SYSTEMD_PAGER": "cat",
    "EDITOR": "false",
    "VISUAL": "false",
    "GIT_EDITOR": "false",
    "GIT_SEQUENCE_EDITOR": "false",
    "GIT_TERMINAL_PROMPT": "0",
    # Windows that ask for a password: no program is none to git, and ssh may not open one.
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GH_PROMPT_DISABLED": "1",
    "DEBIAN_FRONTEND": "noninteractive",
    "PIP_NO_INPUT": "1",
    # Python keeps what it prints to a file until it has 8 KiB: people watch, a stop would lose it.
    "PYTHONUNBUFFERED": "1",
}
# They would force colours, or name a terminal or a session that is not there.
_REMOVED = frozenset({"COLORTERM", "FORCE_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES", "TMUX"})


def environment_of(base: Mapping[str, str], secret: Collection[str]) -> dict[str, str]:
    """Return the environment of a command.

    Args:
        base: this program's.
        secret: names of further variables with secrets. A copy of a secret under another name is
            left out too.
    """
    hidden = {name for name in base if name in KEYS or name in secret}
    values = {base[name] for name in hidden if len(base[name]) >= _LEAST}
    kept = {
        name: value
        for name, value in base.items()
        if not (
            name in hidden or name in _REMOVED or name.startswith(OWN_PREFIX) or value in values
        )
    }
    return {**kept, **SETTINGS}
