"""The first run, when no model can be used: what is missing, what helps, what Enter does. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal

from palaver.setup.local import PORTS, LocalModel, LocalServer, example
from palaver.wire.chats import Models
from palaver_tui.keymap.actions import key_of
from palaver_tui.text.visible import visible_line

Help = Literal["setup.restart", "setup.local"]
Tone = Literal["title", "text", "muted", "code", "key", "warning"]

# The server in the example if none answers.
SAMPLE: Final = LocalServer("Ollama", f"127.0.0.1:{PORTS['Ollama']}", (LocalModel("llama3.2"),))
ENTER: Final = key_of("composer.send")
NAMED: Final = 3  # models that are named; further ones are counted


@dataclass(frozen=True)
class FirstRun:
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


@dataclass(frozen=True)
class Row:
    """A paragraph. Those with the highest `spare` are omitted first if there is no room."""

    text: str
    tone: Tone = "text"
    spare: int = 0


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


def paragraphs(state: FirstRun) -> list[Row]:
    """Return the paragraphs of the screen, from the top down."""
    rows = [Row("One thing is missing: a model to talk to.", "title"), Row("", spare=2)]
    rows += [Row(visible_line(reason), "warning") for reason in state.reasons[:2]]
    rows += [Row("", spare=3)] if state.reasons else []
    if state.there is not None:
        return [*rows, *_there(state.there)]
    if state.keys:
        names = " and ".join(visible_line(name) for name in state.keys)
        rows.append(Row(f"This shell has {names}; the daemon began without."))
        rows.append(Row(f"{ENTER}  start the daemon anew with it", "key"))
    else:
        wanted = state.lacking or ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
        names = " or ".join(visible_line(name) for name in wanted[:NAMED])
        which = f" ({names})" if len(wanted) > 1 else ""
        rows.append(Row(f"With a key{which}, in a shell:"))
        rows.append(Row(f"export {visible_line(wanted[0])}=…", "code"))
        rows.append(Row("palaver daemon restart", "code"))
    return [
        *rows,
        Row("", spare=2),
        *_local(state),
        Row("", spare=1),
        Row("Without any, to see what this is like:  palaver demo"),
    ]


def _there(path: str) -> list[Row]:
    """Return what to do on the daemon's machine, which uses no keys or servers of this one."""
    return [
        Row(f"The daemon is on another machine. Name a model there, in {visible_line(path)}:"),
        Row("palaverd config example", "code"),
        Row("shows what can stand in it. The daemon reads it again by itself.", "muted", spare=1),
        Row("", spare=1),
        Row("Without any, to see what this is like:  palaver demo"),
    ]


def _local(state: FirstRun) -> list[Row]:
    """Return how to use a model server on this machine."""
    server, path = state.server, visible_line(state.path or "config.toml")
    if server is None:
        ports = ", ".join(f"{kind} :{port}" for kind, port in PORTS.items())
        return [
            Row(f"With a model server on this machine, in {path}:"),
            *_code(SAMPLE),
            Row(f"None answers yet on its usual port ({ports}).", "muted", spare=5),
        ]
    answers = f"{server.kind} answers at {server.address}"
    if not server.models:
        return [Row(f"{answers}, but it has no model to talk to yet.")]
    answers = f"{answers} with {_some(server)}."
    if state.help == "setup.local":
        return [Row(answers), Row(f"{ENTER}  write {path}:", "key"), *_code(server)]
    return [Row(f"{answers} To use it, put into {path}:"), *_code(server)]


def _some(server: LocalServer) -> str:
    names = [visible_line(model.id) for model in server.models]
    more = len(names) - NAMED
    shown = ", ".join(names[:NAMED])
    return f"{shown} and {more} more" if more > 0 else shown


def _code(server: LocalServer) -> list[Row]:
    """Return the lines of the example with one model, without comments and empty lines."""
    one = LocalServer(server.kind, server.address, server.models[:1])
    lines = [line for line in example(one).splitlines() if line and not line.startswith("#")]
    return [Row(visible_line(line), "code") for line in lines]
