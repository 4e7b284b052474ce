"""``python -m nanogap`` is the command line."""

from nanogap.cli import main

main()
