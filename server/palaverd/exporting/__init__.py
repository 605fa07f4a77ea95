"""A chat as a document, in each format: pure."""
