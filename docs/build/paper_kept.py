"""Runs of the paper as the repository keeps them: their series, and the atoms of a few structures.

The series are those of docs/data/paper-runs.json. The atoms lie in docs/data/paper-runs, one file
for a run: the numbered structures and the single-atom contact, to a thousandth of an angstrom. With
them the figures that show several runs are drawn of all, also when the run directories are gone.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from nanogap.analysis import Stage
from nanogap.analysis.filament.contact import bonded
from nanogap.analysis.filament.structures import growth_structures, single_atom_contacts
from nanogap.campaign.kept import kept_frame, kept_numbers, write_kept
from nanogap.report.paper import Trajectory
from nanogap.report.result import RunResult
from nanogap.settings import Settings, load_settings
from nanogap.structure.axis import held_axes, reach
from nanogap.typing import FloatArray

FOLDER = Path(__file__).resolve().parents[1] / "data" / "paper-runs"

#: Observables that the series of a run have.
SERIES = ("tip_distance", "atoms_in_gap", "bottleneck_atoms", "largest_island")
#: Stages in which there is a bridge of metal.
_BRIDGED = (Stage.CONTACT.value, Stage.LATERAL_GROWTH.value)
_DECIMALS = 3


def identity_of(run: Mapping[str, Any]) -> tuple[float, str, int, bool]:
    """Tell a run from all others, in the order of the page: the higher voltage first.

    An earlier one of the same preset and seed was made by earlier versions of the engine, and
    nobody can make it again: other rounding makes another trajectory after some picoseconds.
    """
    return -run["voltage"], run["preset"], run["seed"], run.get("earlier", False)


def kept_path(run: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Give the file of the atoms of a run; its preset has its voltage: ``paper-8v-2.extxyz.xz``."""
    _, preset, seed, earlier = identity_of(run)
    return folder / f"{preset}-{seed}{'-earlier' if earlier else ''}.extxyz.xz"


def keep_structures(one: Trajectory, path: Path) -> None:
    """Write the atoms of the numbered structures and of the first single-atom contact of a run.

    Every frame has the axis of the cell in which the junction is cut, so that T can be computed
    from the file alone.

    Parameters
    ----------
    one : Trajectory
    path : Path
    """
    axes = _cell_axes(one)
    known = one.result.observables, one.result.transmission, one.usable
    frames = []
    for number in sorted({*growth_structures(*known), *single_atom_contacts(*known)[:1]}):
        frame = one.frame(number)
        for name in ("potential", "charge"):
            frame.arrays.pop(name, None)
        frame.positions = frame.positions.round(_DECIMALS)
        frame.info["cell_axis"] = axes[number]
        frames.append((number, frame))
    path.parent.mkdir(exist_ok=True)
    write_kept(path, frames)


def _cell_axes(one: Trajectory) -> FloatArray:
    """Axes of the cells of the junctions, shape (n_snapshots, 2), angstrom."""
    result = one.result
    places = np.stack([result.series("constriction_x"), result.series("constriction_y")], axis=1)
    farthest = reach(
        float(one.first.info["lattice_constant"]), result.settings.junction.lead_repeats
    )
    return held_axes(places, bonded(result.observables), farthest)


def kept_trajectory(run: Mapping[str, Any], folder: Path = FOLDER) -> Trajectory:
    """Open a run as it is kept.

    Parameters
    ----------
    run : mapping
        As `docs.build.paper_runs.described` gives it.
    folder : Path
        Of the atoms.
    """
    path = kept_path(run, folder)
    there = np.isin(np.arange(len(run["time"])), list(kept_numbers(path)))
    settings = load_settings(
        run["preset"],
        overrides={
            "seed": run["seed"],
            "dynamics": {"engine": run["engine"], "time_step": run["time_step"]},
        },
    )
    return Trajectory(
        run["name"], _result(run, settings), there, lambda number: kept_frame(path, number)
    )


def _result(run: Mapping[str, Any], settings: Settings) -> RunResult:
    time = np.array(run["time"], dtype=np.float64)
    spans = [(begin, end) for stage, begin, end in run["stages"] if stage in _BRIDGED]
    # the times of the stages are not rounded
    connected = [any(begin - 1e-3 <= one <= end + 1e-3 for begin, end in spans) for one in time]
    series = {name: ("snapshot", np.array(run[name], dtype=np.float64)) for name in SERIES}
    return RunResult.gather(
        settings=settings,
        observables=xr.Dataset(
            {"time": ("snapshot", time * 1000.0), "connected": ("snapshot", connected), **series}
        ),
        transmission=xr.Dataset(
            {
                "transmission_average": (
                    ("snapshot", "energy"),
                    np.array(run["transmission"], dtype=np.float64)[:, None],
                )
            },
            coords={"snapshot": np.arange(len(time)), "energy": [0.0]},
        ),
        spectra=None,
        frames=[],
        failures={},
        planned_end=run["planned"] * 1000.0,
    )
