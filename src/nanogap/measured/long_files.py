"""Files that are too long for memory, as traces of a piece each."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nanogap.analysis.traces.compliance import (
    FEWEST_POINTS,
    Compliance,
    LimitThresholds,
    Origin,
    limit_thresholds,
    limited_pieces,
    need_limit,
)
from nanogap.io.long_curve import LongCurve
from nanogap.io.sweeps import current_swept
from nanogap.measured.compliance import stated_limits
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
        self.origin: Origin = "none"
        self.current: float | None = None
        self._thresholds: LimitThresholds | None = None
        anywhere = any(flags.any() for flags in curve.flag_pieces())
        if not curve.has_curve or (given is None and (anywhere or curve.flagged)):
            self.origin = "file" if anywhere else "none"
            known = anywhere and curve.has_curve and not current_swept(next(curve.pieces()))
            self.current = self._lower() if known else None
            return
        if given is not None:
            self._thresholds = limit_thresholds(curve.curve_pieces, given)
            self.origin, self.current = "given", given if self._number() else None
            return
        for stated in stated_limits(next(curve.pieces())):
            self._thresholds = limit_thresholds(curve.curve_pieces, stated)
            if self._number() >= FEWEST_POINTS:
                self.origin, self.current = "file", stated
                return
        self._thresholds = limit_thresholds(curve.curve_pieces)
        if self._number():
            self.origin, self.current = "curve", self._lower()

    def _number(self) -> int:
        return sum(int(mask.sum()) for mask in self.masks())

    def masks(self) -> Iterator[BoolArray]:
        """Yield which points of every piece are limited."""
        if self._thresholds is None:
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
