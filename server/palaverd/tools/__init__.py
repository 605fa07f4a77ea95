"""The tools that a model may call: what each takes, whether it has effects, and what it does."""
