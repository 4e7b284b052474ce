"""Errors of tight-binding transmissions against first-principles ones; decay of tunnelling."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.stats import spearmanr

from nanogap.computed import Analysis, after_compute
from nanogap.transport.fitting.reference_transmissions import ReferenceJunction
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.typing import FloatArray

#: Gaps that count as tunnelling, angstrom: below, the density of the two surfaces overlaps.
TUNNELLING = 4.5
#: Classes of junctions with an open gap, whose names give its width.
_OPEN = ("gap", "adatom", "broken wire")


@dataclass(frozen=True)
class ClassError:
    """Errors of one class of junctions.

    Attributes
    ----------
    count : int
        Junctions of the class.
    mean_absolute : float
        Mean absolute error, G0.
    worst : float
        Largest absolute error, G0.
    bias : float
        Mean of the value less the reference, G0.
    """

    count: int
    mean_absolute: float
    worst: float
    bias: float


class Calibration(Analysis):
    """Comparison of transmissions at the Fermi energy with reference values.

    Parameters
    ----------
    highest : float
        The mean absolute error is over junctions whose reference is at most this, G0.
    """

    def __init__(self, highest: float = 3.0) -> None:
        self.highest = highest

    def compute(self, classes: Sequence[str], reference: FloatArray, values: FloatArray) -> Self:
        """Compute all errors.

        Parameters
        ----------
        classes : sequence of str, length n
            Class of every junction.
        reference, values : ndarray, shape (n,)
            G0.

        Raises
        ------
        ValueError
            If the lengths differ or fewer than two junctions are given.
        """
        if not len(classes) == len(reference) == len(values) or len(values) < 2:
            raise ValueError("a calibration needs two junctions at least, each with both values")
        self._classes = np.array(classes)
        self._reference = np.asarray(reference, dtype=np.float64)
        self._errors = np.asarray(values, dtype=np.float64) - self._reference
        self._values = np.asarray(values, dtype=np.float64)
        return self

    @property
    @after_compute
    def mean_absolute_error(self) -> float:
        """Mean absolute error of junctions whose reference is at most `highest`, G0."""
        return float(np.abs(self._errors[self._reference <= self.highest]).mean())

    @property
    @after_compute
    def rank_correlation(self) -> float:
        """Spearman's rank correlation of values and reference, all junctions."""
        return float(spearmanr(self._reference, self._values).statistic)

    @property
    @after_compute
    def by_class(self) -> dict[str, ClassError]:
        """Errors by class, in the order in which the classes were given."""
        result = {}
        for name in dict.fromkeys(self._classes.tolist()):
            errors = self._errors[self._classes == name]
            result[name] = ClassError(
                count=len(errors),
                mean_absolute=float(np.abs(errors).mean()),
                worst=float(np.abs(errors).max()),
                bias=float(errors.mean()),
            )
        return result


def decay_constant(gaps: FloatArray, transmissions: FloatArray) -> float:
    """Fit T = T0 exp(-2 kappa d) to tunnelling transmissions.

    Parameters
    ----------
    gaps : ndarray, shape (n,)
        Angstrom.
    transmissions : ndarray, shape (n,)
        G0, above zero.

    Returns
    -------
    float
        kappa, the decay of the amplitude, 1/angstrom;
        `nanogap.transport.fitting.vacuum_tail.vacuum_decay` gives that of a barrier.

    Raises
    ------
    ValueError
        If fewer than two points are given, or a transmission is not above zero.
    """
    if len(gaps) < 2 or min(transmissions) <= 0.0:
        raise ValueError("a decay needs two gaps at least, with transmissions above zero")
    slope = np.polyfit(gaps, np.log(transmissions), 1)[0]
    return float(-slope / 2.0)


def reference_values(
    junctions: Sequence[ReferenceJunction], model: TightBindingModel, neutrality: str = "none"
) -> tuple[FloatArray, FloatArray]:
    """Compute reference junctions by tight binding, each on its own k-points.

    Parameters
    ----------
    junctions : sequence of ReferenceJunction
    model : TightBindingModel
    neutrality : str
        See `nanogap.transport.negf.neutrality.neutral_junction`.

    Returns
    -------
    values : ndarray, shape (n,)
        T at the Fermi energy, mean over k, G0.
    times : ndarray, shape (n,)
        Wall time of each, s.
    """
    values, times = [], []
    for junction in junctions:
        result = compute_transmission(
            [junction.atoms],
            [0.0],
            kpoints=junction.kpoints,
            gamma_centred=junction.gamma_centred,
            model=model,
            neutrality=neutrality,
            names=[junction.name],
        )
        values.append(float(result["transmission_average"][0, 0]))
        times.append(float(result.attrs["wall_time"]))
    return np.array(values), np.array(times)


def length_in_name(name: str) -> float:
    """Read the first length in the name of a junction, angstrom; NaN if there is none."""
    found = re.search(r"\d+(?:\.\d+)?", name)
    return float(found.group()) if found else float("nan")


def tunnelling_decays(
    junctions: Sequence[ReferenceJunction], values: FloatArray
) -> dict[str, float]:
    """Fit the decay of amplitudes over the open gaps, from `TUNNELLING` on.

    Parameters
    ----------
    junctions : sequence of ReferenceJunction
    values : ndarray, shape (n,)
        Their transmissions, G0.

    Returns
    -------
    dict of str to float
        kappa, 1/angstrom, by class (``gap``, ``adatom``, ``broken wire``); of those with two such
        gaps at least.
    """
    lengths = np.array([length_in_name(junction.name) for junction in junctions])
    classes = np.array([junction.kind for junction in junctions])
    found = {}
    for kind in _OPEN:
        far = (classes == kind) & (lengths >= TUNNELLING) & (values > 0.0)
        if len(set(lengths[far].tolist())) > 1:
            found[kind] = decay_constant(lengths[far], values[far])
    return found
