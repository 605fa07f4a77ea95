"""`python -m palaverd`."""

from palaverd.cli import main

main()
