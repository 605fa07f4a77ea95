"""What daemon and clients share: wire types, the asynchronous client, the command line."""

__version__ = "0.1.0"
