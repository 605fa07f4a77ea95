"""The contract of Palaver: wire types, the asynchronous client, and the command line."""

__version__ = "0.1.0"
