"""Work on pairs of atoms shared out to threads, with the same sums whatever their number.

Rows of pairs are dealt out in turn to a fixed number of shares. Every share adds up in arrays of
its own, and these are summed in a fixed order, so the number of threads that work on them changes
no bit. A kernel takes the first share and the one to stop before.
"""

import contextlib
from collections.abc import Callable, Iterator

import numba
from numba import njit

from nanogap.errors import SettingsError

#: Shares of the work, and so the most threads that a run can use. Each costs some memory traffic.
SHARES = 4


@njit(cache=True)  # type: ignore[untyped-decorator]
def rows_below(share: int, atom: int) -> int:
    """Count the rows of a share that belong to atoms of a lower number."""
    return (atom - share + SHARES - 1) // SHARES


def share_out(
    threads: int, kernel: Callable[..., None], in_threads: Callable[..., None], *arguments: object
) -> None:
    """Do all shares: in turn, or in threads.

    Parameters
    ----------
    threads : int
    kernel : callable
        Takes the first share, the one to stop before, and the arguments.
    in_threads : callable
        Takes the arguments, and calls the kernel for every share in a parallel loop.
    *arguments : object
    """
    # with one thread the parallel loop would still start numba's threads
    if threads == 1:
        kernel(0, SHARES, *arguments)
    else:
        in_threads(*arguments)


def check_threads(count: int) -> None:
    """Refuse more threads than numba may start.

    Parameters
    ----------
    count : int

    Raises
    ------
    SettingsError
        If they are more.
    """
    most = numba.config.NUMBA_NUM_THREADS
    if count > max(most, 1):
        raise SettingsError(
            f"dynamics.threads = {count}, but this process may use {most}: lower it, or set the "
            f"environment variable NUMBA_NUM_THREADS to {count} before the program starts"
        )


@contextlib.contextmanager
def numba_threads(count: int) -> Iterator[None]:
    """Let numba use so many threads as long as the block lasts.

    Parameters
    ----------
    count : int
    """
    if count == 1:  # numba is not even asked: it would start its threads
        yield
        return
    before = numba.get_num_threads()
    numba.set_num_threads(count)
    try:
        yield
    finally:
        numba.set_num_threads(before)
