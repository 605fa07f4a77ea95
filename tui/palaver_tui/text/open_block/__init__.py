"""Blocks that still grow: laid out anew only where they changed. Pure."""
