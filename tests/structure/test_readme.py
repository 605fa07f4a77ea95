"""The commands in the documents are valid for the programs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from palaver.cli.main import palaver
from palaverd.cli import main as palaverd

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "docs/remote.md", "docs/api.md")
PROGRAMS: dict[str, click.Command] = {"palaver": palaver, "palaverd": palaverd}


def shown() -> Iterator[str]:
    """Yield each command line of the console blocks, without prompt and comment."""
    for name in DOCUMENTS:
        text = (ROOT / name).read_text(encoding="utf-8")
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
            for line in block.splitlines():
                machine, prompt, command = line.partition("$ ")
                if prompt and machine in {"", "box"}:
                    yield re.sub(r"\s+# .*", "", command)


def parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Parse the words with click, without running anything."""
    context = command.make_context(command.name, list(words), parent=parent)
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if rest:
            name, sub, arguments = command.resolve_command(context, rest)
            assert name is not None
            assert sub is not None
            parse(sub, arguments, context)


@pytest.mark.parametrize("line", sorted({line for line in shown() if "palaver" in line}))
def test_a_shown_command_is_understood(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("ca.pem").touch()  # a named file has to exist
    last = line.split("|")[-1].split(">")[0]
    words = shlex.split(last)
    if words[0] not in PROGRAMS:
        return
    # A separate palaver command follows --.
    if "--" in words:
        at = words.index("--")
        parse(palaver, words[at + 1 :])
        words = words[:at]
    parse(PROGRAMS[words[0]], [word.replace("ID", "abc") for word in words[1:]])


@pytest.mark.parametrize("line", sorted({line for line in shown() if line.startswith("make ")}))
def test_a_shown_target_is_in_the_makefile(line: str) -> None:
    target = shlex.split(line)[1]
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_links_to_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        there = (ROOT / name).parent / target
        assert target.startswith("http") or there.exists(), target


@pytest.mark.parametrize("arguments", [["palaver"], ["palaver", "daemon"], ["palaverd"]])
def test_what_a_command_does_is_listed_whole(arguments: list[str]) -> None:
    program, *rest = arguments
    listed = CliRunner().invoke(PROGRAMS[program], [*rest, "--help"], terminal_width=80).output
    _, commands, described = listed.partition("Commands:")
    assert commands
    assert not re.findall(r".*\.\.\.$", described, re.MULTILINE)
