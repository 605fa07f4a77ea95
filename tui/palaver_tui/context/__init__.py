"""What actions work with: the parts of the client as one typed value, and what it is busy with."""
