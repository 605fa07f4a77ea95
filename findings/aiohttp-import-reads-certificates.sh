#!/usr/bin/env bash
# Importing aiohttp's client reads all certificate authorities of the system, twice.
#
# Seen with aiohttp 3.14.5 and Python 3.11.
#
# One would guess: certificates are read when a session first needs TLS, so that a program that talks
# to a Unix socket, or in plain text, never reads them.
# What happens: `import aiohttp` makes two SSL contexts for connectors that are given none, one that
# verifies and one that does not, and both read the system's authorities: tens of milliseconds of a
# command that may take a hundred.
#
# What follows: give each connector an SSL context (`TCPConnector(ssl=...)`); and import the client
# where it is used, not at the top of a command.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiohttp==3.14.5
cat > "$work/probe.py" <<'PY'
import ssl

reads = 0
load = ssl.SSLContext.set_default_verify_paths


def counted(context: ssl.SSLContext) -> None:
    global reads
    reads += 1
    load(context)


ssl.SSLContext.set_default_verify_paths = counted
import aiohttp  # noqa: E402

print(f"after the import: {reads}")
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
after the import: 2
SEEN
