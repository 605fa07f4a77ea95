#!/usr/bin/env bash
# A connect of aiosqlite's that fails leaves its thread running: it reports to an event loop that may
# be closed by then, and the thread ends with a traceback.
#
# Seen with aiosqlite 0.22.1 and Python 3.11.
#
# One would guess: `await aiosqlite.connect(...)` raises the driver's error, and nothing of the
# connection is left; there is nothing that could be closed.
# What happens: the connection has a thread of its own. On an error it is told to end and nobody
# waits for it. What it does last is to report its end to the event loop; if the program's
# `asyncio.run` is over by then, that raises RuntimeError in the thread: a traceback on standard
# error, and in pytest a PytestUnhandledThreadExceptionWarning in whichever test is next. It is seldom:
# one of twenty-five runs of a test on a busy machine.
#
# What follows: wait for the thread (asyncio.to_thread(connection._thread.join)) before the error is
# passed on.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check aiosqlite==0.22.1
cat > "$work/probe.py" <<'PY'
import asyncio
import sqlite3
import sys
import threading

import aiosqlite

MISSING = f"{sys.argv[1]}/no-such-folder/data.db"
late: list[BaseException] = []
threading.excepthook = lambda args: late.append(args.exc_value)


async def connect(wait: bool) -> bool:
    """Return whether the thread is alive when the error has come."""
    connection = aiosqlite.connect(MISSING)
    try:
        await connection
    except sqlite3.OperationalError:
        alive = connection._thread.is_alive()
    if wait:
        await asyncio.to_thread(connection._thread.join)
    return alive


def spin() -> None:
    while not done:
        pass


# Other threads of the program are busy, as on a machine that has other work.
done = False
busy = [threading.Thread(target=spin) for _ in range(2)]
for thread in busy:
    thread.start()
alive = any([asyncio.run(connect(wait=False)) for _ in range(100)])
done = True
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join()
print("the thread goes on after the error:", alive)
print("it reported to a closed loop:", any("closed" in str(error) for error in late))
late.clear()
for _ in range(200):
    asyncio.run(connect(wait=True))
print("with its thread waited for:", [str(error) for error in late])
PY
"$work/venv/bin/python" "$work/probe.py" "$work" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
the thread goes on after the error: True
it reported to a closed loop: True
with its thread waited for: []
SEEN
