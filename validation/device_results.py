"""Evaluate the readings of `validation.device_protocols`, for docs/device-results.md.

    python -m validation.device_results FOLDER

Writes docs/data/device-protocols.json, which holds all numbers of the page, and the figures. A SET
is the first reading of a half-loop with at least half a quantum, as the current shows it, if the
voltage still rises then (later ones are counted apart); a RESET is the last such reading before the
other sign's end. Intervals are standard errors of means over devices, each with the mean of its
cycles; those of lifetimes are of 90 %, exact for events that come at random.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from nanogap.analysis.filament.kinetics import (
    FEWEST_MEMBERS,
    WaitingTimes,
    event_rate,
    rate_trend,
)
from nanogap.analysis.traces.histogram import ConductanceHistogram
from nanogap.io import write_json
from nanogap.units import BOLTZMANN
from validation import device_result_figures as figures
from validation.device_conductance import DOCS

DATA = DOCS / "data" / "device-protocols.json"
#: Least conductance of a contact, G0.
CONTACT = 0.5
#: Levels whose lifetimes are compared, G0.
LEVELS = (1, 2, 3)
#: A level is lost once G has left it by more than this, G0.
TOLERANCE = 0.4
#: Lifetime of a level that was lost before the second reading, s.
_SHORTEST = 1e-3
#: Level of an interval of one standard deviation to each side.
_ONE_DEVIATION = float(norm.cdf(1.0) - norm.cdf(-1.0))

Readings = dict[str, NDArray[np.float64]]
Evaluation = Callable[[Readings], list[float]]


@dataclass(frozen=True)
class Mean:
    """Mean over devices.

    Attributes
    ----------
    mean : float or None
    error : float or None
        Standard error; None of fewer than three.
    number : int
    values : list of float
    """

    mean: float | None
    error: float | None
    number: int
    values: list[float]


def mean_of(values: list[float]) -> Mean:
    """Return mean and standard error."""
    if not values:
        return Mean(None, None, 0, [])
    error = float(np.std(values, ddof=1) / np.sqrt(len(values))) if len(values) > 2 else None
    return Mean(float(np.mean(values)), error, len(values), [round(v, 4) for v in values])


def load(folder: Path) -> dict[str, Readings]:
    """Read all runs by their names."""
    found = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as content:
            found[path.stem] = {name: content[name] for name in content.files}
    return found


def closed(run: Readings) -> NDArray[np.bool_]:
    """Return where the conductance is that of a contact, whether metal joins or nearly does."""
    return np.asarray(run["conductance"] >= CONTACT)


def _first_contacts(run: Readings) -> list[tuple[float, bool]]:
    """Return the voltage, V, of the first contact of each cycle, and whether it was rising."""
    found = []
    for cycle in np.unique(run["cycle"]):
        own = np.flatnonzero((run["cycle"] == cycle) & (run["voltage"] > 0.0))
        contacts = own[closed(run)[own]]
        if len(contacts) and contacts[0] > own[0]:
            # what the source was set to just before: after a contact the series drop begins
            before = run["voltage"][own[own < contacts[0]]]
            found.append((float(before[-1]), bool(before[-1] > 0.98 * before.max())))
    return found


def set_voltages(run: Readings) -> list[float]:
    """Return the voltage of the first contact of each cycle, V, if it comes on the way up."""
    return [voltage for voltage, rising in _first_contacts(run) if rising]


def late_sets(run: Readings) -> int:
    """Count the cycles whose first contact comes as the voltage falls again: no SET voltage."""
    return sum(not rising for _, rising in _first_contacts(run))


def reset_voltages(run: Readings) -> list[float]:
    """Return the voltage of the last contact of each cycle's negative half, V."""
    found = []
    for cycle in np.unique(run["cycle"]):
        own = np.flatnonzero((run["cycle"] == cycle) & (run["voltage"] < 0.0))
        contact = closed(run)[own]
        if len(own) and contact[: len(own) // 10].any() and not contact[-1]:
            found.append(float(run["voltage"][own[np.flatnonzero(contact)[-1]]]))
    return found


def low_state(run: Readings) -> list[float]:
    """Return the conductance on the way down at 0.1 V of each cycle, G0."""
    found = []
    for cycle in np.unique(run["cycle"]):
        own = np.flatnonzero((run["cycle"] == cycle) & (run["voltage"] > 0.0))
        down = own[np.argmax(run["voltage"][own]) :] if len(own) else own
        below = down[run["voltage"][down] < 0.15] if len(down) else down
        if len(below):
            found.append(float(np.median(run["conductance"][below])))
    return found


def _mean_over_devices(members: list[Readings], evaluate: Evaluation) -> dict[str, object]:
    """Return the mean over devices of what their cycles give, and its standard error."""
    cycles = [evaluate(run) for run in members]
    return asdict(mean_of([float(np.mean(values)) for values in cycles if values])) | {
        "cycles": [len(values) for values in cycles]
    }


def loops(found: dict[str, Readings]) -> dict[str, object]:
    """Evaluate loops, limits, rates and endurance."""
    groups: dict[str, list[Readings]] = defaultdict(list)
    for name, run in found.items():
        groups[name.rpartition("-")[0]].append(run)
    result: dict[str, object] = {}
    for group, members in sorted(groups.items()):
        if group.startswith(("loops", "compliance", "rate", "endurance", "slow")):
            result[group] = {
                "set_voltage": _mean_over_devices(members, set_voltages),
                "late_sets": sum(late_sets(run) for run in members),
                "reset_voltage": _mean_over_devices(members, reset_voltages),
                "low_state": _mean_over_devices(members, low_state),
                "seconds": [round(float(run["seconds"])) for run in members],
            }
    return result


def statistics(found: dict[str, Readings]) -> dict[str, object]:
    """Evaluate the histogram of the current sweeps."""
    members = [run for name, run in found.items() if name.startswith("statistics")]
    if not members:
        return {}
    histogram = ConductanceHistogram(maximum=8.0)
    first = 0.0
    by_device, joined = [], []
    for run in members:
        # readings of the current sweeps: the sweep that opens the device is not read
        histogram.add(run["conductance"], cycle=run["cycle"] + first)
        first += float(run["cycle"].max()) + 1.0
        by_device.append(np.histogram(run["conductance"], histogram.edges)[0].tolist())
        metal = run["conductance"][run["bridged"] > 0.0]
        joined.append(np.histogram(metal, histogram.edges)[0])
    return {
        "devices": len(members),
        "sweeps": int(first),
        "points": int(sum(len(run["conductance"]) for run in members)),
        "edges": np.round(histogram.edges, 4).tolist(),
        "by_device": by_device,
        "joined": np.sum(joined, axis=0).tolist(),
        "peaks": [
            {
                "position": peak.position,
                "uncertainty": peak.uncertainty,
                "counts": peak.counts,
                "deviation": peak.position / peak.nearest_level - 1.0
                if peak.nearest_level
                else None,
            }
            for peak in histogram.peaks
            if not peak.is_open_gap
        ],
        "seconds": [round(float(run["seconds"])) for run in members],
    }


@dataclass(frozen=True)
class Lifetime:
    """How long a level lasted.

    Attributes
    ----------
    temperature : float
        K.
    level : int
        Nearest multiple of G0 at the beginning of the read.
    start : float
        Conductance there, G0.
    time : float
        s.
    censored : bool
        Whether the read ended first.
    noise : float
        Standard deviation over mean while it lasted; it is that of the atoms, not of the meter.
    """

    temperature: float
    level: int
    start: float
    time: float
    censored: bool
    noise: float


def lifetimes(found: dict[str, Readings]) -> list[Lifetime]:
    """Evaluate the reads at 0.1 V."""
    result = []
    for name, run in found.items():
        if not name.startswith("retention"):
            continue
        temperature = float(name.split("-")[1])
        read = np.flatnonzero(run["read"] > 0.0)
        trace, time = run["conductance"][read], run["time"][read]
        if not len(read) or trace[0] < CONTACT:
            continue
        start = float(np.median(trace[:5]))
        lost = np.flatnonzero(np.abs(trace - start) > TOLERANCE)
        last = int(lost[0]) if len(lost) else len(trace) - 1
        kept = trace[: last + 1] if not len(lost) else trace[:last]
        noise = float(np.std(kept) / np.mean(kept)) if len(kept) > 5 else float("nan")
        result.append(
            Lifetime(
                temperature,
                round(start),
                start,
                float(time[last] - time[0]),
                not len(lost),
                noise,
            )
        )
    return result


@dataclass(frozen=True)
class Decay:
    """Rate at which levels are lost.

    Attributes
    ----------
    temperature : float
        K.
    level : int or None
        None: all.
    number, lost : int
        Levels watched, and lost before the read ended.
    rate : float
        Lost per second of watching.
    interval : tuple of float
        90 %, of a Poisson process.
    noise : float or None
        Median over the levels of the standard deviation over the mean.
    """

    temperature: float
    level: int | None
    number: int
    lost: int
    rate: float
    interval: tuple[float, float]
    noise: float | None


def decays(lasted: Sequence[Lifetime]) -> list[Decay]:
    """Return the rates at which levels are lost, by temperature and level."""
    result = []
    for temperature in sorted({one.temperature for one in lasted}):
        for level in (*LEVELS, None):
            own = [
                one
                for one in lasted
                if one.temperature == temperature and level in {None, one.level}
            ]
            if not own:
                continue
            rate = event_rate(_waiting_times(own), level=0.9)
            noise = [one.noise for one in own if np.isfinite(one.noise)]
            result.append(
                Decay(
                    temperature,
                    level,
                    len(own),
                    rate.events,
                    rate.value,
                    (rate.low, rate.high),
                    float(np.median(noise)) if noise else None,
                )
            )
    return result


def activation(lasted: Sequence[Lifetime]) -> dict[str, float] | None:
    """Fit an activation energy and its standard error to all lifetimes, eV; None of too few."""
    times = _waiting_times(lasted)
    inverse = np.array([-1.0 / (BOLTZMANN * one.temperature) for one in lasted])
    if times.events < FEWEST_MEMBERS or len(np.unique(inverse[times.observed])) < 2:
        return None
    found = rate_trend(times, inverse, level=_ONE_DEVIATION)
    return {
        "energy": found.slope,
        "error": (found.high - found.low) / 2.0,
        "lost": times.events,
    }


def _waiting_times(lasted: Sequence[Lifetime]) -> WaitingTimes:
    """Return lifetimes as waiting times; one lost before the second reading lasted _SHORTEST."""
    return WaitingTimes(
        [max(one.time, _SHORTEST) for one in lasted], [not one.censored for one in lasted]
    )


def main() -> None:
    """Write data and figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="readings of validation.device_protocols")
    found = load(parser.parse_args().folder)
    lasted = lifetimes(found)
    results = {
        "command": "python -m validation.device_protocols; python -m validation.device_results",
        "loops": loops(found),
        "statistics": statistics(found),
        "lifetimes": [asdict(one) for one in lasted],
        "decays": [asdict(one) for one in decays(lasted)],
        "activation": activation(lasted),
    }
    write_json(DATA, results)
    figures.draw_loops(found, results["loops"])
    figures.draw_steps(found)
    figures.draw_histogram(results["statistics"])
    figures.draw_lifetimes(lasted)


if __name__ == "__main__":
    main()
