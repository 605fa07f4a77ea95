"""Vendors' own services, in the order of docs/servers.md."""

from __future__ import annotations

from palaver.servers.facts import Server
from palaver.servers.vendors.anthropic import ANTHROPIC
from palaver.servers.vendors.cerebras import CEREBRAS
from palaver.servers.vendors.deepseek import DEEPSEEK
from palaver.servers.vendors.gemini import GEMINI
from palaver.servers.vendors.groq import GROQ
from palaver.servers.vendors.kimi import KIMI
from palaver.servers.vendors.minimax import MINIMAX
from palaver.servers.vendors.mistral import MISTRAL
from palaver.servers.vendors.openai import OPENAI
from palaver.servers.vendors.others import COHERE, FIREWORKS, QIANFAN, WATSONX
from palaver.servers.vendors.qwen import QWEN
from palaver.servers.vendors.together import TOGETHER
from palaver.servers.vendors.xai import XAI
from palaver.servers.vendors.zai import ZAI

VENDORS: tuple[Server, ...] = (
    OPENAI,
    ANTHROPIC,
    DEEPSEEK,
    MISTRAL,
    GEMINI,
    GROQ,
    TOGETHER,
    XAI,
    KIMI,
    QWEN,
    ZAI,
    CEREBRAS,
    MINIMAX,
    COHERE,
    WATSONX,
    QIANFAN,
    FIREWORKS,
)
