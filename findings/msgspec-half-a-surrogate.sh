#!/usr/bin/env bash
# msgspec calls JSON truncated that is whole: a text in it ends with half of a surrogate pair.
#
# Seen with msgspec 0.22.0 and Python 3.11.
#
# One would guess: "Input data was truncated" means that more input would help, so that it tells a
# stream that was cut from one that is broken.
# What happens: RFC 8259 lets an escape stand for half of a pair (section 8.2), and servers send
# such texts that cut an answer between the halves. msgspec says that the input is truncated, though
# nothing is missing; Python's own json takes it.
#
# What follows: a reader of other people's JSON falls back to json.loads for such texts, and does not
# take the words "was truncated" for a sign that the rest is still to come.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check msgspec==0.22.0
cat > "$work/probe.py" <<'PY'
import json

import msgspec

HALF = '{"a": "\\ud83d"}'
for name, text in {"half a pair": HALF, "cut": HALF[:7]}.items():
    try:
        said = f"{msgspec.json.decode(text)!r}"
    except msgspec.DecodeError as error:
        said = f"DecodeError: {error}"
    print(f"{name}: {said}")
print("json:", ascii(json.loads(HALF)))
PY
"$work/venv/bin/python" "$work/probe.py" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
half a pair: DecodeError: Input data was truncated
cut: DecodeError: Input data was truncated
json: {'a': '\ud83d'}
SEEN
