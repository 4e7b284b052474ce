"""Two-dimensional histograms: conductance against time or current, aligned at first contact.

Traces are laid over each other so that all of them pass a threshold at zero, as is done for
breaking junctions (Martin et al., J. Am. Chem. Soc. 130, 13198 (2008), doi:10.1021/ja804699a).
"""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from nanogap.computed import Analysis, after_compute, as_traces
from nanogap.errors import SettingsError
from nanogap.printing import Rows, counted
from nanogap.typing import FloatArray


class AlignedHistogram(Analysis, arrays=("abscissa",)):
    """Counts over (conductance, time or current since first contact), of any number of cycles.

    Parameters
    ----------
    abscissa : tuple of float
        Lower and upper end, in the unit of what is given to `add`, relative to first contact.
    abscissa_bins : int
    maximum : float
        Upper end of the conductance, G0.
    bin_width : float
        G0.
    threshold : float
        First contact is where the conductance first reaches it and stays for `stay` points, G0.
    stay : int
        Points.
    """

    _has_figure = True

    def __init__(
        self,
        abscissa: tuple[float, float],
        *,
        abscissa_bins: int = 100,
        maximum: float = 6.0,
        bin_width: float = 0.05,
        threshold: float = 0.5,
        stay: int = 3,
    ) -> None:
        if not abscissa[0] < abscissa[1]:
            raise SettingsError(f"abscissa is {abscissa}; its ends must ascend")
        if abscissa_bins < 1 or stay < 1 or not (bin_width > 0.0 and maximum > bin_width):
            raise SettingsError("bins, stay, bin width and maximum must be positive")
        self._x = np.linspace(abscissa[0], abscissa[1], abscissa_bins + 1)
        self._y = bin_width * np.arange(int(np.ceil(maximum / bin_width - 1e-9)) + 1)
        self._threshold, self._stay = threshold, stay
        self._counts = np.zeros((len(self._y) - 1, abscissa_bins))
        self._aligned = self._skipped = 0

    def add(self, abscissa: ArrayLike, conductance: ArrayLike) -> Self:
        """Count one cycle.

        Parameters
        ----------
        abscissa, conductance : array_like, shape (n_points,)
            Time or current, and G0, in order.
        """
        x, g = as_traces(abscissa=abscissa, conductance=conductance)
        contact = self._first_contact(g)
        if contact is None:
            self._skipped += 1
            return self
        known = np.isfinite(x) & np.isfinite(g)
        counts, _, _ = np.histogram2d(g[known], x[known] - x[contact], bins=(self._y, self._x))
        self._counts += counts
        self._aligned += 1
        return self

    def _found(self) -> Rows:
        aligned = counted(self.n_aligned, "cycle")
        yield "aligned", f"{aligned} at the first contact ({self.n_skipped} without one)"

    @property
    @after_compute
    def counts(self) -> FloatArray:
        """Points in every bin, shape (n_conductance_bins, n_abscissa_bins)."""
        return self._counts

    @property
    @after_compute
    def conductance_edges(self) -> FloatArray:
        """Bin edges of the conductance, shape (n_conductance_bins + 1,), G0."""
        return np.asarray(self._y, dtype=np.float64)

    @property
    @after_compute
    def abscissa_edges(self) -> FloatArray:
        """Bin edges of the abscissa, shape (n_abscissa_bins + 1,), in its own unit."""
        return np.asarray(self._x, dtype=np.float64)

    @property
    @after_compute
    def n_aligned(self) -> int:
        """Cycles that made contact."""
        return self._aligned

    @property
    @after_compute
    def n_skipped(self) -> int:
        """Cycles that did not."""
        return self._skipped

    def _first_contact(self, conductance: FloatArray) -> int | None:
        above = (conductance >= self._threshold).astype(np.int64)
        if len(above) < self._stay:
            return None
        runs = np.convolve(above, np.ones(self._stay, dtype=np.int64), mode="valid")
        found = np.flatnonzero(runs == self._stay)
        return int(found[0]) if len(found) else None
