"""Write the toy model in llama.cpp's format (GGUF, version 3), without its packages.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from servers.toy import BEGIN, BYTES, CONTROL, END, TAGS, TOKENS, UNKNOWN, WIDTH, successors

_ALIGNMENT = 32
# Types of values, and of the weights: F32 for vectors, F16 for matrices.
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
_F32, _F16 = 0, 1
# Types of tokens.
_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _BYTE = 1, 2, 3, 4, 6
_ONE: Final = struct.pack("<e", 1.0)

Value = int | float | bool | str | list[str] | list[int] | list[float]


def write(path: Path, template: str, *, layers: int = 1, inner: int = 64, context: int) -> None:
    """Write the model to `path`. `layers` and `inner` only make it slower.

    Weights of 0 are holes in the file, so that a large one is written at once.
    """
    tensors = _tensors(layers, inner)
    head = bytearray(b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 0))
    fields = _fields(template, layers, inner, context)
    head[16:24] = struct.pack("<Q", len(fields))
    for name, value in fields.items():
        head += _string(name) + _value(value)
    offset = 0
    places = {}
    for name, (kind, shape) in tensors.items():
        places[name] = offset
        head += _string(name) + struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
        head += struct.pack("<IQ", kind, offset)
        offset += _aligned(_size(kind, shape))
    begin = _aligned(len(head))
    with path.open("wb") as file:
        file.write(head)
        file.truncate(begin + offset)
        for name, (kind, shape) in tensors.items():
            if kind == _F32:  # the norms, without effect
                file.seek(begin + places[name])
                file.write(struct.pack("<f", 1.0) * shape[0])
        for token, next_token in successors().items():
            for name, row, column in (
                ("token_embd.weight", token, token),
                ("output.weight", next_token, token),
            ):
                file.seek(begin + places[name] + 2 * (row * WIDTH + column))
                file.write(_ONE)


def _tensors(layers: int, inner: int) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Return type and shape of each tensor; the first dimension is the innermost."""
    vocabulary = len(TOKENS)
    tensors: dict[str, tuple[int, tuple[int, ...]]] = {
        "token_embd.weight": (_F16, (WIDTH, vocabulary)),
        "output_norm.weight": (_F32, (WIDTH,)),
        "output.weight": (_F16, (WIDTH, vocabulary)),
    }
    for layer in range(layers):
        tensors |= {
            f"blk.{layer}.attn_norm.weight": (_F32, (WIDTH,)),
            f"blk.{layer}.attn_q.weight": (_F16, (WIDTH, WIDTH)),
            f"blk.{layer}.attn_k.weight": (_F16, (WIDTH, WIDTH // 8)),
            f"blk.{layer}.attn_v.weight": (_F16, (WIDTH, WIDTH // 8)),
            f"blk.{layer}.attn_output.weight": (_F16, (WIDTH, WIDTH)),
            f"blk.{layer}.ffn_norm.weight": (_F32, (WIDTH,)),
            f"blk.{layer}.ffn_gate.weight": (_F16, (WIDTH, inner)),
            f"blk.{layer}.ffn_up.weight": (_F16, (WIDTH, inner)),
            f"blk.{layer}.ffn_down.weight": (_F16, (inner, WIDTH)),
        }
    return tensors


def _fields(template: str, layers: int, inner: int, context: int) -> dict[str, Value]:
    number = {token: place for place, token in enumerate(TOKENS)}
    return {
        "general.architecture": "llama",
        "general.name": "toy",
        "general.file_type": 1,
        "llama.context_length": context,
        "llama.embedding_length": WIDTH,
        "llama.block_count": layers,
        "llama.feed_forward_length": inner,
        "llama.attention.head_count": 8,
        "llama.attention.head_count_kv": 1,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": WIDTH // 8,
        "llama.vocab_size": len(TOKENS),
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": list(TOKENS),
        "tokenizer.ggml.scores": [0.0] * len(TOKENS),
        "tokenizer.ggml.token_type": list(map(_token_type, TOKENS)),
        "tokenizer.ggml.unknown_token_id": number[UNKNOWN],
        "tokenizer.ggml.bos_token_id": number[BEGIN],
        "tokenizer.ggml.eos_token_id": number[END],
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.chat_template": template,
    }


def _token_type(token: str) -> int:
    if token == UNKNOWN:
        return _UNKNOWN
    if token in CONTROL:
        return _CONTROL
    if token in BYTES:
        return _BYTE
    return _USER_DEFINED if token in TAGS else _NORMAL


def _value(value: Value) -> bytes:
    """Return a value with its type before it."""
    match value:
        case bool():
            return struct.pack("<I?", _BOOL, value)
        case int():
            return struct.pack("<II", _UINT32, value)
        case float():
            return struct.pack("<If", _FLOAT32, value)
        case str():
            return struct.pack("<I", _STRING) + _string(value)
        case _:
            kind = {str: _STRING, int: _INT32, float: _FLOAT32}[type(value[0])]
            form = "<f" if kind == _FLOAT32 else "<i"
            items = b"".join(
                _string(one) if isinstance(one, str) else struct.pack(form, one) for one in value
            )
            return struct.pack("<IIQ", _ARRAY, kind, len(value)) + items


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _size(kind: int, shape: tuple[int, ...]) -> int:
    count = 1
    for side in shape:
        count *= side
    return count * (4 if kind == _F32 else 2)


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
