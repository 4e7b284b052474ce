"""``python -m nanogap`` is the command line."""

import sys
from pathlib import Path

# python -m looks for modules in the current folder first, which may be anybody's
if not sys.flags.safe_path and sys.path and Path(sys.path[0]) == Path.cwd():
    del sys.path[0]

from nanogap.cli.app import main

main()
