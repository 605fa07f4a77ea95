"""The metrics in Prometheus' text format, from a registry of the daemon's own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from math import inf
from typing import TYPE_CHECKING, Final

from aiohttp import web

from palaver import __version__
from palaverd.api.connections import CONNECTIONS
from palaverd.api.open_sockets import SOCKETS
from palaverd.api.routes import Routes
from palaverd.api.services import SERVICES
from palaverd.metrics import Counts, Metrics, Spread, Spreads
from palaverd.usecases.lookups import count_chats

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

routes = Routes()

# Every status is listed from the start.
STATUSES: Final = ("waiting", "running", "interrupting", "requires_action", "error", "archived")


@routes.get("/metrics", scope="read", media="text/plain")
async def get_metrics(request: web.Request) -> web.Response:
    """Return all metrics: numbers of the whole daemon, of all owners, without any texts."""
    services = request.app[SERVICES]
    chats = dict.fromkeys(STATUSES, 0)
    for (status, archived), number in (await count_chats(services.context)).items():
        chats["archived" if archived else status] += number
    connections = request.app[CONNECTIONS]
    now: dict[str, tuple[str, float]] = {
        "subscribers": ("WebSockets that are open.", len(request.app[SOCKETS])),
        "connections": ("Connections that are open.", len(connections)),
        "unsent_bytes": ("Bytes that clients did not take yet.", connections.unsent),
        "working_chats": ("Chats that this daemon works on.", services.working()),
        "episode_bytes": ("Bytes of live output that are held.", services.episodes.size),
    }
    # Its import takes a moment, and few daemons are asked for this.
    text, content_type = await asyncio.to_thread(_written, services.metrics, chats, now)
    return web.Response(body=text, headers={"Content-Type": content_type})


def _written(
    metrics: Metrics, chats: dict[str, int], now: dict[str, tuple[str, float]]
) -> tuple[bytes, str]:
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
    from prometheus_client.registry import Collector

    class Measures(Collector):
        def collect(self) -> Iterable[Metric]:
            return _families(metrics, chats, now)

    registry = CollectorRegistry()
    registry.register(Measures())
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _families(
    metrics: Metrics, chats: dict[str, int], now: dict[str, tuple[str, float]]
) -> Iterator[Metric]:
    from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily

    yield InfoMetricFamily("palaver", "The program.", value={"version": __version__})
    by_status = GaugeMetricFamily("palaver_chats", "Chats by status.", labels=["status"])
    for status, number in chats.items():
        by_status.add_metric([status], number)
    yield by_status
    for name, (about, value) in now.items():
        yield GaugeMetricFamily(f"palaver_{name}", about, value=value)
    yield _counter("attempts", "Model calls that were begun.", metrics.attempts)
    yield _counter("failures", "Model calls that failed, by kind of failure.", metrics.failures)
    yield _counter("leases_lost", "Chats whose lease may have run out.", metrics.leases_lost)
    yield _histogram(
        "first_token_seconds",
        "From the beginning of a model call to its first output.",
        metrics.first_token,
    )
    yield _histogram(
        "added_latency_seconds",
        "From a piece of an answer, read, to its being handed to all who wait for it.",
        metrics.added,
    )
    yield _histogram(
        "transition_seconds", "A transaction of a chat, from its asking on.", metrics.transitions
    )


def _counter(name: str, about: str, counts: Counts) -> Metric:
    from prometheus_client.metrics_core import CounterMetricFamily

    family = CounterMetricFamily(f"palaver_{name}", about, labels=counts.labels)
    for labels, value in dict(counts.values).items():
        family.add_metric(labels, value)
    if not (counts.labels or counts.values):
        family.add_metric((), 0)  # a counter without labels is listed from the start
    return family


def _histogram(name: str, about: str, spreads: Spreads | Spread) -> Metric:
    from prometheus_client.metrics_core import HistogramMetricFamily

    labels = spreads.labels if isinstance(spreads, Spreads) else ()
    values = dict(spreads.values) if isinstance(spreads, Spreads) else {(): spreads}
    family = HistogramMetricFamily(f"palaver_{name}", about, labels=labels)
    for key, spread in values.items():
        buckets, below = [], 0
        for bound, count in zip((*spread.bounds, inf), spread.counts, strict=True):
            below += count
            buckets.append(("+Inf" if bound == inf else str(bound), below))
        family.add_metric(key, buckets, spread.total)
    return family
