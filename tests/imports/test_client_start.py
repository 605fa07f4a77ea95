"""What the client has loaded when its first frame is on the screen: nothing that no frame shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fresh import output_of

pytestmark = pytest.mark.process

START = """
import asyncio, sys
from pathlib import Path
from palaver.cli.interface import find_interface
from palaver.cli.options import OPTIONS, settings_of

assert not settings_of(**dict.fromkeys(OPTIONS) | {"data_dir": sys.argv[1]}).remote
find_interface()
from palaver_tui.app import PalaverApp

def dataclasses_of(name):
    types = [each for each in vars(sys.modules[name]).values() if isinstance(each, type)]
    own = [each for each in types if each.__module__ == name]
    return [each.__name__ for each in own if "__dataclass_fields__" in vars(each)]

class Client(PalaverApp):
    def _first_drawn(self):
        loaded = list(sys.modules)
        print(*loaded)
        ours = [name for name in loaded if name.partition(".")[0] in ("palaver", "palaver_tui")]
        print(*(found for name in ours for found in dataclasses_of(name)))
        self.exit(0)

async def connect():
    raise AssertionError("connected before the first frame")

async def main():
    async with app.run_test(size=(100, 30)):
        pass

app = Client(connect, data_dir=Path(sys.argv[1]))
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
    "palaver_tui.text.document": "for the first message",
    "palaver_tui.text.markdown": "for the first message",
    "palaver_tui.transcript.viewport": "for the first message",
    "palaver_tui.widgets.transcript": "for the first message",
    "palaver_tui.widgets.dialogs": "for the first dialog",
    "markdown_it": "for the first message",
    "pygments": "for the first code",
    "PIL": "for the first picture",
    "importlib.metadata": "for an interface of others",
    "h2": "for ssh",
    "keyring": "for tokens",
}


# A struct takes 0.01 ms to define, a dataclass 0.5 ms, in which its methods are compiled.
DATACLASSES = {
    "Context": "fields that it sets itself",
    "Endpoint": "a token that is not printed",
    "Settings": "`--help` loads no msgspec",
    "SetupTools": "an environment that is not printed",
}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The modules that are loaded at the first frame, and our dataclasses in them."""
    folder: Path = tmp_path_factory.mktemp("start")
    return output_of(START, str(folder)).splitlines()


@pytest.fixture
def loaded(output: list[str]) -> set[str]:
    """The modules that are loaded at the first frame."""
    return set(output[0].split())


def test_the_first_frame_has_its_widgets(loaded: set[str]) -> None:
    assert {"palaver_tui.widgets.chat_list", "palaver_tui.widgets.composer"} <= loaded


@pytest.mark.parametrize("module", LATER)
def test_the_first_frame_waits_for_nothing_that_it_does_not_show(
    loaded: set[str], module: str
) -> None:
    assert not {name for name in loaded if name == module or name.startswith(f"{module}.")}


def test_types_of_the_first_frame_are_cheap_to_define(output: list[str]) -> None:
    assert set(output[1].split()) == DATACLASSES.keys()
