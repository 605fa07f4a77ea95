"""Daemons on other machines: their addresses, connections and tokens. See `address`."""
