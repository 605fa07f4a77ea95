"""What is loaded once is not searched for garbage, and a process may end while it is loaded.

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


OFTEN = """
import gc
from palaver.garbage import search_less_often

def searches():
    found = []
    gc.callbacks.append(lambda phase, info: found.append(phase))
    kept = [[] for _ in range(20_000)]
    gc.callbacks.pop()
    return found.count("start")

often = searches()
search_less_often()
print(0 < 5 * searches() < often)
"""


def test_a_daemon_searches_less_often_than_other_programs() -> None:
    assert output_of(OFTEN) == "True\n"


LEAVING = """
import asyncio, atexit, threading
from palaverd.providers.lazy_client import in_thread
from palaverd.serve import leave_if_loading

async def load():
    loading = asyncio.ensure_future(in_thread({load}))
    await asyncio.wait({{loading}}, timeout={wait})
    loading.cancel()

atexit.register(print, "freed", flush=True)
asyncio.run(load())
while not {blocked} and threading.active_count() > 1:
    pass
leave_if_loading()
"""


@pytest.mark.parametrize("blocked", [True, False])
def test_a_process_that_still_loads_an_sdk_ends_without_freeing_what_it_uses(blocked: bool) -> None:
    load, wait = ("threading.Event().wait", "0") if blocked else ("bool", "None")
    script = LEAVING.format(load=load, wait=wait, blocked=blocked)
    assert output_of(script).split() == ([] if blocked else ["freed"])
