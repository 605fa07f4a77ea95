"""What is loaded once is kept out of the searches for garbage, and nothing else is.

In processes of their own: what is kept out here would be kept out for every later test.
"""

from __future__ import annotations

import pytest

from support.fresh import output_of

pytestmark = pytest.mark.process

LOADING = """
import gc
from palaver.garbage import loading

def load(module):
    frozen = gc.get_freeze_count()
    with loading():
        searching = gc.isenabled()
        __import__(module)
    print(searching, gc.isenabled(), gc.get_freeze_count() - frozen > 1000)

load("html.parser")
load("html.parser")
gc.disable()
load("xml.dom.minidom")
"""
# Of the daemon, with an SDK.
SERVING = """
import asyncio, gc
import palaverd.serve
from palaver.clock import SystemClock
from palaverd.config.types import ProviderConfig
from palaver.garbage import keep_loaded
from palaverd.providers.build import make_provider

keep_loaded()
provider = make_provider(
    "acme", ProviderConfig(kind="openai"), api_key="k" * 20, key_hint="", clock=SystemClock()
)
asyncio.run(provider.warm_up())
print(len(gc.get_objects()) < 0.1 * gc.get_freeze_count())
"""


def test_only_what_is_loaded_is_kept_out_and_searching_is_on_again_if_it_was() -> None:
    first, again, off = "False True True", "False True False", "False False True"
    assert output_of(LOADING).splitlines() == [first, again, off]


def test_nine_of_ten_objects_of_a_daemon_are_kept_out() -> None:
    assert output_of(SERVING) == "True\n"
