"""Print docs/servers.md: the table of servers, and the matrix of the last run."""

from __future__ import annotations

from palaverd.providers.limits import OWN_SERVER_LIMITS
from servers.known_servers_page import page
from servers.results import matrix_markdown


def document() -> str:
    """Return the current document."""
    return page(matrix_markdown(), OWN_SERVER_LIMITS.startup) + "\n"


if __name__ == "__main__":
    print(document(), end="")  # noqa: T201 - this is what the module is for
