"""docs/servers.md has the table's content, and its examples are configurations that work."""

from __future__ import annotations

import re
from pathlib import Path

from palaver.servers.table import SERVERS
from palaverd.config.load import parse_config
from servers.page import document

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "servers.md"


def test_the_document_is_what_the_table_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "run make docs"


def test_every_server_that_is_recognised_is_told_of() -> None:
    told = document()
    for server in SERVERS:
        if server.marks:
            assert server.name in told
        for note in server.notes:
            assert note.text in told


def test_each_example_is_a_configuration() -> None:
    examples = re.findall(r"```toml\n(.*?)```", document(), re.DOTALL)
    at_home = [server for server in SERVERS if server.place == "home" and server.base_url]
    assert len(examples) == len(at_home)
    for text, server in zip(examples, at_home, strict=True):
        config = parse_config(text, "config.toml")
        (provider,) = config.providers.values()
        assert provider.base_url == server.base_url
        assert provider.kind == "openai-compatible"
        assert config.models


def test_every_source_is_named_once_and_used() -> None:
    told, _, listed = document().partition("## Sources\n")
    numbers = [int(number) for number in re.findall(r"^(\d+)\. ", listed, re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))
    used = {int(number) for number in re.findall(r"\[(\d+)\]", told)}
    assert set(numbers) <= used
