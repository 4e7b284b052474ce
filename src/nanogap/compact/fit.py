"""From measured files to a model with distributions: half of the cycles, judged by the others.

Every second cycle of each device is fitted, the others are held out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nanogap.analysis import ConductanceHistogram
from nanogap.compact.cycles import LEAST_CONTRAST, Cycle, read_cycles
from nanogap.compact.file import FittedModel, HeldOut, model_named
from nanogap.compact.fitting import CycleFit, Profile, determined, fit_cycle, profiles
from nanogap.compact.fluctuations import find_fluctuations
from nanogap.compact.held import FURTHEST, held_ranges
from nanogap.compact.model import CompactModel
from nanogap.compact.point_contact import MOST_LEVELS, PointContact
from nanogap.compact.population import Population, population, square_root
from nanogap.errors import DataFormatError, SettingsError
from nanogap.measured.files import DataFiles
from nanogap.printing import counted
from nanogap.typing import BoolArray, FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM

#: Fewest cycles in all, half of which are held out.
FEWEST_CYCLES = 6

#: A model cannot describe data of which it leaves more of the variance of ln G, in the median
#: over cycles that it is fitted to one by one.
MOST_REMAINING = 0.5

#: A fit that leaves less needs no second start.
_GOOD = 0.03

#: Models drawn for the band.
DRAWS = 40


@dataclass(frozen=True)
class Band:
    """A held-out cycle, the typical model, and the 90 % band of models drawn; (n_readings,) each.

    Attributes
    ----------
    cycle : Cycle
    typical, low, high : ndarray
        ln of I/V, S.
    """

    cycle: Cycle
    typical: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def inside(self) -> float:
        """Part of the readings inside the band, allowing for the error of a reading."""
        error = 1.645 * self.cycle.error
        seen = self.cycle.log_conductance
        within = (seen >= self.low - error) & (seen <= self.high + error)
        return float(np.mean(within[self.cycle.used]))


@dataclass(frozen=True)
class CompactFit:
    """The finding of a fit.

    Attributes
    ----------
    fitted : FittedModel
    fits : list of CycleFit
        Of the fitted half.
    bands : list of Band
        Of the other.
    profiles : list of Profile
        Of a typical cycle.
    free : ndarray of bool, shape (n_coordinates,)
    notes : list of str
    synthetic : bool
    """

    fitted: FittedModel
    fits: list[CycleFit]
    bands: list[Band]
    profiles: list[Profile]
    free: BoolArray
    notes: list[str]
    synthetic: bool


def fit_model(
    data: DataFiles,
    name: str,
    *,
    levels: Sequence[float] | None = None,
    seed: int = 0,
    watch: Callable[[int, int], object] | None = None,
) -> CompactFit:
    """Fit a model to the cycles of measured files.

    Parameters
    ----------
    data : DataFiles
    name : str
        Of the model.
    levels : sequence of float, optional
        Of the model point-contact, G0; without them, peaks of the histogram.
    seed : int
        Of the models drawn for the band.
    watch : callable, optional
        Called with how many cycles are fitted, and how many there are.

    Returns
    -------
    CompactFit

    Raises
    ------
    DataFormatError
        If there are too few cycles, the device does not switch, or the model cannot describe it.
    SettingsError
        If the model has no levels, or they do not rise from above 0.
    """
    kind = model_named(name)
    if levels is not None:
        _with_levels(kind, levels)  # before the data are read
    reading = data.new_reading()
    cycles = read_cycles(data, reading)
    found = fit_cycles(cycles, kind, levels=levels, seed=seed, watch=watch)
    synthetic = any("synthetic" in one.attrs for one in data.measurements())
    facts = {
        **found.fitted.facts,
        "files": list(dict.fromkeys(cycle.file for cycle in cycles)),
        "notes": reading.notes + found.notes,
        "synthetic": synthetic,
    }
    return replace(
        found,
        fitted=replace(found.fitted, facts=facts),
        notes=reading.notes + found.notes,
        synthetic=synthetic,
    )


def fit_cycles(
    cycles: Sequence[Cycle],
    kind: type[CompactModel],
    *,
    levels: Sequence[float] | None = None,
    seed: int = 0,
    watch: Callable[[int, int], object] | None = None,
) -> CompactFit:
    """Fit a model to cycles; see `fit_model`."""
    _refuse(cycles, kind)
    half, other = _halves(cycles)
    notes: list[str] = []
    begin = _begun(kind, half, notes) if levels is None else _with_levels(kind, levels)
    free, typical = determined(half, begin)
    fits = []
    for number, cycle in enumerate(half):
        if watch is not None:
            watch(number, len(half))
        fits.append(_fitted(cycle, typical, free))
    remaining = float(np.median([fit.remaining for fit in fits]))
    if not remaining <= MOST_REMAINING:
        raise DataFormatError(
            f"the model {kind.model} cannot describe these data: fitted to each cycle by itself it "
            f"still leaves {100.0 * min(remaining, 9.99):.0f} % of the variance of ln G (the most "
            f"that is accepted is {100.0 * MOST_REMAINING:.0f} %); try another --model, and if the "
            "device closes at negative voltages, turn all signs: models close at positive ones"
        )
    kept = [fit for fit in fits if fit.remaining <= MOST_REMAINING]
    if len(kept) < len(fits):
        notes.append(
            f"{len(fits) - len(kept)} of {counted(len(fits), 'fitted cycle')} not counted: the "
            "model describes less than half of the variance of ln G there"
        )
    people = population(
        typical,
        np.array([fit.places for fit in kept]),
        [fit.cycle.device for fit in kept],
        free.tolist(),
        held_ranges(kept, free),
    )
    notes += _told(people, kind, kept)
    model = typical.moved(people.mean)
    bands = _bands(other, model, people, seed)
    middle = sorted(kept, key=lambda fit: fit.cost)[len(kept) // 2]
    fitted = FittedModel(
        model,
        people.mean,
        people.covariance,
        people.distributions,
        find_fluctuations(kept),
        float(np.mean([cycle.resistance for cycle in cycles])),
        _held_out(bands, half),
        {
            "cycles_fitted": len(kept),
            "devices": list(dict.fromkeys(fit.cycle.device for fit in kept)),
            "interval_over": "devices" if people.by_device else "cycles",
            "variance_left_in_fitted_cycles": remaining,
        },
    )
    if watch is not None:
        watch(len(half), len(half))
    return CompactFit(fitted, kept, bands, profiles(middle, free), free, notes, synthetic=False)


def _refuse(cycles: Sequence[Cycle], kind: type[CompactModel]) -> None:
    """Refuse data that say nothing of how a device switches.

    Raises
    ------
    DataFormatError
        If there are too few cycles, or most of them do not switch.
    """
    if len(cycles) < FEWEST_CYCLES:
        raise DataFormatError(
            f"{counted(len(cycles), 'cycle')} are too few for distributions: the model "
            f"{kind.model} is fitted to half of the cycles and judged by the other half, "
            f"{FEWEST_CYCLES} or more in all"
        )
    switching = sum(cycle.contrast >= LEAST_CONTRAST for cycle in cycles)
    if switching < 0.5 * len(cycles):
        raise DataFormatError(
            f"in {len(cycles) - switching} of {counted(len(cycles), 'cycle')} the conductance "
            f"changes by less than a factor of {LEAST_CONTRAST:g}: the device does not switch, and "
            "there is no kinetics to fit"
        )


def _halves(cycles: Sequence[Cycle]) -> tuple[list[Cycle], list[Cycle]]:
    """Give every second cycle of each device to either half."""
    half: list[Cycle] = []
    other: list[Cycle] = []
    seen: dict[str, int] = {}
    for cycle in cycles:
        count = seen[cycle.device] = seen.get(cycle.device, 0) + 1
        (half if count % 2 else other).append(cycle)
    # devices of one cycle each go to the halves in turn
    if not other:
        half, other = half[::2], half[1::2]
    return half, other


def _with_levels(kind: type[CompactModel], levels: Sequence[float]) -> CompactModel:
    """Return the model with given levels (G0).

    Raises
    ------
    SettingsError
        If it has none, or they do not rise from above 0.
    """
    if not issubclass(kind, PointContact):
        raise SettingsError(
            f"--levels: the model {kind.model} has no levels; {PointContact.model} has"
        )
    return kind(levels=tuple(float(one) for one in levels))


def _begun(kind: type[CompactModel], cycles: Sequence[Cycle], notes: list[str]) -> CompactModel:
    """Return the model with what no single curve says: levels from the histogram."""
    if not issubclass(kind, PointContact):
        return kind()
    gap = [1.0 / (np.exp(-cycle.known) - cycle.resistance) for cycle in cycles]
    conductance = np.concatenate(gap) / CONDUCTANCE_QUANTUM
    top = float(np.median([np.quantile(one, 0.95) for one in gap]) / CONDUCTANCE_QUANTUM)
    numbers = np.concatenate([np.full(len(one), n) for n, one in enumerate(gap)])
    counts = ConductanceHistogram(maximum=max(2.0 * top, 1.0)).compute(conductance, numbers)
    levels = [one.position for one in counts.peaks if 0.3 < one.position < 1.3 * top]
    if not levels or levels[-1] < 0.7 * top:
        levels = [*[one for one in levels if one < 0.7 * top], max(top, 0.01)]
        notes.append(
            f"the highest level, {levels[-1]:.3g} G0, is the median of the highest conductances: "
            "the histogram has no significant peak there"
        )
    notes.append(
        f"levels of {', '.join(f'{one:.3g}' for one in levels[:MOST_LEVELS])} G0 from the "
        "histogram of the fitted cycles: the numbers hold for these; --levels gives others"
    )
    return kind(levels=tuple(float(one) for one in levels[:MOST_LEVELS]))


def _fitted(cycle: Cycle, typical: CompactModel, free: BoolArray) -> CycleFit:
    """Fit a cycle from the typical model and, if that is no good, from its own features."""
    own = typical.guess(cycle.features(), typical).places()
    own[~free] = typical.places()[~free]
    first = fit_cycle(cycle, typical, free, 0.5)
    if first.remaining < _GOOD:
        return first
    second = fit_cycle(cycle, typical.moved(own), free, 1.0)
    return min(first, second, key=lambda fit: fit.cost)


def _told(people: Population, kind: type[CompactModel], fits: Sequence[CycleFit]) -> list[str]:
    """Say what the data do not say."""
    held = [one for one in people.distributions if not one.determined]
    said = []
    for one in held:
        text = (
            f"{one.name} is not said by these data (its standard error in a cycle is too large, or "
            f"it lies at a bound): held at {one.value:.3g} {one.unit}".rstrip()
        )
        if one.allowed is not None:
            text += (
                f", and moved from {one.allowed[0]:.3g} to {one.allowed[1]:.3g}, which the cycles "
                f"do not contradict (no further than {FURTHEST}): the intervals of the others are "
                "wider by how far they go with it"
            )
        said.append(text)
    if not people.by_device:
        count = len({fit.cycle.device for fit in fits})
        said.append(
            f"intervals are over cycles: {counted(count, 'device')} do not say how devices of the "
            f"model {kind.model} differ"
        )
    return said


def _bands(
    cycles: Sequence[Cycle], model: CompactModel, people: Population, seed: int
) -> list[Band]:
    """Predict held-out cycles by the typical model and by models drawn."""
    random = np.random.default_rng(seed)
    root = square_root(people.covariance)
    drawn = [
        model.moved(people.mean + root @ random.standard_normal(len(root))) for _ in range(DRAWS)
    ]
    found = []
    for cycle in cycles:
        several = np.array([cycle.predicted(one) for one in drawn])
        low, high = np.quantile(several, [0.05, 0.95], axis=0)
        found.append(Band(cycle, cycle.predicted(model), low, high))
    return found


def _held_out(bands: Sequence[Band], half: Sequence[Cycle]) -> HeldOut:
    """Score the predictions of held-out cycles."""
    seen = np.concatenate([band.cycle.known for band in bands])
    typical = np.concatenate([band.typical[band.cycle.used] for band in bands])
    constant = float(np.mean(np.concatenate([cycle.known for cycle in half])))
    left, all_of_it = np.sum((seen - typical) ** 2), np.sum((seen - constant) ** 2)
    decades = 1.0 / np.log(10.0)
    return HeldOut(
        len(bands),
        float(1.0 - left / all_of_it),
        float(np.sqrt(np.mean((seen - typical) ** 2)) * decades),
        _mean_curve_error(bands, half) * decades,
        float(np.mean([band.inside for band in bands])),
    )


def _mean_curve_error(bands: Sequence[Band], half: Sequence[Cycle]) -> float:
    """Return the error of the mean curve of the fitted half, of ln G; NaN if there is none."""
    lengths = {len(cycle.time) for cycle in [*half, *(band.cycle for band in bands)]}
    if len(lengths) > 1:
        return float("nan")
    known = np.array([np.where(one.used, one.log_conductance, np.nan) for one in half])
    counts = np.isfinite(known).sum(axis=0)
    mean = np.nansum(known, axis=0) / np.maximum(counts, 1)
    beyond = [(band.cycle.log_conductance - mean)[band.cycle.used & (counts > 0)] for band in bands]
    return float(np.sqrt(np.mean(np.concatenate(beyond) ** 2)))
