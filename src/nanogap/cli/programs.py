"""Programs beside the package, which make its data, pages and measurements: how they end."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from nanogap.cli.terminal import complain, words_of
from nanogap.errors import NanogapError

_BAD_INPUT, _INTERRUPTED = 2, 130


def run_main(main: Callable[[], int | None]) -> None:
    """Run a program; what is wrong with its input is told in one sentence, with exit status 2.

    Parameters
    ----------
    main : callable
        What it returns other than None is its exit status.
    """
    try:
        sys.exit(main())
    except NanogapError as error:
        _end(str(error))
    except OSError as error:
        _end(words_of(error))
    except KeyboardInterrupt:
        _end("interrupted", _INTERRUPTED)


def _end(words: str, status: int = _BAD_INPUT) -> NoReturn:
    program = Path(sys.argv[0])
    # python -m of a folder runs its __main__.py
    name = program.parent.name if program.stem == "__main__" else program.stem
    complain(words, name)
    sys.exit(status)
