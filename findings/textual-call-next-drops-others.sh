#!/usr/bin/env bash
# In Textual, an error in one `call_next` callback drops the callbacks that were given with it.
#
# Seen with textual 8.2.8 and Python 3.11.
#
# One would guess: a program that handles errors itself (by its own `_handle_exception`) loses the
# callback that failed, and the others run.
# What happens: the message pump takes its list of callbacks, empties it, and calls them in one
# `try`: those behind the one that failed are never called, and nobody is told of them.
#
# What follows: what must happen is not left to `call_next` beside callbacks that may fail; or each
# callback handles its own errors.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check textual==8.2.8
cat > "$work/probe.py" <<'PY'
import asyncio

from textual.app import App


class Probe(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.called: list[str] = []

    def _handle_exception(self, error: Exception) -> None:
        self.called.append(f"told of {error}")

    def give(self) -> None:
        self.call_next(self.called.append, "first")
        self.call_next(self.fail)
        self.call_next(self.called.append, "third")

    def fail(self) -> None:
        raise ValueError("second")


async def main() -> None:
    app = Probe()
    async with app.run_test() as pilot:
        app.give()
        await pilot.pause(0.3)
        app.call_next(app.called.append, "later")
        await pilot.pause(0.3)
    print(app.called)


asyncio.run(main())
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
['first', 'told of second', 'later']
SEEN
