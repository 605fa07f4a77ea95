"""Every benchmark runs, at a size too small to measure, so that none breaks unnoticed."""

from __future__ import annotations

import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import StaticPool

from bench import pages, processes
from bench.catalogue import BENCHMARKS
from bench.figures import Effort, combine
from bench.statements import query_plan, recorded
from bench.table import lines
from palaverd.store.listing import Cursor, list_chats
from palaverd.store.migrate import migrate
from palaverd.store.prompt import load_history
from palaverd.store.sync import load_changes, load_page
from support.forkserver import ForkedProcess, fork

TINY = Effort(0.01)


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork the processes of benchmarks: here their imports would take most of the time."""

    async def start(*arguments: str) -> ForkedProcess:
        return await fork(
            *arguments,
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL if arguments[0] == "palaverd" else sys.stderr.fileno(),
            environment=processes.environment(),
        )

    monkeypatch.setattr(processes, "start", start)


@pytest.mark.process
@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("name", BENCHMARKS)
async def test_a_benchmark_gives_figures_with_baselines(name: str) -> None:
    figures = await BENCHMARKS[name](TINY)
    assert figures
    assert all(figure.value > 0 and figure.baseline for figure in figures)
    assert len(list(lines(combine([figures])))) == len(figures) + 2


READS: dict[str, Callable[[Connection], object]] = {
    "first page": pages.first_page,
    "next page": lambda c: list_chats(c, pages.OWNER, limit=9, cursor=Cursor(9000, "chat-9")),
    "open": pages.open_chat("long"),
    "changes": lambda c: load_changes(c, "long", 0),
    "older messages": lambda c: load_page(c, "long", before_id=90),
    "newer messages": lambda c: load_page(c, "long", after_id=90),
    "prompt": lambda c: load_history(c, "long"),
}


@pytest.mark.parametrize("name", READS)
def test_a_read_for_a_client_uses_indexes(name: str) -> None:
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.begin() as connection:
        migrate(connection)
        pages.fill(connection, 20)
        pages.fill_chat(connection, "long", 100)
        with recorded() as statements:
            READS[name](connection)
        plans = [step for one in statements for step in query_plan(connection, one)]
    engine.dispose()
    assert plans
    assert not [step for step in plans if step.startswith("SCAN")]
