"""Files that are too long for memory, as traces of a piece each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nanogap.analysis.traces.compliance import (
    FEWEST_POINTS,
    Compliance,
    Origin,
    limit_thresholds,
    limited_pieces,
    need_limit,
)
from nanogap.io.long_curve import LongCurve
from nanogap.spool import median
from nanogap.typing import BoolArray, FloatArray

if TYPE_CHECKING:
    from nanogap.measured.files import DataFiles, Trace


def traces_of(curve: LongCurve, files: "DataFiles") -> Iterator["Trace"]:
    """Yield the conductance of the gap of a long curve in pieces, with the cycles of the file."""
    limit = _Limit(curve, files.compliance)
    for dataset, limited in zip(curve.pieces(), limit.masks(), strict=True):
        found = Compliance(limited, limit.current, limit.origin)
        yield files.trace(dataset, found, whole=False)


class _Limit:
    """Points of a long curve that the instrument limited; see `find_compliance`."""

    def __init__(self, curve: LongCurve, given: float | None) -> None:
        need_limit(given)
        self._curve = curve
        flagged = curve.flagged or any(flags.any() for flags in curve.flag_pieces())
        self._seen = curve.has_curve and (given is not None or not flagged)
        if self._seen:
            self._thresholds = limit_thresholds(curve.curve_pieces, given)
        anything = any(mask.any() for mask in self.masks())
        self.origin: Origin = "given" if given is not None and curve.has_curve else "none"
        self.current = given if anything and curve.has_curve else None
        if self.origin == "none" and anything:
            self.origin = "curve" if self._seen else "file"
            self.current = self._lower() if curve.has_curve else None

    def masks(self) -> Iterator[BoolArray]:
        """Yield which points of every piece are limited."""
        if not self._seen:
            yield from self._curve.flag_pieces()
            return
        limited = limited_pieces(self._curve.curve_pieces, self._thresholds)
        for flags, mask in zip(self._curve.flag_pieces(), limited, strict=True):
            yield flags | mask

    def _lower(self) -> float | None:
        """Return the limit; of two polarities the lower one."""

        def sizes(side: float) -> Iterator[FloatArray]:
            for (volts, amperes, _), mask in zip(
                self._curve.curve_pieces(), self.masks(), strict=True
            ):
                known = mask & np.isfinite(amperes)
                yield np.abs(amperes[known if not side else known & (side * volts > 0.0)])

        counts = {side: sum(map(len, sizes(side))) for side in (1.0, -1.0, 0.0)}
        enough = [side for side in (1.0, -1.0) if counts[side] >= FEWEST_POINTS] or [0.0]
        found = [
            median(lambda side=side: sizes(side), counts[side])  # type: ignore[misc]
            for side in enough
            if counts[side]
        ]
        return min(found, default=None)
