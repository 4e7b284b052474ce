"""``python -m nanogap`` is the command line."""

from nanogap.cli.app import main

main()
