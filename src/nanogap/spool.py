"""Arrays of any length in temporary files, and their order statistics without sorting them.

A curve of 1e8 points does not fit into memory several times over. It is kept in a file, looked at
piece by piece, and medians and quantiles are selected by the leading bits of the numbers (radix
selection, Knuth, The Art of Computer Programming 3, section 5.2.5), exactly as sorting would.
"""

import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanogap.errors import DataFormatError
from nanogap.typing import FloatArray

#: Numbers in memory at a time.
PIECE = 1_000_000

#: Bits that one pass over the data decides.
_BITS = 16

#: Makes pieces anew for every pass.
Pieces = Callable[[], Iterable[FloatArray]]


class Spool:
    """Numbers in a temporary file without a name, which ends with the object or the process.

    The folder is that of `tempfile.gettempdir`, which ``TMPDIR`` chooses.

    Parameters
    ----------
    dtype : str
        Of the numbers.
    length : int
        Numbers of a piece.

    Examples
    --------
    >>> spool = Spool(length=2)
    >>> spool.append(np.arange(5.0))
    >>> len(spool), spool.read(1, 3).tolist(), [len(one) for one in spool.pieces()]
    (5, [1.0, 2.0], [2, 2, 1])
    """

    def __init__(self, dtype: str = "f8", length: int = PIECE) -> None:
        self._dtype, self.length = np.dtype(dtype), length
        # the file ends with the object, which is kept from piece to piece
        self._file = tempfile.TemporaryFile(prefix="nanogap-")  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def append(self, values: NDArray[Any]) -> None:
        """Add numbers at the end.

        Raises
        ------
        DataFormatError
            If the folder for temporary files is full.
        """
        try:
            self._file.write(np.ascontiguousarray(values, dtype=self._dtype).data)
            self._file.flush()
        except OSError as error:
            raise DataFormatError(
                f"{tempfile.gettempdir()} has no room for the numbers of a large file "
                f"({error.strerror}): set TMPDIR to a folder that has"
            ) from None
        self._count += len(values)

    def read(self, begin: int, end: int) -> NDArray[Any]:
        """Return the numbers from `begin` to before `end`."""
        size = self._dtype.itemsize
        self._file.seek(begin * size)
        raw = self._file.read(max(0, end - begin) * size)
        self._file.seek(0, 2)
        return np.frombuffer(raw, dtype=self._dtype)

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Yield all numbers, a piece at a time."""
        for begin in range(0, self._count, self.length):
            yield self.read(begin, min(begin + self.length, self._count))


def ordered(pieces: Pieces, places: Sequence[int], most: int = PIECE) -> list[float]:
    """Return the numbers at some places of the data in ascending order.

    Parameters
    ----------
    pieces : callable
        Yields the data, without NaN, in any pieces; called once per pass.
    places : sequence of int
        From 0.
    most : int
        So many numbers may be sorted in memory.

    Examples
    --------
    >>> data = np.array([3.0, -1.0, 2.0, 5.0])
    >>> ordered(lambda: [data[:1], data[1:]], [0, 2], most=1)
    [-1.0, 3.0]
    """
    found: dict[int, float] = {}
    # bits that are decided, their value, and how many numbers lie below, per group of places
    groups = [(0, np.uint64(0), 0, sorted(set(places)))]
    while groups:
        decided, prefix, below, wanted = groups.pop()
        width = min(_BITS, 64 - decided)
        counts = np.zeros(1 << width, dtype=np.int64)
        for keys in _keys(pieces, decided, prefix):
            digits = (keys >> np.uint64(64 - decided - width)) & np.uint64((1 << width) - 1)
            counts += np.bincount(digits.astype(np.int64), minlength=1 << width)
        ends = below + np.cumsum(counts)
        bins = np.searchsorted(ends, wanted, side="right")
        for digit in np.unique(bins):
            inside = [place for place, one in zip(wanted, bins, strict=True) if one == digit]
            begin = int(ends[digit] - counts[digit])
            longer = (prefix << np.uint64(width)) | np.uint64(digit)
            if decided + width == 64:
                found |= dict.fromkeys(inside, _number(longer))
            elif counts[digit] <= most:
                keys = np.sort(np.concatenate(list(_keys(pieces, decided + width, longer))))
                found |= {place: _number(keys[place - begin]) for place in inside}
            else:
                groups.append((decided + width, longer, begin, inside))
    return [found[place] for place in places]


def quantile(pieces: Pieces, count: int, level: float) -> float:
    """Return a quantile of so many numbers, to the last bit that of `numpy.quantile`."""
    place = level * (count - 1)
    low = int(np.floor(place))
    below, above = ordered(pieces, [low, min(low + 1, count - 1)])
    part, step = place - low, above - below
    return below + step * part if part < 0.5 else above - step * (1.0 - part)


def median(pieces: Pieces, count: int) -> float:
    """Return the median of so many numbers, to the last bit that of `numpy.median`."""
    below, above = ordered(pieces, [(count - 1) // 2, count // 2])
    return below if count % 2 else float(np.mean([below, above]))


def _keys(pieces: Pieces, decided: int, prefix: np.uint64) -> Iterator[NDArray[np.uint64]]:
    """Yield the numbers that begin with some bits, as unsigned integers of the same order."""
    sign = np.uint64(1 << 63)
    for piece in pieces():
        bits = np.ascontiguousarray(piece, dtype=np.float64).view(np.uint64)
        keys = np.where(bits & sign, ~bits, bits | sign)
        yield keys if not decided else keys[keys >> np.uint64(64 - decided) == prefix]


def _number(key: np.uint64) -> float:
    """Turn an unsigned integer back into the number that it stands for."""
    sign = np.uint64(1 << 63)
    bits = key & ~sign if key & sign else ~key
    return float(np.array([bits], dtype=np.uint64).view(np.float64)[0])
