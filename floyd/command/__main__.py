"""`python -m floyd.command`, the same as `floyd`."""

from floyd.command.cli import main

main()
