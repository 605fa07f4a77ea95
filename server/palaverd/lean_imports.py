"""Imports of the SDKs' clients without the rest of their APIs, and of aiohttp's server alone.

With its client, each SDK imports everything that its API has. For `anthropic` 2.11 these are 3,000
modules, which take 0.8 s of CPU time and 48 MB; a call uses 90 of them. Here the rest is imported
when it is first used:

- the `__init__` of a package that only collects what its modules have, when a name of it is looked
  up;
- a module of functions that a call does not use, when one of its functions is called.

Whoever imports an SDK sees its documented names. `SDKS` says where these are in the versions that
were tried. If another version has them elsewhere, its own `__init__` finds them; if it does not
work at all in this way, it is imported whole. Both cost time and memory, and no more.
"""

from __future__ import annotations

import importlib
import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec
import structlog

if TYPE_CHECKING:  # it imports the resources of packages, which takes a millisecond
    from importlib.abc import Loader

log = structlog.get_logger("palaverd.providers")

T = TypeVar("T")


class Lean(msgspec.Struct, frozen=True):
    """What is needed of an SDK, and what is imported later.

    Args:
        names: documented names, and the module that each is from.
        collections: packages whose `__init__` only collects names, as do packages within them.
        functions: modules of which others import functions alone.
        errors: that one of them which is used when a request is refused.
    """

    names: Mapping[str, str]
    collections: frozenset[str]
    functions: frozenset[str] = frozenset()
    errors: str | None = None


_COLLECTIONS = frozenset({"lib", "resources", "types"})

SDKS: Mapping[str, Lean] = {
    "anthropic": Lean(
        {
            "Anthropic": "_client",
            "AsyncAnthropic": "_client",
            "AsyncStream": "_streaming",
            "Omit": "_types",
            "Stream": "_streaming",
        },
        _COLLECTIONS,
        # A class for each error of the API, and spans for OpenTelemetry, which are switched off.
        frozenset({"_error_classes"})
        | {f"lib._tracing.{name}" for name in ("_api_call", "_streaming", "_tools", "_work")}
        | {"lib._tracing._utils"},
        "_error_classes",
    ),
    "openai": Lean(
        {
            "AsyncOpenAI": "_client",
            "AsyncStream": "_streaming",
            "Omit": "_types",
            "OpenAI": "_client",
            "Stream": "_streaming",
        },
        _COLLECTIONS,
    ),
    # Its client is imported with that of a provider (`lean_libraries.import_client`).
    "aiohttp": Lean(
        {"ClientConnectionResetError": "client_exceptions", "WSMsgType": "http"},
        frozenset(),
        # Responses that are files: it reads the types of files that the system knows.
        frozenset({"web_fileresponse"}),
    ),
    # httpx2's own transports, with HTTP/2: for calls through a proxy.
    "httpcore2": Lean({"default_ssl_context": "_ssl"}, frozenset()),
}

_VERSION = re.compile(r'^__version__ = "([^"\n]+)"$', re.MULTILINE)
# One at a time: a module is executed once.
_executing = threading.RLock()


def with_sdk(sdk: str, make: Callable[[], T]) -> T:
    """Return what `make` returns, which imports `sdk` and uses it once.

    If it cannot use what was imported, it is called again with the whole SDK. One at a time: call
    it in `all_or_nothing()`.

    Raises:
        Exception: what `make` raises.
    """
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    try:
        made = make()
    except (ImportError, AttributeError, TypeError) as error:
        if sdk in _finder.whole or sdk in _finder.used:
            raise
        _finder.whole.add(sdk)
        _forget(sdk)
        try:
            made = make()
        except BaseException:
            _finder.whole.discard(sdk)  # the whole SDK was not what it lacked
            _forget(sdk)
            raise
        log.warning("imported whole", sdk=sdk, error=repr(error))
    _finder.used.add(sdk)
    return made


def import_errors(sdk: str) -> None:
    """Import what an SDK needs to report that a request was refused."""
    errors = SDKS[sdk].errors
    module = sys.modules.get(f"{sdk}.{errors}")
    if isinstance(module, _Functions):
        _execute(module)


def _forget(sdk: str) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == sdk]:
        del sys.modules[name]
    importlib.invalidate_caches()


class _Later(ModuleType):
    """A module whose code is executed later."""


def _execute(module: ModuleType) -> None:
    """Make it a module like any other. If its code raises, the next call tries again."""
    with _executing:
        kind, spec = type(module), module.__spec__
        if not issubclass(kind, _Later):
            return  # it was executed already
        assert spec is not None
        assert isinstance(spec.loader, _LaterLoader)
        module.__class__ = ModuleType  # for its own code too
        try:
            spec.loader.own.exec_module(module)
        except BaseException:
            module.__class__ = kind
            raise


def _version_of(module: _Later) -> str:
    """Return the version that a package names in its source. Raises `AttributeError`."""
    spec = module.__spec__
    assert spec is not None
    assert isinstance(spec.loader, _LaterLoader)
    source = getattr(spec.loader.own, "get_source", lambda _name: None)(module.__name__)
    found = _VERSION.search(source or "")
    if found is None:
        raise AttributeError("__version__")
    return found[1]


class _Collection(_Later):
    """A package whose `__init__` is executed for a name that is none of its modules'."""

    def __getattr__(self, name: str) -> Any:
        """Return what `__init__` would have under a name."""
        if name == "__version__":
            return _version_of(self)
        if name.startswith("__"):
            raise AttributeError(name)
        lean = SDKS.get(self.__name__)
        if lean is not None and name in lean.names:
            home = f"{self.__name__}.{lean.names[name]}"
            found = getattr(importlib.import_module(home), name, None) if find_spec(home) else None
            if found is not None:
                return found
        module = f"{self.__name__}.{name}"
        if find_spec(module) is not None:
            return importlib.import_module(module)
        _execute(self)
        return getattr(self, name)


class _Functions(_Later):
    """A module of functions, which is executed when one is called."""

    def __getattr__(self, name: str) -> Any:
        """Return a function that calls the module's."""
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*args: Any, **kwargs: Any) -> Any:
            _execute(self)
            return getattr(self, name)(*args, **kwargs)

        return call


class _LaterLoader:
    """Creates a module of `kind`, and leaves its code to `own`."""

    def __init__(self, own: Loader, kind: type[_Later]) -> None:
        self.own = own
        self._kind = kind

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return an empty module."""
        return self._kind(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing yet."""


class _Finder:
    """Finds the modules of the SDKs that are imported later."""

    def __init__(self) -> None:
        self.whole: set[str] = set()  # SDKs that are imported whole
        self.used: set[str] = set()  # SDKs of which a client was made

    def find_spec(
        self, name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec whose code is executed later; None for other modules."""
        sdk, _, module = name.partition(".")
        lean = SDKS.get(sdk)
        if lean is None or sdk in self.whole:
            return None
        kind: type[_Later] = _Functions if module in lean.functions else _Collection
        collection = not module or module.partition(".")[0] in lean.collections
        if kind is _Collection and not collection:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return spec
        if kind is _Functions or spec.submodule_search_locations is not None:
            spec.loader = cast("Loader", _LaterLoader(spec.loader, kind))
        return spec


_finder = _Finder()
