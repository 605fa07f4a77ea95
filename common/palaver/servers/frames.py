"""Build error bodies in the form of each kind of server. Pure."""

from __future__ import annotations

from typing import Any

from palaver.servers.facts import Frame, Says


def body_of(frame: Frame, says: Says) -> Any:
    """Return the JSON of an error response; missing fields are omitted."""
    fields = {"message": says.said, "type": says.type, "code": says.code}
    known = {name: value for name, value in fields.items() if value is not None}
    match frame:
        case "openai":  # OpenAI, and most
            return {"error": known}
        case "messages":  # Anthropic
            return {"type": "error", "error": {"type": says.type, "message": says.said}}
        case "list":  # Gemini: a list of one, gRPC's name in `status`
            error = {"code": says.status, "message": says.said, "status": says.type}
            return [{"error": error}]
        case "string":  # LM Studio, Ollama's own
            return {"error": says.said}
        case "bare":  # older vLLM, Mistral, Cerebras
            return {"object": "error", **known, "param": None}
        case "detail":  # FastAPI
            return {"detail": says.said}
        case "base_resp":  # MiniMax, with status 200
            return {"base_resp": {"status_code": says.code, "status_msg": says.said}}
