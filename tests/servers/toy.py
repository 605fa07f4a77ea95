"""A model with fixed answers, for servers that need real weights. Pure.

Each token has one successor. A network of one layer without attention can produce that: the
embedding of a token is a unit vector, and the output matrix turns it into the next token's. An
answer begins with the last token of the prompt, which the chat template chooses by the user's
words: so one model answers, thinks, calls a tool, or goes on for ever, on any server that runs the
template.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

# A size that every kernel supports, at least the number of tokens.
WIDTH: Final = 512

# Script -> its pieces, which no two scripts share: a piece is a state. `▁` is a space, as in
# SentencePiece. In an endless script the last piece is followed by the first.
SCRIPTS: Final[dict[str, tuple[str, ...]]] = {
    "answer": ("Hello", "▁from", "▁a", "▁toy", "▁model", "."),
    "again": ("Once", "▁more", "▁with", "▁pleasure", "!"),
    "think": ("<think>", "Let", "▁me", "▁see", "</think>", "Four", "▁it", "▁is", ";"),
    "call": (
        "<tool_call>",
        '\n{"name":▁"weather",',
        '▁"arguments":▁{"city":▁"Oslo"}}',
        "\n</tool_call>",
    ),
    "long": ("One", "▁two", "▁three", "▁four", "▁five", "▁six", "▁seven", "▁and"),
}
ENDLESS: Final = frozenset({"long"})

# Words of the prompt -> script. The first match; else `again` in a second turn.
ASKED: Final = {"think": "think", "weather": "call", "count": "long"}

UNKNOWN: Final = "<unk>"
BEGIN: Final = "<s>"
END: Final = "</s>"
# Pieces that are one token in a prompt, too. The tags are among them, so that a server recognises
# them in its own template.
_TAGS = frozenset({"<think>", "</think>", "<tool_call>"})


def starter(script: str) -> str:
    """Return the token at the end of a prompt that starts a script."""
    return f"<|{script}|>"


SPECIAL: Final = (UNKNOWN, BEGIN, END)
BYTES: Final = tuple(f"<0x{value:02X}>" for value in range(256))
ROLES: Final = ("<|system|>", "<|user|>", "<|assistant|>", "<|tool|>")
STARTERS: Final = tuple(map(starter, SCRIPTS))
WORDS: Final = tuple(piece for pieces in SCRIPTS.values() for piece in pieces)
# By number; other text consists of the bytes.
TOKENS: Final = (*SPECIAL, *BYTES, *ROLES, *STARTERS, "▁", *WORDS)
CONTROL: Final = frozenset({BEGIN, END, *ROLES, *STARTERS})
TAGS: Final = _TAGS


def successors() -> dict[int, int]:
    """Return the number of the token after each one; the end is followed by itself."""
    number = {token: place for place, token in enumerate(TOKENS)}
    follows = dict.fromkeys(number.values(), number[END])
    for name, pieces in SCRIPTS.items():
        chain = [starter(name), *pieces, pieces[0] if name in ENDLESS else END]
        for one, other in pairwise(chain):
            follows[number[one]] = number[other]
    return follows


def text_of(script: str) -> str:
    """Return the text of a script, one round of it."""
    return "".join(SCRIPTS[script]).replace("▁", " ")


# Like templates of real models: it requires alternate user and assistant, renders reasoning and
# calls between tags (by which llama.cpp recognises them), and tools as JSON.
_TEMPLATE_HEAD = """\
{%- macro said(content) -%}
{%- if content is string -%}{{ content }}
{%- elif content -%}{%- for part in content -%}{{ part.text }}{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
{{- bos_token -}}
{%- set ns = namespace(last="", turns=0, wanted="user") -%}
{%- if tools -%}
<|system|>
# Tools
{% for tool in tools %}{{ tool | tojson }}
{% endfor %}Call one as <tool_call>{"name": ..., "arguments": ...}</tool_call>
{%- endif -%}
{%- for message in messages -%}
{%- if message.role == "system" -%}
<|system|>
{{ said(message.content) }}
{%- elif message.role == "user" -%}
{%- if ns.wanted != "user" -%}
{{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
{%- endif -%}
{%- set ns.last = said(message.content) -%}
{%- set ns.wanted = "assistant" -%}
<|user|>
{{ said(message.content) }}
{%- elif message.role == "assistant" -%}
{%- set ns.wanted = "user" -%}
{%- set ns.turns = ns.turns + 1 -%}
<|assistant|>
{% if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{% endif -%}
{{ said(message.content) }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor -%}
</s>
{%- elif message.role == "tool" -%}
{%- set ns.last = "" -%}
<|tool|>
{{ said(message.content) }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
<|assistant|>
"""


def template() -> str:
    """Return the chat template, in Jinja; it ends with the token that chooses the script."""
    choice = "".join(
        f'{{%- {"if" if place == 0 else "elif"} "{word}" in ns.last -%}}{starter(script)}\n'
        for place, (word, script) in enumerate(ASKED.items())
    )
    return (
        f"{_TEMPLATE_HEAD}{choice}"
        f"{{%- elif ns.turns -%}}{starter('again')}\n"
        f"{{%- else -%}}{starter('answer')}\n"
        "{%- endif -%}\n{%- endif -%}\n"
    )


# The same for a model without tools and reasoning.
PLAIN_TEMPLATE: Final = (
    "{{- bos_token -}}{%- for message in messages -%}<|{{ message.role }}|>{{ message.content }}"
    "{%- endfor -%}<|assistant|><|answer|>"
)
