"""End of a program of this folder on bad input: one sentence and exit status 2."""

import sys
from collections.abc import Callable
from pathlib import Path

from nanogap.errors import NanogapError


def run(main: Callable[[], None]) -> None:
    """Run a program; what nanogap refuses is told in a sentence.

    Parameters
    ----------
    main : callable
    """
    try:
        main()
    except NanogapError as error:
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
        sys.exit(2)
