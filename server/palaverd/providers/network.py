"""The proxies and certificates in force, for `palaver doctor`."""

from __future__ import annotations

from collections.abc import Mapping

from palaver.wire.setup import Named
from palaverd.providers.certificates import FILE, FOLDER, problem
from palaverd.providers.proxies import proxies_in


def network(environment: Mapping[str, str]) -> list[Named]:
    """Return the proxies and certificates of the environment, without passwords. Reads files."""
    found = []
    for proxy in proxies_in(environment).values():
        wrong = None if proxy.usable else "It must begin with http, https or socks5."
        found.append(Named(proxy.variable, proxy.shown, wrong))
    for name in ("no_proxy", "NO_PROXY"):
        if found and environment.get(name):
            found.append(Named(name, environment[name]))
            break
    for name in (FILE, FOLDER):
        if environment.get(name):
            value = environment[name]
            found.append(Named(name, value, problem({name: value})))
    return found
