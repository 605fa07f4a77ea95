"""The `palaverd` command, for operators."""

from palaverd.cli.main import main

__all__ = ["main"]
