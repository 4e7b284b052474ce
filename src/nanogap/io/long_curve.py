"""A measured curve of any length, whose points lie in temporary files."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nanogap.errors import DataFormatError
from nanogap.io.cells import Sizes
from nanogap.io.columns import Column
from nanogap.io.dataset import dataset_of, device_of
from nanogap.io.long_sweeps import cycles_of, swept
from nanogap.io.stated_limits import StatedLimits
from nanogap.spool import PIECE, Spool, median
from nanogap.typing import BoolArray, FloatArray, Int64Array
from nanogap.units import CONDUCTANCE_QUANTUM


class LongCurve:
    """A measured curve whose points are in memory a piece at a time.

    Parameters
    ----------
    name : str
        Of the file.
    quantities : list of str
        Which of ``voltage``, ``current``, ``conductance``, ``resistance`` and ``cycle`` it has.
    length : int
        Points of a piece.
    flagged : bool
        Whether the file has a column of flags of points in compliance.

    Attributes
    ----------
    name, device : str
    attrs : dict of str to str
        What the file says about itself, and ``notes``.
    """

    def __init__(
        self, name: str, quantities: list[str], length: int = PIECE, *, flagged: bool = False
    ) -> None:
        self.name, self.device, self.flagged = name, device_of(name), flagged
        self.attrs: dict[str, str] = {}
        self._numbers = {key: Spool(length=length) for key in quantities}
        self._flags = Spool("?", length)
        self._cycles: Int64Array | None = None

    def __len__(self) -> int:
        return len(self._flags)

    def append(self, values: Mapping[str, FloatArray], limited: BoolArray) -> None:
        """Add points: their values in the units of a measurement dataset, and the flags."""
        for key, spool in self._numbers.items():
            spool.append(values[key])
        self._flags.append(limited)

    def spool(self, quantity: str) -> Spool | None:
        """Return the numbers of a quantity; None if there are none."""
        return self._numbers.get(quantity)

    def curve_pieces(self) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield voltages, currents and cycles."""
        for begin, end in self._ranges():
            volts, amperes = (self._read(key, begin, end) for key in ("voltage", "current"))
            yield volts, amperes, self._cycle(begin, end).astype(np.float64)

    def flag_pieces(self) -> Iterator[NDArray[np.bool_]]:
        """Yield which points the file flags as limited by the instrument."""
        yield from self._flags.pieces()

    def flag_stated(self) -> None:
        """Flag points at the limits of the column, if nothing is flagged yet."""
        if "limit" not in self._numbers or any(flags.any() for flags in self.flag_pieces()):
            return
        found, flags = StatedLimits(), Spool("?", self._flags.length)
        for begin, end in self._ranges():
            found.add(*(self._read(key, begin, end) for key in ("current", "limit")))
        for begin, end in self._ranges():
            flags.append(found.limited(*(self._read(k, begin, end) for k in ("current", "limit"))))
        self._flags = flags

    @property
    def has_curve(self) -> bool:
        """Whether there are both a voltage and a current."""
        return {"voltage", "current"} <= set(self._numbers)

    @property
    def has_preparation(self) -> bool:
        """Whether cycles are given and some are below 0: those of a preparation."""
        given = self._numbers.get("cycle")
        return given is not None and any((piece < 0.0).any() for piece in given.pieces())

    def pieces(self) -> Iterator[xr.Dataset]:
        """Yield measurement datasets of a piece each, with cycles numbered from 0."""
        for begin, end in self._ranges():
            unknown = np.full(end - begin, np.nan)
            variables: dict[str, NDArray[Any]] = {
                "time": unknown,
                "voltage": self._read("voltage", begin, end),
                "current": self._read("current", begin, end),
                "cycle": self._cycle(begin, end),
                "compliance": self._flags.read(begin, end),
            }
            if not self.has_curve:
                variables["conductance"] = self._conductance(begin, end)
            yield dataset_of(variables, self.name, self.device, self.attrs)

    def _ranges(self) -> Iterator[tuple[int, int]]:
        length = self._flags.length
        for begin in range(0, len(self), length):
            yield begin, min(begin + length, len(self))

    def _read(self, key: str, begin: int, end: int) -> FloatArray:
        spool = self._numbers.get(key)
        return np.full(end - begin, np.nan) if spool is None else spool.read(begin, end)

    def _conductance(self, begin: int, end: int) -> FloatArray:
        if "conductance" in self._numbers:
            return self._read("conductance", begin, end)
        with np.errstate(divide="ignore"):
            return 1.0 / (self._read("resistance", begin, end) * CONDUCTANCE_QUANTUM)

    def _cycle(self, begin: int, end: int) -> Int64Array:
        """Return the number of the cycle of some points, from 0 without gaps."""
        if self._cycles is None:
            self._cycles = self._counted()
        if "cycle" in self._numbers:
            given = np.round(self._read("cycle", begin, end)).astype(np.int64)
            return np.searchsorted(self._cycles, given).astype(np.int64)
        places = np.arange(begin, end)
        return np.asarray(np.searchsorted(self._cycles, places, side="right"), dtype=np.int64)

    def _counted(self) -> Int64Array:
        """Return the numbers of the cycles, where they are given, or else where each begins."""
        if "cycle" in self._numbers:
            known = np.zeros(0, dtype=np.int64)
            for piece in self._numbers["cycle"].pieces():
                if np.isnan(piece).any():
                    raise DataFormatError(f"{self.name}: the column of cycles has gaps")
                known = np.union1d(known, np.round(piece).astype(np.int64))
            return known
        if self.has_curve:
            return cycles_of(swept(self._numbers["voltage"], self._numbers["current"]))
        # as of a table: the voltage if there is one
        source = self._numbers.get("voltage") or self._numbers.get("current")
        return np.zeros(0, dtype=np.int64) if source is None else cycles_of(source)


