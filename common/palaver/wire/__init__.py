"""The types that cross the wire, one module per subject. Requests are strict, readers tolerant."""
