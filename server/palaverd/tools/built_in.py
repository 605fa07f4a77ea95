"""The tools that every daemon has, in the order in which models are told of them."""

from __future__ import annotations

from palaverd.tools.tool import Tool

BUILT_IN: tuple[Tool, ...] = ()
