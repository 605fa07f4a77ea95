"""Markdown: parsing, splitting into blocks, layout as lines. Pure."""
