"""The metrics, read by Prometheus' own parser after real traffic."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import aclosing

import aiohttp
import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from palaver.wire.chats import CreateChat, SendMessage
from palaver.wire.events import CaughtUp, MessagePartEvent
from palaver.wire.queue import ChangeChat
from palaverd.api.readiness import REMEMBERED_S
from palaverd.chatstate.table import Transition
from palaverd.daemon import Daemon
from palaverd.metrics import MOST_LABELS, OTHER, Counts, Spread, Spreads
from palaverd.store.database import DatabaseError
from server.test_one_answer import follow
from support.chats import reaches
from support.clock import ManualClock, until
from support.daemon import running_pair

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def asked(daemon: Daemon, path: str) -> tuple[int, str, str]:
    connector = aiohttp.UnixConnector(str(daemon.socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(f"http://localhost{path}") as response,
    ):
        return response.status, response.headers["Content-Type"], await response.text()


async def scraped(daemon: Daemon) -> Series:
    status, kind, text = await asked(daemon, "/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(series: Series, name: str, **labels: str) -> float:
    return series[name, tuple(sorted(labels.items()))]


async def test_an_answer_is_counted_wherever_it_passes() -> None:
    async with running_pair() as (daemon, client, _):
        before = await scraped(daemon)
        assert value(before, "palaver_chats", status="waiting") == 0
        assert value(before, "palaver_leases_lost_total") == 0
        for _ in range(3):
            sent = await client.create_chat(CreateChat(content="[[echo]] one two three"))
            await follow(client, sent.chat.id)
        bad = await client.create_chat(CreateChat(content="[[401]] hello"))
        await reaches(client, bad.chat.id, "error")
        await client.change_chat(sent.chat.id, ChangeChat(archived=True))
        after = await scraped(daemon)
    assert value(after, "palaver_chats", status="waiting") == 2
    assert value(after, "palaver_chats", status="archived") == 1
    assert value(after, "palaver_chats", status="error") == 1
    assert value(after, "palaver_attempts_total", provider="anthropic") == 4
    assert value(after, "palaver_failures_total", provider="anthropic", kind="auth") == 1
    assert value(after, "palaver_first_token_seconds_count", provider="anthropic") == 3
    assert value(after, "palaver_transition_seconds_count", transition="commit_response") == 3
    assert value(after, "palaver_transition_seconds_count", transition="archive") == 1
    buckets = [
        (float(dict(labels)["le"]), number)
        for (name, labels), number in after.items()
        if name == "palaver_first_token_seconds_bucket"
    ]
    assert sorted(buckets) == sorted(buckets, key=lambda bucket: bucket[1])  # cumulative
    assert max(buckets)[1] == 3


async def test_the_way_of_live_output_through_the_daemon_is_timed() -> None:
    """Only for a subscriber that watches meanwhile: an answer that ended before has no latency."""
    async with running_pair(rate=20) as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] one"))
        async with aclosing(client.stream(sent.chat.id)) as stream:
            async for batch in stream:
                if any(isinstance(item, CaughtUp) for item in batch):
                    break
            await client.send(sent.chat.id, SendMessage(content="[[echo]] " + "word " * 20))
            async for batch in stream:
                if any(isinstance(item, MessagePartEvent) for item in batch):
                    break
            series = await scraped(daemon)
    assert value(series, "palaver_added_latency_seconds_count") >= 1


async def test_what_is_there_now_is_a_number_of_now() -> None:
    async with running_pair() as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[silence]] hello"))
        async with aclosing(client.stream(sent.chat.id)) as stream:
            async for batch in stream:
                if any(isinstance(item, CaughtUp) for item in batch):
                    break
            await until(lambda: daemon.episodes.size > 0)
            series = await scraped(daemon)
            assert value(series, "palaver_subscribers") == 1
            assert value(series, "palaver_working_chats") == 1
            assert value(series, "palaver_episode_bytes") > 0
            assert value(series, "palaver_connections") >= 2
        await until(lambda: len(daemon.sockets) == 0)
        assert value(await scraped(daemon), "palaver_subscribers") == 0


async def test_two_daemons_of_one_process_count_for_themselves() -> None:
    async with running_pair() as (one, client, _), running_pair() as (other, _, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] hi"))
        await follow(client, sent.chat.id)
        assert ("palaver_attempts_total", (("provider", "anthropic"),)) in await scraped(one)
        assert ("palaver_attempts_total", (("provider", "anthropic"),)) not in await scraped(other)
    assert not any(metric.name.startswith("palaver") for metric in REGISTRY.collect())


async def test_nothing_that_a_person_said_is_a_label() -> None:
    async with running_pair() as (daemon, client, _):
        sent = await client.create_chat(CreateChat(content="[[echo]] canary", title="canary"))
        await follow(client, sent.chat.id)
        _, _, text = await asked(daemon, "/metrics")
        assert "canary" not in text
        assert sent.chat.id not in text
        labels = {name for key in await scraped(daemon) for name, _ in key[1]}
        assert labels <= {"status", "provider", "kind", "transition", "le", "version"}


def test_labels_are_bounded() -> None:
    counts, spreads = Counts("provider"), Spreads((1.0,), "provider")
    for number in range(MOST_LABELS + 50):
        counts.add(f"p{number}")
        spreads.add(0.5, f"p{number}")
    for values in (counts.values, spreads.values):
        assert isinstance(values, Mapping)
        assert len(values) == MOST_LABELS + 1
    assert counts.values[OTHER,] == 50
    counts.add("p0")
    assert counts.values["p0",] == 2
    assert len(Transition) + 1 < MOST_LABELS


@pytest.mark.parametrize(
    ("said", "counts"), [(0.05, [1, 0, 0]), (0.1, [1, 0, 0]), (0.5, [0, 1, 0]), (7.0, [0, 0, 1])]
)
def test_a_value_is_in_the_bucket_whose_bound_it_does_not_pass(
    said: float, counts: list[int]
) -> None:
    spread = Spread((0.1, 1.0))
    spread.add(said)
    assert (spread.counts, spread.total) == (counts, said)


# --- readiness ------------------------------------------------------------------------------


async def test_a_daemon_is_ready_while_its_database_answers() -> None:
    clock = ManualClock()
    async with running_pair(clock=clock) as (daemon, _, _):
        assert (await asked(daemon, "/readyz"))[0] == 200

        async def fails(_: object) -> None:
            raise DatabaseError("The disk is on fire at /srv/secret.")

        read, daemon.database.read = daemon.database.read, fails  # type: ignore[method-assign, assignment]
        assert (await asked(daemon, "/readyz"))[0] == 200  # it responded a moment ago
        clock.advance(REMEMBERED_S)
        status, kind, text = await asked(daemon, "/readyz")
        assert (status, kind) == (503, "application/problem+json")
        assert "The database does not answer." in text
        assert "secret" not in text
        daemon.database.read = read  # type: ignore[method-assign]
        clock.advance(REMEMBERED_S)
        assert (await asked(daemon, "/readyz"))[0] == 200
        await daemon.database.write(lambda c: set_version(c, "0001"))
        clock.advance(REMEMBERED_S)
        status, _, text = await asked(daemon, "/readyz")
        assert status == 503
        assert "not of this version" in text


def set_version(connection, version: str) -> None:  # type: ignore[no-untyped-def]
    from sqlalchemy import text

    connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})


async def test_many_who_ask_at_once_cost_one_look_at_the_database() -> None:
    async with running_pair(clock=ManualClock()) as (daemon, _, _):
        reads = 0
        go_on = asyncio.Event()
        read = daemon.database.read

        async def counted(work):  # type: ignore[no-untyped-def]
            nonlocal reads
            reads += 1
            await go_on.wait()
            return await read(work)

        daemon.database.read = counted  # type: ignore[method-assign]
        asking = [asyncio.ensure_future(asked(daemon, "/readyz")) for _ in range(20)]
        await until(lambda: daemon.connections.working == 20)
        go_on.set()
        assert {answer[0] for answer in await asyncio.gather(*asking)} == {200}
        assert reads == 1


async def test_a_daemon_that_stops_says_so_to_a_connection_that_it_still_has() -> None:
    async with running_pair(clock=ManualClock()) as (daemon, _, _):
        with socket.socket(socket.AF_UNIX) as kept:
            kept.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(kept, str(daemon.socket))
            request = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
            await loop.sock_sendall(kept, request)
            assert b" 200 " in await loop.sock_recv(kept, 4096)
            daemon._readiness.stop()  # the first step of `stop`
            await loop.sock_sendall(kept, request)
            said = await loop.sock_recv(kept, 4096)
            assert b" 503 " in said
            assert b"The daemon is stopping." in said
