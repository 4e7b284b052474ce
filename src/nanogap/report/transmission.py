"""Figures of a transmission outside a run: T(E) with its k-mesh error, and I(V)."""

from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nanogap.io import write_atomically
from nanogap.report.style import BLUE, GREEN, INK, ORANGE, PURPLE, QUIET, WIDTH, house_style

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, INK)
_MOST_NAMED = 8
_MICRO = 1e6


def write_transmission_figure(dataset: xr.Dataset, path: Path) -> None:
    """Draw T(E), and I(V) where the dataset has one.

    Parameters
    ----------
    dataset : xarray.Dataset
        From any backend, with ``current`` over (``snapshot``, ``voltage``) if I(V) is known.
    path : Path
        A name that ends in .png, .pdf or .svg.
    """
    with house_style():
        panels = 2 if "current" in dataset else 1
        figure = Figure(figsize=(WIDTH * (0.62 if panels == 1 else 1.0), 4.0))
        axes = figure.subplots(1, panels, squeeze=False)[0]
        _spectrum(axes[0], dataset)
        if "current" in dataset:
            _current(axes[1], dataset)
        suffix = path.suffix[1:]
        metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
        write_atomically(
            path,
            lambda temporary: figure.savefig(
                temporary, format=suffix, dpi=170, metadata=metadata[suffix]
            ),
        )


def _spectrum(axes: Axes, dataset: xr.Dataset) -> None:
    energies = dataset["energy"].to_numpy()
    table = dataset["transmission_average"].transpose("snapshot", "energy").to_numpy()
    errors = dataset["kpoint_error"].to_numpy() if "kpoint_error" in dataset else None
    marker = "o-" if len(energies) < 60 else "-"
    for number, values in enumerate(table):
        colour = _COLOURS[number % len(_COLOURS)]
        label = f"snapshot {int(dataset['snapshot'][number])}"
        axes.plot(energies, values, marker, color=colour, markersize=3.0, label=label)
        nearest = int(np.argmin(np.abs(energies)))
        if errors is not None and np.isfinite(errors[number]):
            axes.errorbar(
                energies[nearest], values[nearest], errors[number], color=colour, capsize=3.0
            )
    axes.axvline(0.0, color=QUIET, linewidth=0.8, linestyle=":")
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("energy from the Fermi energy (eV)")
    axes.set_ylabel("transmission (G$_0$)")
    axes.set_title(
        f"Transmission, {dataset.attrs.get('kpoints', '')}\nbar: estimated error of the k-mesh"
    )
    if 1 < len(table) <= _MOST_NAMED:
        axes.legend()


def _current(axes: Axes, dataset: xr.Dataset) -> None:
    voltages = dataset["voltage"].to_numpy()
    for number, values in enumerate(dataset["current"].to_numpy()):
        axes.plot(
            voltages, values * _MICRO, "o-", color=_COLOURS[number % len(_COLOURS)], markersize=3.0
        )
    axes.axhline(0.0, color=QUIET, linewidth=0.8)
    axes.set_xlabel("voltage (V)")
    axes.set_ylabel("current (µA)")
    axes.set_title("Current with the transmission of the unbiased junction")
