"""Markdown: parsed, cut into blocks, laid out as lines. Pure."""
