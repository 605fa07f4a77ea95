"""Exit codes of `palaverd`."""

EXIT_FAILED = 1  # it could not be done; standard error says why in one sentence
