"""A model is unavailable without an API key where its protocol needs one."""

from __future__ import annotations

from typing import get_args

import pytest

from palaver.clock import SystemClock
from palaverd.active_config import ActiveConfig
from palaverd.config.load import parse_config
from palaverd.config.source import Loaded
from palaverd.config.types import ProviderKind
from palaverd.providers.build import make_provider

CONFIG = """
[providers.acme]
kind = "{kind}"
[models.one]
provider = "acme"
model = "m"
"""


@pytest.mark.parametrize("kind", get_args(ProviderKind))
@pytest.mark.parametrize("needs_key", [True, False])
def test_the_protocols_class_decides_whether_a_key_is_missing(
    kind: ProviderKind, needs_key: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, config = SystemClock(), parse_config(CONFIG.format(kind=kind), "config.toml")
    acme = config.providers["acme"]
    made = make_provider("acme", acme, api_key=None, key_hint="", clock=clock)
    monkeypatch.setattr(type(made), "needs_key", needs_key)
    active = ActiveConfig(Loaded(config, {}), clock, source=None, changed=lambda _: None)
    (model,) = active.catalog.models()
    assert (model.unavailable is not None) == needs_key
    if model.unavailable is not None:
        assert model.unavailable.kind == "missing_key"
