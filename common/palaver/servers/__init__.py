"""The table of known model servers: what they accept, what they send, their error messages."""