def sizes_of(curve: LongCurve, columns: Mapping[str, Column]) -> Sizes:
    """Return what tells whether the columns are what they seem; see `nanogap.io.cells.Sizes`."""
    found = Sizes(columns=frozenset(columns))

    def finite(key: str) -> Iterator[FloatArray]:
        spool = curve.spool(key)
        for piece in spool.pieces() if spool is not None else ():
            yield np.abs(piece[np.isfinite(piece)])

    for key in ("voltage", "current", "conductance"):
        found.largest[key] = max((float(p.max(initial=0.0)) for p in finite(key)), default=0.0)
    count = sum(len(piece) for piece in finite("resistance"))
    if count:
        found.usual_resistance = median(lambda: finite("resistance"), count)
    if not curve.has_curve:
        return found
    most = max(
        (float(a[np.isfinite(v)].max(initial=0.0)) for v, a in _absolute(curve)), default=0.0
    )

    def known(which: int) -> Iterator[FloatArray]:
        for volts, amperes, _ in curve.curve_pieces():
            size = np.abs(amperes)
            used = (size > 0.0) & np.isfinite(volts) & np.isfinite(size) & (size >= 0.2 * most)
            both = volts[used], amperes[used]
            yield (np.abs(both[0]) / np.abs(both[1]), np.abs(both[1]), both[0] * both[1])[which]

    found.n_known = sum(len(piece) for piece in known(1))
    if found.n_known:
        found.typical_resistance = median(lambda: known(0), found.n_known)
        found.typical_current = median(lambda: known(1), found.n_known)
        found.n_turned = sum(int((piece < 0.0).sum()) for piece in known(2))
    return found


def _absolute(curve: LongCurve) -> Iterator[tuple[FloatArray, FloatArray]]:
    for volts, amperes, _ in curve.curve_pieces():
        yield volts, np.where(np.isfinite(amperes), np.abs(amperes), 0.0)
