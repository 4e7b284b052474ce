"""Readings of a device as a measurement dataset, which every analysis of measured data takes."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version

import numpy as np
import pandas as pd
import xarray as xr

from nanogap.device.state import event_names
from nanogap.electrical.segments import Quantity
from nanogap.io.dataset import measurement_dataset, with_series_resistance
from nanogap.settings.device import DeviceSettings
from nanogap.typing import FloatArray

#: Electrodes, in the order of the charges of a reading.
ELECTRODES = ("lower", "upper")
CHARGE_WORDS = (
    "elementary charges that metal joined to this electrode alone gave, less those it took; metal "
    "that joins both electrodes, or none, counts for neither"
)
_UNITS = {
    "gap_voltage": "V",
    "electronic_current": "A",
    "ionic_current": "A",
    "gap_conductance": "G0",
}


def readings_dataset(
    columns: Mapping[str, FloatArray],
    settings: DeviceSettings,
    name: str,
    number: int = 0,
    driven: Quantity | None = None,
) -> xr.Dataset:
    """Put the readings of one device into a measurement dataset.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (n_points,)
        By `nanogap.device.measurement.point_columns`.
    settings : DeviceSettings
        Of this device.
    name : str
    number : int
        Of the device among several, from 0.
    driven : {'voltage', 'current'}, optional
        What the source set. Default: what the protocol of the settings sets at its beginning.

    Returns
    -------
    xarray.Dataset
        As `nanogap.io.dataset.measurement_dataset` makes it, with ``gap_voltage``,
        ``electronic_current``, ``ionic_current`` and ``gap_conductance`` (true means, without
        noise), ``bridged``, ``continued``, ``read``, ``atoms_cut_off``, ``n_ions`` and ``device``;
        ``events`` over (``point``, ``event``) and ``charge`` over (``point``, ``electrode``), both
        counted from the beginning (`nanogap.device.measurement.Point`). Cycles below 0 are those of
        the preparation; where there is one, ``preparation`` says of every reading whether it
        belongs to it. Coordinate
        ``series_resistance`` (ohm) over ``source``: that of the device's circuit. Attributes
        ``parasitic_capacitance`` (F) and ``driven``.
    """
    part = measurement_dataset(
        time=columns["time"],
        voltage=columns["voltage"],
        current=columns["current"],
        cycle=columns["cycle"].astype(np.int64),
        compliance=columns["compliance"].astype(bool),
        name=name,
        device=name,
    )
    values = {**columns, "gap_conductance": columns["conductance"]}
    for key, unit in _UNITS.items():
        part[key] = ("point", values[key], {"units": unit})
    for key in ("bridged", "continued", "read"):
        part[key] = ("point", columns[key].astype(bool))
    if (prepares := part["cycle"].to_numpy() < 0).any():
        part["preparation"] = ("point", prepares, {"long_name": "belongs to the preparation"})
    for key in ("atoms_cut_off", "n_ions"):
        part[key] = ("point", columns[key].astype(np.int64))
    part["events"] = _together(columns, "event", event_names())
    part["charge"] = _together(columns, "electrode", ELECTRODES, "charge ")
    part["charge"].attrs["long_name"] = CHARGE_WORDS
    part["device"] = ("point", np.full(len(columns["time"]), number + 1, dtype=np.int64))
    # what curves alone do not tell
    part.attrs["parasitic_capacitance"] = settings.circuit.capacitance
    part.attrs["driven"] = driven or settings.protocol.cycle_segments(0)[0].quantity
    return with_series_resistance(part, np.array([settings.circuit.series.parasitic]))


def with_origin(dataset: xr.Dataset, settings: DeviceSettings) -> xr.Dataset:
    """Note on a dataset of readings that they are simulated, and with which settings."""
    return dataset.assign_attrs(
        simulated="kinetic Monte Carlo of a device",
        nanogap_version=version("nanogap"),
        settings=json.dumps(settings.model_dump(mode="json")),
    )


def readings_table(dataset: xr.Dataset) -> pd.DataFrame:
    """Put what an analysis needs of a dataset of readings into a table, as a CSV file has it.

    Parameters
    ----------
    dataset : xarray.Dataset
        By `readings_dataset`, of one device or several.

    Returns
    -------
    pandas.DataFrame
        A row a reading; the names of the columns carry their units.
    """
    header = {
        "time": "time (s)",
        "voltage": "voltage (V)",
        "gap_voltage": "gap_voltage (V)",
        "current": "current (A)",
        "cycle": "cycle",
        "device": "device",
        "compliance": "compliance",
    }
    if "preparation" in dataset:
        header["preparation"] = "preparation"
    frame = dataset[list(header)].drop_vars(["file"]).to_dataframe()[list(header)]
    flags = [name for name in ("compliance", "preparation") if name in header]
    frame[flags] = frame[flags].astype(int)
    return frame.rename(columns=header)


def _together(
    columns: Mapping[str, FloatArray], dimension: str, names: Sequence[str], prefix: str = ""
) -> xr.DataArray:
    """Put counts beside each other, shape (n_points, n_names)."""
    counts = np.stack([columns[f"{prefix}{name}"] for name in names], axis=1).astype(np.int64)
    return xr.DataArray(counts, {dimension: list(names)}, ("point", dimension))


def mark_preparation(cycle: FloatArray, n_cycles: int) -> None:
    """Count the cycles of a preparation below 0 that was begun when they were counted from 0.

    Parameters
    ----------
    cycle : ndarray, shape (n_points,)
        Of each reading; changed in place.
    n_cycles : int
        Of the preparation.
    """
    prepares = np.flatnonzero(cycle < 0)
    if len(prepares):
        first = cycle[: prepares[-1]]
        first[first >= 0] = np.minimum(first[first >= 0] - n_cycles, -1)
