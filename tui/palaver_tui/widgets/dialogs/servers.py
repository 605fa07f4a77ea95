"""Server picker: the dialog to choose a server."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from palaver.interface import Choice as Server
from palaver_tui.text.visible import visible_line
from palaver_tui.widgets.dialogs.picker import Choice, Picker


def server_picker(servers: Sequence[Server], named_in: str) -> Picker:
    """Return a picker that answers with the index of the chosen server, as a string.

    Args:
        named_in: the file where servers are named; shown if it names none.
    """
    choices = [
        Choice(str(number), visible_line(f"{server.name} {server.address}"), _shown(server))
        for number, server in enumerate(servers)
    ]
    if len(servers) == 1:
        choices.append(Choice("", "", _how(named_in), enabled=False))
    here = next((str(number) for number, server in enumerate(servers) if server.here), None)
    return Picker("Servers", choices, placeholder="Find a server", current=here, verb="go there")


def _shown(server: Server) -> Content:
    return Content.assemble(
        ("● " if server.here else "  ", "$accent"),
        (visible_line(server.name), "bold"),
        (f"  {visible_line(server.address)}" if server.address else "", "$palaver-muted"),
    )


def _how(named_in: str) -> Content:
    lines = [
        "  None is named yet. To name one, put into",
        f"  {visible_line(named_in)}:",
        "  [servers.box]",
        '  url = "https://box:7777"   or   "ssh://you@box"',
    ]
    return Content.styled("\n".join(lines), "$palaver-muted")
