"""The `palaver` command line: one module per command."""
