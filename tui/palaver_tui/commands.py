"""The command palette's source: the table of actions."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content

from palaver_tui.actions import ACTIONS, Action, key_name

if TYPE_CHECKING:
    from palaver_tui.app import PalaverApp


class ActionCommands(Provider):
    """Offers every action that makes sense now, with its key."""

    @property
    def _app(self) -> PalaverApp:
        from palaver_tui.app import PalaverApp

        app = self.app
        assert isinstance(app, PalaverApp)
        return app

    def _offers(self) -> list[tuple[Action, Callable[[], None]]]:
        app = self._app
        return [
            (action, partial(app.perform, action.id))
            for action in ACTIONS
            if action.palette and app.offers(action)
        ]

    async def discover(self) -> Hits:
        """Yield everything, before anything is typed."""
        for action, run in self._offers():
            yield DiscoveryHit(_display(action), run, text=action.title, help=action.help)

    async def search(self, query: str) -> Hits:
        """Yield what matches `query`."""
        matcher = self.matcher(query)
        for action, run in self._offers():
            score = matcher.match(action.title)
            if score > 0:
                yield Hit(score, _display(action), run, text=action.title, help=action.help)


def _display(action: Action) -> Content:
    keys = f"  {key_name(action.keys[0])}" if action.keys else ""
    return Content.assemble(action.title, (keys, "$accent"))
