"""Of an SDK only what a call uses is imported, and whoever uses more of it notices nothing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from palaverd import lean_imports
from palaverd.config.types import ProviderKind
from palaverd.lean_imports import Lean, import_errors, with_sdk
from support.fresh import output_of

# A package like the SDKs, of which a call uses `Client` alone.
FILES = {
    "__init__.py": "from .client import Client\nfrom .types import Pet, VETS\nMORE = 1\n",
    "client.py": "from .errors import failed\nclass Client: fail = staticmethod(failed)\n",
    "errors.py": "from .types.pet import Pet\nONCE = []\ndef failed(): return Pet\n",
    "types/__init__.py": "from .pet import Pet\nfrom .vet import VETS\n",
    "types/pet.py": "class Pet: pass\n",
    "types/vet.py": "VETS = []\n",
}
SDK = "sdkx"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the package, whose files may still be changed."""
    for name, text in FILES.items():
        path = tmp_path / SDK / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    plan(monkeypatch)
    yield tmp_path / SDK
    lean_imports._forget(SDK)
    for kept in (lean_imports._finder.used, lean_imports._finder.whole):
        kept.discard(SDK)


def plan(monkeypatch: pytest.MonkeyPatch, home: str = "client") -> None:
    lean = Lean({"Client": home}, frozenset({"types"}), frozenset({"errors"}), "errors")
    monkeypatch.setattr(lean_imports, "SDKS", {SDK: lean})


def make() -> object:
    """Import the package and use it as documented."""
    return importlib.import_module(SDK).Client()


def imported() -> set[str]:
    """Return the modules of the package whose code was executed."""
    return {
        name.removeprefix(f"{SDK}.")
        for name, module in sys.modules.items()
        if name.partition(".")[0] == SDK and not isinstance(module, lean_imports._Later)
    }


def test_only_what_is_used_is_imported(folder: Path) -> None:
    with_sdk(SDK, make)
    assert imported() == {"client"}


def test_a_function_imports_its_module_when_it_is_called(folder: Path) -> None:
    client = with_sdk(SDK, make)
    pet = client.fail()  # type: ignore[attr-defined]
    assert imported() == {"client", "errors", "types.pet"}
    once = sys.modules[f"{SDK}.errors"].ONCE
    assert client.fail() is pet  # type: ignore[attr-defined]
    assert sys.modules[f"{SDK}.errors"].ONCE is once
    assert sys.modules[f"{SDK}.types.pet"].Pet is pet


def test_errors_can_be_imported_before_they_are_used(folder: Path) -> None:
    with_sdk(SDK, make)
    import_errors(SDK)
    import_errors(SDK)
    assert imported() == {"client", "errors", "types.pet"}


def test_whoever_uses_more_of_it_finds_all(folder: Path) -> None:
    client = with_sdk(SDK, make)
    sdk = importlib.import_module(SDK)
    assert sdk.types.VETS is sdk.VETS
    assert sdk.MORE == 1
    assert client.fail() is sdk.Pet  # type: ignore[attr-defined]
    assert type(client) is sdk.Client
    with pytest.raises(AttributeError, match="NOTHING"):
        _ = sdk.NOTHING


def test_a_name_that_has_moved_is_found_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(monkeypatch, home="gone")
    with capture_logs() as logs:
        assert type(with_sdk(SDK, make)).__name__ == "Client"
    assert not logs
    assert "types.vet" in imported()


@pytest.mark.parametrize(("line", "whole"), [('__version__ = "1.2"\n', False), ("", True)])
def test_the_version_is_that_of_the_source_without_its_execution(
    folder: Path, line: str, whole: bool
) -> None:
    """A version that is made otherwise is found by importing it whole."""
    init, client = folder / "__init__.py", folder / "client.py"
    init.write_text(line or '__version__ = "1" + ".2"\n' + init.read_text())
    client.write_text("from . import __version__\nclass Client: version = __version__\n")
    assert with_sdk(SDK, make).version == "1.2"  # type: ignore[attr-defined]
    assert ("types.vet" in imported()) == whole


def test_a_module_that_is_used_otherwise_than_expected_is_imported_whole(folder: Path) -> None:
    (folder / "errors.py").write_text("class Failed: pass\nfailed = Failed\n")
    (folder / "client.py").write_text("from .errors import failed\nclass Client(failed): pass\n")
    with capture_logs() as logs:
        client = with_sdk(SDK, make)
    assert type(client).__mro__[1].__name__ == "Failed"
    assert [line["event"] for line in logs] == ["imported whole"]
    assert imported() >= {"types", "types.vet", "errors"}


def test_what_the_whole_lacks_too_is_reported_and_the_next_time_little_is_imported(
    folder: Path,
) -> None:
    written = (folder / "client.py").read_text()
    (folder / "client.py").write_text("import sdkx_lacks")
    with pytest.raises(ModuleNotFoundError, match="sdkx_lacks"):
        with_sdk(SDK, make)
    (folder / "client.py").write_text(written)
    importlib.invalidate_caches()
    with_sdk(SDK, make)
    assert imported() == {"client"}


def test_a_module_that_failed_is_executed_again(folder: Path) -> None:
    client = with_sdk(SDK, make)
    written = (folder / "errors.py").read_text()
    (folder / "errors.py").write_text("1 / 0")
    with pytest.raises(ZeroDivisionError):
        client.fail()  # type: ignore[attr-defined]
    (folder / "errors.py").write_text(written + "# longer than it was\n")
    assert client.fail() is sys.modules[f"{SDK}.types.pet"].Pet  # type: ignore[attr-defined]


# In processes of their own: other tests import the SDKs whole.
WARMED_UP = """
import asyncio, sys
from palaver.clock import SystemClock
from palaverd.config.types import ProviderConfig
from palaverd.providers.build import make_provider

config = ProviderConfig(kind=sys.argv[1], base_url="http://127.0.0.1:9")
provider = make_provider("acme", config, api_key="k", key_hint="", clock=SystemClock())
asyncio.run(provider.warm_up())
print(*sys.modules)
"""
PLACES = """
import importlib, sys
from palaverd.lean_imports import SDKS

for sdk, lean in SDKS.items():
    whole = importlib.import_module(sdk)
    for name, home in lean.names.items():
        assert getattr(importlib.import_module(f"{sdk}.{home}"), name) is getattr(whole, name), name
    for module in lean.functions:
        importlib.import_module(f"{sdk}.{module}")
    assert lean.errors is None or lean.errors in lean.functions
"""


@pytest.mark.process
@pytest.mark.parametrize("kind", ["anthropic", "openai", "openai-compatible"])
def test_no_types_of_an_sdk_are_imported_before_they_are_used(kind: ProviderKind) -> None:
    loaded = output_of(WARMED_UP, kind).split()
    of_sdks = [name for name in loaded if name.partition(".")[0] in {"anthropic", "openai"}]
    assert {name.partition(".")[0] for name in of_sdks} == {kind.partition("-")[0]}
    assert 20 < len(of_sdks) < 80
    assert not [name for name in of_sdks if ".resources." in name or ".types.beta" in name]
    assert not {"h2", "httpcore2._async"} & set(loaded)


@pytest.mark.process
def test_every_name_is_where_the_table_says() -> None:
    assert output_of(PLACES) == ""
