"""Recognise model servers by their responses, and write config.toml for one. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from palaver.servers.home import HOME, LM_STUDIO
from palaver.servers.recognition import MODELS, by_answers


def _usual_ports() -> dict[str, int]:
    ports: dict[str, int] = {}
    for server in HOME:
        for port in map(int, server.marked("port")):
            if port not in ports.values():
                ports[server.name] = port
    return ports


# Private model servers with their default ports, in the order in which they are offered. Of two
# servers with the same port the first is listed.
PORTS: Final[dict[str, int]] = _usual_ports()
UNKNOWN: Final = "An OpenAI-compatible server"
# Embedding and reranking models, which do not chat, by name, for servers that do not mark them.
NOT_TALKING: Final = re.compile(r"embed|rerank|^bge-|^gte-|^e5-", re.IGNORECASE)
MOST_MODELS: Final = 20
LONGEST_ID: Final = 200


@dataclass(frozen=True)
class LocalModel:
    """A model by its server's name. `context_limit` is in tokens, None if unknown."""

    id: str
    context_limit: int | None = None


@dataclass(frozen=True)
class LocalServer:
    """A model server on this machine. `models` has only chat models."""

    kind: str
    address: str
    models: tuple[LocalModel, ...] = ()

    @property
    def base_url(self) -> str:
        """The base URL of its API."""
        return f"http://{self.address}/v1"

    @property
    def provider(self) -> str:
        """Its name as a table of config.toml."""
        return _name(self.kind) if self.kind != UNKNOWN else "local-server"


def recognise(address: str, answers: Mapping[str, Any]) -> LocalServer | None:
    """Return the server at `address`, None if it is no model server.

    `answers` has the decoded JSON of each path that returned some; without `MODELS` it is none.
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
    """Return `owned_by` of the first model in the list."""
    listed = _entries(answers.get(MODELS)) or []
    return next((str(entry.get("owned_by")) for entry in listed), "")


def _entries(answer: Any) -> list[dict[str, Any]] | None:
    """Return the models of a list in OpenAI's form; Ollama's empty list is null."""
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
    """Return the current context window, if the server reports it, else the largest possible.

    llama.cpp has one for all models; vLLM and LM Studio report it per model.
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
    """Return a config.toml with the server and all its models; the first is the default."""
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
    """Yield each model with a unique short name."""
    taken: set[str] = set()
    for model in server.models:
        base = name = _name(model.id.rpartition("/")[2].removesuffix(":latest"))
        number = 2
        while name in taken:
            name, number = f"{base}-{number}", number + 1
        taken.add(name)
        yield name, model


def _name(text: str) -> str:
    """Return a name that needs no quotes in TOML or a shell."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-") or "model"


def _toml(text: str) -> str:
    # Strings are written alike in JSON and TOML.
    return msgspec.json.encode(text).decode()
