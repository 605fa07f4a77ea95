"""Where no model can be used: what is missing, what helps, and what Enter does about it. Pure."""

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

# What stands in the example where no server answers.
SAMPLE: Final = LocalServer("Ollama", f"127.0.0.1:{PORTS['Ollama']}", (LocalModel("llama3.2"),))
ENTER: Final = key_of("composer.send")
NAMED: Final = 3  # models that are named; more are counted


@dataclass(frozen=True)
class FirstRun:
    """What is known. `path` is where config.toml belongs on this machine, `there` where it does on
    that of a daemon elsewhere; None where it is not.

    `found`: it is there. `keys` are variables that this shell has and the daemon lacks, `lacking`
    all that it lacks. `reasons` are sentences about what is configured and cannot be used.
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
        """What Enter in an empty composer does."""
        if self.keys:
            return "setup.restart"
        return "setup.local" if self.can_write else None

    @property
    def can_write(self) -> bool:
        """Whether a configuration can be written for the server: none is there yet."""
        has_models = self.server is not None and bool(self.server.models)
        return has_models and self.path is not None and not self.found


@dataclass(frozen=True)
class Row:
    """A paragraph. The more it is `spare`, the sooner it is left out where there is no room."""

    text: str
    tone: Tone = "text"
    spare: int = 0


def usable(models: Models | None) -> bool:
    """Return whether a model can be used; yes as long as nothing is known."""
    return models is None or any(model.unavailable is None for model in models.models)


def first_run(
    models: Models,
    servers: Collection[LocalServer],
    *,
    here: bool,
    environment: Collection[str],
) -> FirstRun | None:
    """Return what is missing, None when a model can be used.

    Args:
        here: the daemon runs on this machine.
        environment: the variables that a daemon which is started from here would have.
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
    """Return what the screen says, from the top down."""
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
    """Say what is done on the daemon's machine: keys and servers of this one do not count there."""
    return [
        Row(f"The daemon is on another machine. Name a model there, in {visible_line(path)}:"),
        Row("palaverd config example", "code"),
        Row("shows what can stand in it. The daemon reads it again by itself.", "muted", spare=1),
        Row("", spare=1),
        Row("Without any, to see what this is like:  palaver demo"),
    ]


def _local(state: FirstRun) -> list[Row]:
    """Say how a model server on this machine is used."""
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
    """Return the example with one model, without what is there for a reader of the file."""
    one = LocalServer(server.kind, server.address, server.models[:1])
    lines = [line for line in example(one).splitlines() if line and not line.startswith("#")]
    return [Row(visible_line(line), "code") for line in lines]
