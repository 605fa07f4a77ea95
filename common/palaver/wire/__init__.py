"""The types of the API, one module per subject. Requests are strict, responses tolerant."""
