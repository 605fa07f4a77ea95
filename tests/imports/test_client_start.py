"""What the client has loaded when its first frame is on the screen: nothing that no frame shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fresh import output_of

pytestmark = pytest.mark.process

# `connect` is called when the first frame has been drawn.
START = """
import asyncio, sys
from pathlib import Path
from palaver.cli.interface import find_interface

find_interface()
from palaver_tui.app import PalaverApp

async def connect():
    print(*sys.modules)
    app.exit(0)
    await asyncio.Future()

async def main():
    async with app.run_test(size=(100, 30)):
        pass

app = PalaverApp(connect, data_dir=Path(sys.argv[1]))
asyncio.run(asyncio.wait_for(main(), 60))
"""
# What is loaded later, and when.
LATER = {
    "aiohttp": "to connect",
    "palaver.launch": "to connect",
    "palaver.remote": "for a daemon that is named",
    "palaver.servers": "to find model servers",
    "palaver.setup": "to find model servers",
    "palaver_tui.actions.table": "for the first action",
    "palaver_tui.state.setup_help": "if no model can be used",
    "palaver_tui.widgets.dialogs": "for the first dialog",
    "markdown_it": "for the first message",
    "pygments": "for the first code",
    "PIL": "for the first picture",
    "importlib.metadata": "for an interface of others",
    "h2": "for ssh",
    "keyring": "for tokens",
}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules that are loaded at the first frame."""
    folder: Path = tmp_path_factory.mktemp("start")
    return set(output_of(START, str(folder)).split())


def test_the_first_frame_has_its_widgets(loaded: set[str]) -> None:
    assert {"palaver_tui.widgets.chat_list", "palaver_tui.widgets.composer"} <= loaded


@pytest.mark.parametrize("module", LATER)
def test_the_first_frame_waits_for_nothing_that_it_does_not_show(
    loaded: set[str], module: str
) -> None:
    assert not {name for name in loaded if name == module or name.startswith(f"{module}.")}
