"""The daemon's logs: their form, repeated lines, the file of a private daemon."""
