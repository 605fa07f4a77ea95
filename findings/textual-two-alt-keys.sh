#!/usr/bin/env bash
# Two keys with Alt that arrive in one read are typed as text by Textual: the first as "^" and its
# letter.
#
# Seen with textual 8.2.8 and Python 3.11.
#
# One would guess: Alt+I, which a terminal without the kitty protocol sends as Escape and "i", is
# one key each time; how the bytes are cut into reads makes no difference.
# What happens: alone it is "alt+i". When Alt+J follows in the same read, as ssh and tmux deliver
# what was held up, it becomes the two keys "circumflex_accent" and "i", so that a field gets "^i"
# and the action of Alt+I does not run. A plain letter behind it does no harm.
#
# What follows: let nothing depend on Alt alone; give each action a Ctrl key too.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check textual==8.2.8
cat > "$work/probe.py" <<'PY'
import time

from textual import events
from textual._xterm_parser import XTermParser

FOR_SURE_S = 0.5  # longer than the parser waits for what may follow an Escape

for typed, read in (
    ("Alt+I", "\x1bi"),
    ("Alt+I, a", "\x1bia"),
    ("Alt+I, Alt+J", "\x1bi\x1bj"),
):
    parser = XTermParser()
    heard = list(parser.feed(read))
    time.sleep(FOR_SURE_S)
    heard += parser.tick()
    print(f"{typed}: {[event.key for event in heard if isinstance(event, events.Key)]}")
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
Alt+I: ['alt+i']
Alt+I, a: ['alt+i', 'a']
Alt+I, Alt+J: ['circumflex_accent', 'i', 'alt+j']
SEEN
