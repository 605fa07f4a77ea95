"""A Textual application with as many widgets as the client's screen, and nothing behind them.

The baseline for the client's start: what Python, Textual and such a screen cost by themselves.
"""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import OptionList, Static, TextArea

CSS = """
#header, #footer { height: 1; }
#body { height: 1fr; }
#chats { width: 32; height: 1fr; border: round $primary; }
#main, #stage { height: 1fr; }
#stage { border: round $primary; }
#writing { height: auto; border: round $primary; }
#prompt { width: 2; }
#composer { width: 1fr; height: 1; border: none; padding: 0; }
"""


class Bare(App[None]):
    """Header, list, conversation, field and footer."""

    CSS = CSS
    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Static("bare", id="header")
        with Horizontal(id="body"):
            yield OptionList(id="chats")
            with Vertical(id="main"):
                with Vertical(id="stage"):
                    yield Static("\n".join(["What shall we talk about?"] * 10))
                with Horizontal(id="writing"):
                    yield Static("❯", id="prompt", markup=False)
                    yield TextArea(id="composer")
        yield Static("^n new", id="footer")


if __name__ == "__main__":
    Bare().run()
