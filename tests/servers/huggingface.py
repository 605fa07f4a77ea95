"""Write the toy model in transformers' format: safetensors and JSON, without its packages.

Format: https://huggingface.co/docs/safetensors, and tokenizer.json of `tokenizers` 0.23.
"""

from __future__ import annotations

import json
import re
import struct
from math import prod
from pathlib import Path
from typing import Any

from servers.toy import (
    BEGIN,
    CONTROL,
    END,
    SPECIAL,
    STARTERS,
    TAGS,
    TOKENS,
    UNKNOWN,
    WIDTH,
    successors,
)

_ONE = struct.pack("<f", 1.0)
# Some work for each word, so that there is something to stop.
_LAYERS, _INNER = 4, 2048

_RESPONSE = {
    "defaults": {"role": "assistant"},
    "start_anchor_pattern": "|".join(map(re.escape, STARTERS)),
    "fields": {
        "reasoning_content": {"open": "<think>", "close": "</think>", "content": "text"},
        "tool_calls": {
            "open_pattern": r"\s*<tool_call>",
            "close": "</tool_call>",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"\s*</s>", "content": "text"},
    },
}


def write(folder: Path, template: str, context: int) -> None:
    """Write the folder of a model."""
    folder.mkdir(parents=True, exist_ok=True)
    number = {token: place for place, token in enumerate(TOKENS)}
    ids = {"bos_token_id": number[BEGIN], "eos_token_id": number[END]}
    files: dict[str, Any] = {
        "config.json": {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": len(TOKENS),
            "hidden_size": WIDTH,
            "intermediate_size": _INNER,
            "num_hidden_layers": _LAYERS,
            "num_attention_heads": 8,
            "num_key_value_heads": 1,
            "max_position_embeddings": context,
            "rms_norm_eps": 1e-5,
            "tie_word_embeddings": False,
            "dtype": "float32",
            **ids,
        },
        "generation_config.json": {**ids, "do_sample": False},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": BEGIN,
            "eos_token": END,
            "unk_token": UNKNOWN,
            "model_max_length": context,
            "clean_up_tokenization_spaces": False,
            # How to parse reasoning and calls; models without it have them in their text.
            "response_template": _RESPONSE,
        },
        "tokenizer.json": _tokenizer(),
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False))
    (folder / "chat_template.jinja").write_text(template)
    _write_weights(folder / "model.safetensors")


def _tokenizer() -> dict[str, Any]:
    """Return a tokenizer that splits text into bytes, except for its named tokens."""
    added = [
        {
            "id": place,
            "content": token,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": token in CONTROL or token in SPECIAL,
        }
        for place, token in enumerate(TOKENS)
        if token in CONTROL or token in SPECIAL or token in TAGS
    ]
    return {
        "version": "1.0",
        "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": {
            "type": "BPE",
            "unk_token": UNKNOWN,
            "byte_fallback": True,
            "fuse_unk": False,
            "vocab": {token: place for place, token in enumerate(TOKENS)},
            "merges": [],
        },
    }


def _write_weights(path: Path) -> None:
    shapes = _shapes()
    header: dict[str, Any] = {}
    offset = 0
    for name, shape in shapes.items():
        size = 4 * prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    head = json.dumps(header).encode()
    begin = 8 + len(head)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(head)) + head)
        file.truncate(begin + offset)
        for name, shape in shapes.items():
            if len(shape) == 1:  # the norms, without effect
                file.seek(begin + header[name]["data_offsets"][0])
                file.write(_ONE * shape[0])
        for token, next_token in successors().items():
            for name, row in (("model.embed_tokens.weight", token), ("lm_head.weight", next_token)):
                file.seek(begin + header[name]["data_offsets"][0] + 4 * (row * WIDTH + token))
                file.write(_ONE)


def _shapes() -> dict[str, list[int]]:
    shapes = {
        "model.embed_tokens.weight": [len(TOKENS), WIDTH],
        "model.norm.weight": [WIDTH],
        "lm_head.weight": [len(TOKENS), WIDTH],
    }
    for layer in range(_LAYERS):
        at = f"model.layers.{layer}"
        shapes |= {
            f"{at}.input_layernorm.weight": [WIDTH],
            f"{at}.post_attention_layernorm.weight": [WIDTH],
            f"{at}.self_attn.q_proj.weight": [WIDTH, WIDTH],
            f"{at}.self_attn.k_proj.weight": [WIDTH // 8, WIDTH],
            f"{at}.self_attn.v_proj.weight": [WIDTH // 8, WIDTH],
            f"{at}.self_attn.o_proj.weight": [WIDTH, WIDTH],
            f"{at}.mlp.gate_proj.weight": [_INNER, WIDTH],
            f"{at}.mlp.up_proj.weight": [_INNER, WIDTH],
            f"{at}.mlp.down_proj.weight": [WIDTH, _INNER],
        }
    return shapes
