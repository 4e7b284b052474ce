"""Evaluate the readings of `validation.device_protocols`, for docs/device-results.md.

    python -m validation.device_results FOLDER [--other FOLDER_OF_ANOTHER_LINE_TENSION]

Writes docs/data/device-protocols.json, which holds all numbers of the page, and the figures. A SET
is the first reading of a half-loop with at least half a quantum, as the current shows it, if the
voltage still rises then (later ones are counted apart); a RESET is the last such reading before the
other sign's end. Intervals are standard errors of means over devices, each with the mean of its
cycles; those of lifetimes are of 90 %, exact for events that come at random. A contact goes through
several levels in a read; each counts.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
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
from nanogap.cli.programs import run_main
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
#: A level is one that has lasted for longer than this, s, and is watched from then on.
WATCHED = 1.0
#: Temperature of a read whose name gives none, K.
ROOM = 300.0
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
    """How long a level lasted, from a second after it was reached.

    Attributes
    ----------
    condition : str
        What the read was made for: a temperature, or what else was changed; part of its name.
    device : str
        Seed of the device.
    temperature : float
        K.
    level : int
        Nearest multiple of G0.
    start : float
        Conductance in that second, G0.
    time : float
        s; a level that has lasted for a second is watched from then on.
    censored : bool
        Whether the read ended first.
    noise : float
        Standard deviation over mean while it lasted; it is that of the atoms, not of the meter.
    """

    condition: str
    device: str
    temperature: float
    level: int
    start: float
    time: float
    censored: bool
    noise: float


def lifetimes(found: dict[str, Readings]) -> list[Lifetime]:
    """Evaluate the reads at 0.1 V: each level that the contact was at, one after the other."""
    result = []
    for name, run in found.items():
        if not name.startswith("retention"):
            continue
        condition, device = name.removeprefix("retention-").rsplit("-", 1)
        temperature = float(condition) if condition.isdecimal() else ROOM
        read = np.flatnonzero(run["read"] > 0.0)
        trace, time = run["conductance"][read], run["time"][read]
        for first, end in visits(trace, time):
            kept = trace[first:end]
            start = float(np.median(kept[time[first:end] <= time[first] + WATCHED]))
            last = min(end, len(trace) - 1)
            noise = float(np.std(kept) / np.mean(kept)) if len(kept) > 5 else float("nan")
            result.append(
                Lifetime(
                    condition,
                    device,
                    temperature,
                    round(start),
                    start,
                    float(time[last] - time[first]) - WATCHED,
                    end == len(trace),
                    noise,
                )
            )
    return result


def visits(trace: NDArray[np.float64], time: NDArray[np.float64]) -> Iterator[tuple[int, int]]:
    """Yield first and end of each stay within TOLERANCE of where it began, of above WATCHED.

    What passes by more quickly is no level. Stays of an open gap are left out.
    """
    first = 0
    while first < len(trace):
        left = np.flatnonzero(np.abs(trace[first:] - trace[first]) > TOLERANCE)
        end = first + int(left[0]) if len(left) else len(trace)
        if trace[first] >= CONTACT and time[min(end, len(trace) - 1)] - time[first] > WATCHED:
            yield first, end
        first = end


@dataclass(frozen=True)
class Decay:
    """Rate at which levels are lost.

    Attributes
    ----------
    condition : str
        As in `Lifetime`.
    level : int or None
        None: all.
    devices, number, lost : int
        Devices; levels watched, and lost before the read ended.
    rate : float
        Lost per second of watching.
    interval : tuple of float
        90 %, of levels that are lost independently of one another.
    noise : float or None
        Median over the levels of the standard deviation over the mean.
    """

    condition: str
    level: int | None
    devices: int
    number: int
    lost: int
    rate: float
    interval: tuple[float, float]
    noise: float | None


def decays(lasted: Sequence[Lifetime]) -> list[Decay]:
    """Return the rates at which levels are lost, by condition and level."""
    result = []
    for condition in sorted({one.condition for one in lasted}):
        for level in (*LEVELS, None):
            own = [
                one for one in lasted if one.condition == condition and level in {None, one.level}
            ]
            if not own:
                continue
            rate = event_rate(_waiting_times(own), level=0.9)
            noise = [one.noise for one in own if np.isfinite(one.noise)]
            result.append(
                Decay(
                    condition,
                    level,
                    len({one.device for one in own}),
                    len(own),
                    rate.events,
                    rate.value,
                    (rate.low, rate.high),
                    float(np.median(noise)) if noise else None,
                )
            )
    return result


def activation(lasted: Sequence[Lifetime]) -> dict[str, float] | None:
    """Fit an activation energy and its standard error to lifetimes, eV; None of too few."""
    lasted = [one for one in lasted if one.condition.isdecimal()]
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
    """Return lifetimes as waiting times."""
    return WaitingTimes([one.time for one in lasted], [not one.censored for one in lasted])


def main() -> None:
    """Write data and figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="readings of validation.device_protocols")
    parser.add_argument(
        "--other",
        type=Path,
        help="current sweeps of device_protocols --bond-scaling 0.4, to be compared",
    )
    arguments = parser.parse_args()
    found = load(arguments.folder)
    if arguments.other:
        other = statistics(load(arguments.other))
    else:
        other = json.loads(DATA.read_text(encoding="utf-8"))["statistics_other"]
    lasted = lifetimes(found)
    lost = decays(lasted)
    results = {
        "command": "python -m validation.device_protocols; python -m validation.device_results",
        "loops": loops(found),
        "statistics": statistics(found),
        "statistics_other": other,
        "lifetimes": [asdict(one) for one in lasted],
        "decays": [asdict(one) for one in lost],
        "activation": activation(lasted),
    }
    write_json(DATA, results)
    figures.draw_loops(found, results["loops"])
    figures.draw_steps(found)
    figures.draw_histogram(results["statistics"], other)
    figures.draw_lifetimes(lasted, lost)


if __name__ == "__main__":
    run_main(main)
