from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from palaverd.providers.neutral import Provider
from palaverd.simulator import Simulator
from providers.calling import KINDS, Kind, made


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(rate=0) as running:
        yield running


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
async def provider(kind: Kind, simulator: Simulator) -> AsyncIterator[Provider]:
    async with made(kind, simulator.url) as ready:
        yield ready
