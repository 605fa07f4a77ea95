"""One conversation as lines: sections, folds, positions, search. Pure."""
