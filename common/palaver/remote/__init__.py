"""Daemons on other machines: how they are named, reached, and what opens them. See `address`."""
