"""A conversation as lines: sections, folds, positions, search, selection. Pure."""
