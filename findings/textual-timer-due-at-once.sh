#!/usr/bin/env bash
# A one-shot timer of Textual's that is due before its task first looks at the clock never fires.
#
# Seen with textual 8.2.8 and Python 3.11.
#
# One would guess: set_timer(delay, f) with what is left until a deadline calls f, the smaller the
# delay the sooner; late is possible, never is not.
# What happens: a timer skips ticks that are in the past. For a one-shot timer that is the only
# one: its task ends and f is not called, without a word. With a nanosecond all are lost, with a
# millisecond none as long as the machine does not pause between the timer's two looks at the
# clock.
#
# What follows: for "at a deadline, or now" use the event loop's call_later, or set_interval.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check textual==8.2.8
cat > "$work/probe.py" <<'PY'
import asyncio

from textual.app import App

DELAYS_S = (1e-9, 1e-3)
TIMERS = 50


class Probe(App[None]):
    fired = dict.fromkeys(DELAYS_S, 0)

    def on_mount(self) -> None:
        for delay in DELAYS_S:
            for _ in range(TIMERS):
                self.set_timer(delay, lambda delay=delay: self.count(delay))

    def count(self, delay: float) -> None:
        self.fired[delay] += 1


async def main() -> None:
    app = Probe()
    async with app.run_test() as pilot:
        await pilot.pause(1.0)
    for delay, fired in app.fired.items():
        print(f"delay of {delay:g} s: {fired} of {TIMERS} fired")


asyncio.run(main())
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
delay of 1e-09 s: 0 of 50 fired
delay of 0.001 s: 50 of 50 fired
SEEN
