"""Model servers as they answer: which kind, which models, and how config.toml says so. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from palaver.servers.home import HOME, LM_STUDIO
from palaver.servers.recognising import MODELS, by_answers


def _usual_ports() -> dict[str, int]:
    ports: dict[str, int] = {}
    for server in HOME:
        for port in map(int, server.marked("port")):
            if port not in ports.values():
                ports[server.name] = port
    return ports


# Servers at home with their usual ports, in the order in which they are offered. Of two that have
# the same the first is named.
PORTS: Final[dict[str, int]] = _usual_ports()
UNKNOWN: Final = "An OpenAI-compatible server"
# Models that turn text into numbers do not talk. Servers that do not say so have them named so.
NOT_TALKING: Final = re.compile(r"embed|rerank|^bge-|^gte-|^e5-", re.IGNORECASE)
MOST_MODELS: Final = 20
LONGEST_ID: Final = 200


@dataclass(frozen=True)
class LocalModel:
    """A model by the server's own name. `context_limit` is in tokens, None if it is not said."""

    id: str
    context_limit: int | None = None


@dataclass(frozen=True)
class LocalServer:
    """A server that answers on this machine. `models` is empty where it has none that talks."""

    kind: str
    address: str
    models: tuple[LocalModel, ...] = ()

    @property
    def base_url(self) -> str:
        """Where the protocol is spoken."""
        return f"http://{self.address}/v1"

    @property
    def provider(self) -> str:
        """Its name as a table of config.toml."""
        return _name(self.kind) if self.kind != UNKNOWN else "local-server"


def recognise(address: str, answers: Mapping[str, Any]) -> LocalServer | None:
    """Return what answers at `address`, None if it is no model server.

    `answers` has the decoded JSON of each path that gave some; without `MODELS` it is none.
    """
    listed = _entries(answers.get(MODELS))
    if listed is None:
        return None
    server = by_answers(owner_of(answers), answers)
    kind = UNKNOWN if server is None else server.name
    detailed = _entries(answers.get("/api/v0/models")) if server is LM_STUDIO else None
    models = tuple(_models(listed if detailed is None else detailed, answers))
    return LocalServer(kind, address, models[:MOST_MODELS])


def owner_of(answers: Mapping[str, Any]) -> str:
    """Return what the first model of the list says of who owns it."""
    listed = _entries(answers.get(MODELS)) or []
    return next((str(entry.get("owned_by")) for entry in listed), "")


def _entries(answer: Any) -> list[dict[str, Any]] | None:
    """Return the models of a list of the OpenAI shape; Ollama says null when it has none."""
    if not isinstance(answer, dict) or "data" not in answer:
        return None
    data = answer["data"] or []
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        return None
    return data


def _models(entries: list[dict[str, Any]], answers: Mapping[str, Any]) -> Iterator[LocalModel]:
    for entry in entries:
        name = entry.get("id")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_ID or not name.isprintable():
            continue
        if entry.get("type") == "embeddings" or NOT_TALKING.search(name.rpartition("/")[2]):
            continue
        yield LocalModel(name, _context(entry, answers))


def _context(entry: Mapping[str, Any], answers: Mapping[str, Any]) -> int | None:
    """Return the context that is there now, where the server says it; else the most there can be.

    llama.cpp serves one context to all models; vLLM and LM Studio say it with each.
    """
    props = answers.get("/props")
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    serves = settings.get("n_ctx") if isinstance(settings, dict) else None
    said = (
        entry.get("loaded_context_length"),
        entry.get("max_model_len"),
        serves,
        entry.get("max_context_length"),
    )
    return next((size for size in said if type(size) is int and size > 0), None)


def example(server: LocalServer) -> str:
    """Return a config.toml that names the server and all its models; the first is the default."""
    lines = [
        f"# {server.kind} at {server.address}. `palaverd config example` shows every key.",
        "",
        f"[providers.{server.provider}]",
        'kind = "openai-compatible"',
        f"base_url = {_toml(server.base_url)}",
    ]
    for name, model in _named(server):
        lines += ["", f"[models.{name}]", f"provider = {_toml(server.provider)}"]
        lines.append(f"model = {_toml(model.id)}")
        if model.context_limit is not None:
            lines.append(f"context_limit = {model.context_limit}")
    return "\n".join(lines) + "\n"


def _named(server: LocalServer) -> Iterator[tuple[str, LocalModel]]:
    """Yield each model with a short name for people, no two alike."""
    taken: set[str] = set()
    for model in server.models:
        base = name = _name(model.id.rpartition("/")[2].removesuffix(":latest"))
        number = 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        yield name, model


def _name(text: str) -> str:
    """Return a name that TOML and a shell take without quotes."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-") or "model"


def _toml(text: str) -> str:
    # JSON writes strings as TOML does.
    return msgspec.json.encode(text).decode()
