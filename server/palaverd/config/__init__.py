"""Configuration: types, loading config.toml, and API keys."""
