"""Instruction files and the facts of a turn: what is read, for whom, and how long it is kept."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from palaverd.chatstate.states import State
from palaverd.generation import surroundings as module
from palaverd.generation.instructions import (
    LONGEST,
    NAME,
    Instructions,
    read_branch,
    read_instructions,
)
from palaverd.generation.surroundings import KEPT_S, READ_S, SurroundingsReader
from palaverd.store.access import LOCAL_OWNER
from palaverd.store.rows import ChatRow
from support.clock import ManualClock, until
from support.store import memory_store, plant

DAY = date(2026, 3, 1)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with instructions at its root and in `a/b`, inside a directory with others."""
    write(tmp_path / NAME, "outside")
    write(tmp_path / "config" / NAME, "everywhere")
    root = tmp_path / "repo"
    write(root / ".git" / "HEAD", "ref: refs/heads/feature/x\n")
    write(root / NAME, "root")
    write(root / "a" / "b" / NAME, "inner")
    return root


def texts(found: tuple[Instructions, ...]) -> list[str]:
    return [one.text for one in found]


def test_files_are_read_from_the_configuration_and_up_to_the_root_of_the_repository(
    repository: Path,
) -> None:
    config = repository.parent / "config"
    found = read_instructions(config, repository / "a" / "b", local=True)
    assert texts(found) == ["everywhere", "root", "inner"]
    assert [one.path for one in found] == [
        str(config / NAME),
        str(repository / NAME),
        str(repository / "a" / "b" / NAME),
    ]
    assert texts(read_instructions(config, None, local=True)) == ["everywhere"]
    no_repository = repository.parent / "plain"
    write(no_repository / "deep" / NAME, "deep")
    assert texts(read_instructions(None, no_repository / "deep", local=True)) == ["deep"]


def test_another_owner_is_told_only_what_is_in_the_workspace(repository: Path) -> None:
    config = repository.parent / "config"
    inner = repository / "a" / "b"
    assert texts(read_instructions(config, inner, local=False)) == ["inner"]
    assert read_instructions(config, None, local=False) == ()
    assert read_branch(inner, local=False) is None
    assert read_branch(repository, local=False) == "feature/x"


def test_a_link_out_of_the_repository_is_not_followed(repository: Path) -> None:
    secret = write(repository.parent / "secret", "the key")
    (repository / "c").mkdir()
    (repository / "c" / NAME).symlink_to(secret)
    (repository / "d").mkdir()
    (repository / "d" / NAME).symlink_to("../a/b/AGENTS.md")
    assert texts(read_instructions(None, repository / "c", local=True)) == ["root"]
    assert texts(read_instructions(None, repository / "d", local=True)) == ["root", "inner"]
    config = repository.parent / "config"
    (config / NAME).unlink()
    (config / NAME).symlink_to(secret)  # the person's own
    assert texts(read_instructions(config, None, local=True)) == ["the key"]


def test_a_long_file_is_cut_with_a_mark_and_what_is_no_file_is_left_out(tmp_path: Path) -> None:
    write(tmp_path / NAME, "ä" * LONGEST)
    [found] = read_instructions(None, tmp_path, local=True)
    kept, _, mark = found.text.partition("\n\n")
    assert kept == "ä" * (LONGEST // 2)
    assert mark == f"[{LONGEST:,} bytes more are in {tmp_path / NAME}.]"
    (tmp_path / NAME).unlink()
    os.mkfifo(tmp_path / NAME)  # opening it would wait for a writer
    assert read_instructions(None, tmp_path, local=True) == ()
    (tmp_path / NAME).unlink()
    (tmp_path / NAME).mkdir()
    assert read_instructions(None, tmp_path, local=True) == ()


@pytest.mark.parametrize(
    ("head", "branch"),
    [
        ("ref: refs/heads/main\n", "main"),
        ("0123456789abcdef0123456789abcdef01234567\n", "none, at the commit 0123456789ab"),
        ("ref: refs/heads/a b\n", None),
        ("the key of somebody", None),
    ],
)
def test_the_branch_is_read_and_nothing_else(tmp_path: Path, head: str, branch: str | None) -> None:
    write(tmp_path / "main" / ".git" / "worktrees" / "w" / "HEAD", head)
    tree = tmp_path / "w"
    write(tree / ".git", "gitdir: ../main/.git/worktrees/w\n")
    write(tree / "src" / "x", "")
    assert read_branch(tree / "src", local=True) == branch
    assert read_branch(tree, local=False) is None


@cache
def a_row() -> ChatRow:
    with memory_store() as connection:
        return plant(connection, State.R0)


@pytest.fixture(autouse=True)
def _row() -> None:
    a_row()  # not within an event loop, which it would block


def chat(path: Path | None, turn: int = 1, chat_id: str = "c") -> ChatRow:
    place = None if path is None else str(path)
    changes = {"chat_id": chat_id, "owner": LOCAL_OWNER, "workspace_path": place}
    return replace(a_row(), turn_version=turn, **changes)


async def test_a_turn_is_told_the_same_and_the_next_one_what_is_new(repository: Path) -> None:
    clock = ManualClock()
    reader = SurroundingsReader(clock, repository.parent / "config")
    first = await reader.of(chat(repository), DAY)
    assert (first.today, first.branch, texts(first.instructions)) == (
        DAY,
        "feature/x",
        ["everywhere", "root"],
    )
    write(repository / NAME, "changed")
    write(repository / ".git" / "HEAD", "ref: refs/heads/main\n")
    clock.advance(KEPT_S)
    later = date(2026, 3, 2)
    assert await reader.of(chat(repository), later) is first
    second = await reader.of(chat(repository, turn=2), later)
    assert (second.today, second.branch) == (later, "main")
    assert texts(second.instructions) == ["everywhere", "changed"]
    assert (await reader.of(chat(repository / "a", turn=2), later)).instructions != ()


async def test_instructions_are_kept_for_five_minutes_and_the_branch_is_not(
    repository: Path,
) -> None:
    clock = ManualClock()
    reader = SurroundingsReader(clock)
    await reader.of(chat(repository), DAY)
    write(repository / NAME, "changed")
    write(repository / ".git" / "HEAD", "ref: refs/heads/main\n")
    clock.advance(KEPT_S - 1)
    found = await reader.of(chat(repository, chat_id="another"), DAY)
    assert (texts(found.instructions), found.branch) == (["root"], "main")
    clock.advance(1)
    found = await reader.of(chat(repository, chat_id="a third"), DAY)
    assert texts(found.instructions) == ["changed"]


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Let reading hang until the end of the test; yield what was asked for."""
    asked: list[str] = []
    end = threading.Event()

    def hang(_config: object, workspace: object, *, local: bool) -> tuple[Instructions, ...]:
        asked.append(f"{workspace} {local}")
        end.wait()
        return ()

    monkeypatch.setattr(module, "read_instructions", hang)
    yield asked
    end.set()


async def test_a_drive_that_hangs_delays_one_answer_by_five_seconds_and_holds_one_thread(
    tmp_path: Path, hanging: list[str]
) -> None:
    clock = ManualClock()
    reader = SurroundingsReader(clock)
    both = [
        asyncio.create_task(reader.of(chat(tmp_path, chat_id=name), DAY)) for name in ("a", "b")
    ]
    await until(lambda: hanging and clock.waits() == [READ_S])
    clock.advance(READ_S)
    assert [one.instructions for one in await asyncio.gather(*both)] == [(), ()]
    assert hanging == [f"{tmp_path} True"]
