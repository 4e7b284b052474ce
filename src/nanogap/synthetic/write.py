"""Synthetic campaigns on disk, with the answers beside them."""

from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.random import Generator, SeedSequence

from nanogap import __version__
from nanogap.errors import SettingsError
from nanogap.io import measurement_dataset, write_json
from nanogap.synthetic import devices
from nanogap.synthetic.devices import SyntheticCurve
from nanogap.synthetic.instrument_files import DIALECTS, write_measurement

#: Kinds of campaign and what they are.
KINDS: dict[str, str] = {
    "levels": "current sweeps through quantized levels, and pristine curves (Figs. 3a, 4)",
    "switching": "voltage loops with compliance (Figs. 2a, 2b, 2d)",
    "quiet": "the same loops of devices that never switch",
    "retention": "both states read at constant voltage (Figs. 2c, 2e)",
    "noise": "a plateau with 1/f^alpha noise, for several alpha (Fig. 5a)",
    "telegraph": "a gap that jumps between two conductances",
    "breakdown": "voltage sweeps that break pristine wires (Fig. 1b)",
}


@dataclass(frozen=True)
class SyntheticFiles:
    """A synthetic campaign on disk.

    Attributes
    ----------
    folder : str
    files : list of str
        Relative to the folder.
    truth : str
        File of all answers.
    synthetic : bool
        True: these are no measurements.
    """

    folder: str
    files: list[str]
    truth: str
    synthetic: bool = True


def write_synthetic(
    folder: str | PathLike[str],
    kind: str,
    *,
    seed: int = 0,
    dialect: str = "csv",
    n_devices: int | None = None,
    cycles: int | None = None,
    points: int = 4000,
    series_resistance: float = 500.0,
    spread: float = 0.2,
) -> SyntheticFiles:
    """Write a synthetic campaign, one file per device, and ``truth.json`` with every answer.

    Parameters
    ----------
    folder : str or Path
        New or empty.
    kind : str
        One of `KINDS`.
    seed : int
        Same seed, same files.
    dialect : str
        One of `nanogap.synthetic.instrument_files.DIALECTS`.
    n_devices : int, optional
        Default: as in the paper, 5 devices, 11 wires for breakdown, 1 for loops.
    cycles : int, optional
        Of all devices together. Default: as in the paper, 116 current sweeps, 100 loops.
    points : int
        Of a current sweep.
    series_resistance, spread : float
        Mean over the devices, ohm, and largest relative deviation from it.

    Returns
    -------
    SyntheticFiles

    Raises
    ------
    SettingsError
        If an argument is wrong or the folder holds something.
    """
    if kind not in KINDS:
        raise SettingsError(f"kind {kind!r} is none of {', '.join(KINDS)}")
    if dialect not in DIALECTS:
        raise SettingsError(f"file format {dialect!r} is none of {', '.join(DIALECTS)}")
    if not 0.0 <= spread < 1.0 or series_resistance < 0.0 or points < 100:
        raise SettingsError(
            "the series resistance must be zero or positive, its spread from 0 to below 1, and a "
            "sweep needs 100 points or more"
        )
    count = n_devices or {"levels": 5, "breakdown": 11, "noise": 4, "retention": 2}.get(kind, 1)
    total = cycles or {"levels": 116, "switching": 100, "quiet": 100}.get(kind, count)
    if min(count, total) < 1 or total < count:
        raise SettingsError(f"{total} cycles of {count} devices: every device needs one or more")
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise SettingsError(f"{folder} exists and is not empty: choose another -o")
    folder.mkdir(parents=True, exist_ok=True)
    shares = [len(part) for part in np.array_split(np.arange(total), count)]
    truths, names = {}, []
    for number, seeds in enumerate(SeedSequence(seed).spawn(count)):
        random = np.random.default_rng(seeds)
        resistance = series_resistance * (1.0 + spread * random.uniform(-1.0, 1.0))
        made = _curves(
            kind, number, random, cycles=shares[number], points=points, resistance=resistance
        )
        for label, curve in made:
            name = f"synthetic_{label}_nw{number + 1}{DIALECTS[dialect][0]}"
            sub = folder / "pristine" if label == "pristine" else folder
            sub.mkdir(exist_ok=True)
            _write(curve, sub / name, dialect, seed, f"nw{number + 1}")
            names.append(str((sub / name).relative_to(folder)))
            truths[names[-1]] = curve.truth
    truth = folder / "truth.json"
    write_json(truth, {"synthetic": True, "seed": seed, "kind": kind, "files": truths})
    return SyntheticFiles(str(folder), names, str(truth))


def _curves(
    kind: str, number: int, random: Generator, *, cycles: int, points: int, resistance: float
) -> Iterator[tuple[str, SyntheticCurve]]:
    """Yield label and curve of one device."""
    if kind == "levels":
        yield "pristine", devices.pristine_curve(random, resistance=resistance)
        yield (
            kind,
            devices.level_sweeps(
                random, cycles=cycles, points=points, series_resistance=resistance
            ),
        )
    elif kind in {"switching", "quiet"}:
        yield (
            kind,
            devices.switching_loops(
                random, cycles=cycles, series_resistance=resistance, switching=kind == "switching"
            ),
        )
    elif kind == "retention":
        level, drift = (2.5, -0.01) if number % 2 == 0 else (0.01, -0.03)
        state = "lrs" if number % 2 == 0 else "hrs"
        yield (
            f"{kind}_{state}",
            devices.retention_trace(random, level=level, drift=drift, series_resistance=resistance),
        )
    elif kind == "noise":
        yield kind, devices.noise_trace(random, exponent=0.5 * (number % 4 + 1))
    elif kind == "telegraph":
        yield kind, devices.telegraph_trace(random)
    else:
        yield kind, devices.breakdown_sweep(random, wire=max(1.0, resistance - 300.0))


def _write(curve: SyntheticCurve, path: Path, dialect: str, seed: int, device: str) -> None:
    dataset = measurement_dataset(
        time=curve.time,
        voltage=curve.voltage,
        current=curve.current,
        cycle=curve.cycle,
        compliance=curve.compliance,
        name=path.name,
        device=device,
        attrs={
            "synthetic": f"yes - no measurement - made by nanogap {__version__} with seed {seed}",
            "device": device,
        },
    )
    write_measurement(dataset, path, dialect)
