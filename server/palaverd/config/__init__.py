"""Configuration: the types, reading a file, and where keys come from."""
