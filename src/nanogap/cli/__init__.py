"""The command line: arguments in, calls out."""

from nanogap.cli.app import main

__all__ = ["main"]
