"""The first run, when no model can be used: what is missing, and what Enter does. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Literal

import msgspec

from palaver.wire.chats import Models

if TYPE_CHECKING:
    from palaver.setup.local import LocalServer

Help = Literal["setup.restart", "setup.local"]


class FirstRun(msgspec.Struct, frozen=True):
    """What is missing to use a model, and what is available.

    `path` is the path of config.toml if the daemon runs on this machine, `there` its path on the
    daemon's machine if that is another one; the other is None. `found`: the file exists. `lacking`
    are the environment variables that the daemon lacks, `keys` those of them that this shell has.
    `reasons` are sentences about models that are configured and cannot be used.
    """

    path: str | None = None
    there: str | None = None
    found: bool = False
    server: LocalServer | None = None
    keys: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def help(self) -> Help | None:
        """The action of Enter in an empty composer, None if there is none."""
        if self.keys:
            return "setup.restart"
        return "setup.local" if self.can_write else None

    @property
    def can_write(self) -> bool:
        """Whether config.toml can be written for the server: it has models, and no file exists."""
        has_models = self.server is not None and bool(self.server.models)
        return has_models and self.path is not None and not self.found


def usable(models: Models | None) -> bool:
    """Return whether a model can be used; True while `models` is not known."""
    return models is None or any(model.unavailable is None for model in models.models)


def first_run(
    models: Models,
    servers: Collection[LocalServer],
    *,
    here: bool,
    environment: Collection[str],
) -> FirstRun | None:
    """Return what is missing; None if a model can be used.

    Args:
        here: the daemon runs on this machine.
        environment: names of the variables that a daemon started by this client would have.
    """
    if usable(models):
        return None
    setup = models.setup
    reasons = {model.unavailable.message for model in models.models if model.unavailable}
    if setup is not None and setup.problem is not None:
        reasons = {setup.problem}
    lacking = tuple(setup.variables) if setup is not None else ()
    path = setup.config if setup is not None else "config.toml"
    return FirstRun(
        path=path if here and setup is not None else None,
        there=None if here else path,
        found=setup is not None and setup.found,
        server=next(iter(sorted(servers, key=lambda one: not one.models)), None) if here else None,
        keys=tuple(name for name in lacking if here and name in environment),
        lacking=lacking,
        reasons=tuple(sorted(reasons)),
    )
