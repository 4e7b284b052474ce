"""The measurement dataset: the one form that measured curves and simulated traces have.

Dimension ``point``; variables ``time`` (s), ``voltage`` (V), ``current`` (A), ``cycle``,
``direction`` (1 up, -1 down, 0 constant) and ``compliance``; coordinate ``file``: the place of the
file in ``file_name`` and ``device_name``, which have the dimension ``source``. Where the
conductance itself is given, as by a simulated run, there is ``conductance`` (G0), and voltage and
current are NaN. Where it is known what is in series with the gap of each source, as of simulated
devices, there is the coordinate ``series_resistance`` (ohm) over ``source``.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from nanogap.errors import DataFormatError, NoDataError, SettingsError
from nanogap.io.sweeps import direction_and_cycle, sweep_source
from nanogap.printing import counted, listed
from nanogap.typing import FloatArray

_UNITS = {"time": "s", "voltage": "V", "current": "A", "conductance": "G0"}
#: Attribute of ``compliance``: 1 if the source flags the points that were limited, 0 if not.
_RECORDED = "recorded"
_DEVICE = re.compile(
    r"(?:^|[_\-\s.])((?:device|dev|sample|nw|wire)[_\-\s]?[a-z]?\d+)", re.IGNORECASE
)
_INSTRUMENT = re.compile(
    r"keithley|keysight|agilent|tektronix|hewlett|yokogawa|rohde|zurich|stanford|bio-?logic|gamry"
    r"|\b(smu|dmm|b1500a?|b29\d\d\w?|ni[ -]?\w*\d{4}|(model\W*)?(k|ke)?(24|26|42|64|65|20|23)\d\d"
    r"[a-z]*(-scs)?|smu[ab]?\d?|source ?meter|dev\d/ai\d)\b",
    re.IGNORECASE,
)


def measurement_dataset(
    *,
    time: FloatArray,
    voltage: FloatArray | None = None,
    current: FloatArray | None = None,
    conductance: FloatArray | None = None,
    cycle: NDArray[np.int64] | None = None,
    compliance: NDArray[np.bool_] | None = None,
    name: str = "data",
    device: str | None = None,
    attrs: Mapping[str, str] | None = None,
) -> xr.Dataset:
    """Make a measurement dataset of arrays.

    Parameters
    ----------
    time : ndarray, shape (n_points,)
        s; NaN if it was not recorded.
    voltage, current : ndarray, shape (n_points,), optional
        V and A.
    conductance : ndarray, shape (n_points,), optional
        G0, where it is known without a voltage and a current.
    cycle : ndarray of int, shape (n_points,), optional
        Default: counted from the sweep.
    compliance : ndarray of bool, shape (n_points,), optional
        Whether the instrument limited the point. Default: not recorded (`flags_compliance`), which
        is written as nowhere.
    name, device : str, optional
        Of the file and of the device; the latter is found in the former if it is there.
    attrs : mapping, optional
        What else to remember.
    """
    count = len(time)
    unknown = np.full(count, np.nan)
    volts = unknown if voltage is None else voltage
    amperes = unknown if current is None else current
    if voltage is None or current is None:
        source = volts if voltage is not None else amperes
    else:
        source = sweep_source(volts, amperes)
    direction, counted = direction_and_cycle(source)
    variables = {
        "time": time,
        "voltage": volts,
        "current": amperes,
        "cycle": (counted if cycle is None else cycle).astype(np.int64),
        "direction": direction,
        "compliance": np.zeros(count, dtype=bool) if compliance is None else compliance,
    }
    if conductance is not None:
        variables["conductance"] = conductance
    made = dataset_of(variables, name, device or device_of(name), attrs or {})
    made["compliance"].attrs[_RECORDED] = int(compliance is not None)
    return made


def flags_compliance(dataset: xr.Dataset) -> bool:
    """Whether the source of a measurement dataset flags the points in compliance.

    Then no flag at a point means that the instrument did not limit it; otherwise nothing is known
    of it.
    """
    return bool(dataset["compliance"].attrs.get(_RECORDED, 0))


def dataset_of(
    variables: Mapping[str, NDArray[Any]], name: str, device: str, attrs: Mapping[str, str]
) -> xr.Dataset:
    """Make a measurement dataset of one source of variables over ``point``."""
    place = np.zeros(len(variables["time"]), dtype=np.int32)
    # variables that are made here need no checks, which cost more than a short file's numbers
    data = {
        key: xr.Variable("point", values, {"units": _UNITS[key]} if key in _UNITS else None)
        for key, values in variables.items()
    }
    coords = {
        "file": xr.Variable("point", place),
        "file_name": xr.Variable("source", np.array([name])),
        "device_name": xr.Variable("source", np.array([device])),
    }
    return xr.Dataset(data, coords, dict(attrs))


def sources_of(dataset: xr.Dataset) -> Iterator[xr.Dataset]:
    """Yield the measurement datasets of the sources of one, such as devices or files."""
    if dataset.sizes["source"] == 1:
        yield dataset
        return
    place = dataset["file"].to_numpy()
    for number in range(dataset.sizes["source"]):
        one = dataset.isel(point=np.flatnonzero(place == number), source=[number])
        one = one.assign_coords(file=one["file"] - number)
        one.encoding.update(dataset.encoding)
        yield one


def without_preparation(dataset: xr.Dataset) -> list[xr.Dataset]:
    """Return the sources of a measurement dataset without what prepared them: cycles below 0.

    A note and the attribute ``n_prepared`` say how many readings are left out; the attribute
    ``prepared_at`` is the time of the last of them, s. Sources of which nothing else was read are
    left out.

    Raises
    ------
    NoDataError
        If nothing remains.
    """
    kept: list[xr.Dataset] = []
    left_out: list[str] = []
    for one in sources_of(dataset):
        prepares = one["cycle"].to_numpy() < 0
        if prepares.all() and len(prepares):
            left_out.append(str(one["file_name"].to_numpy()[0]))
        elif prepares.any():
            count = int(prepares.sum())
            note = f"{counted(count, 'reading')} of the preparation left out"
            part = one.isel(point=np.flatnonzero(~prepares))
            part.encoding.update(one.encoding)
            notes = filter(None, [one.attrs.get("notes", ""), note])
            ended = float(np.nanmax(one["time"].to_numpy()[prepares], initial=0.0))
            told = {"notes": "; ".join(notes), "n_prepared": count, "prepared_at": ended}
            kept.append(part.assign_attrs(told))
        else:
            kept.append(one)
    if left_out:
        unread = f"{listed(left_out)}: only the preparation (cycles below 0) was read so far"
        if not kept:
            raise NoDataError(unread)
        kept[0] = kept[0].assign_attrs(
            notes="; ".join(filter(None, [kept[0].attrs.get("notes", ""), unread]))
        )
    return kept


def with_series_resistance(dataset: xr.Dataset, resistance: FloatArray) -> xr.Dataset:
    """Note what is in series with the gap of every source.

    Parameters
    ----------
    dataset : xarray.Dataset
        A measurement dataset.
    resistance : ndarray, shape (n_sources,)
        ohm.
    """
    return dataset.assign_coords(series_resistance=("source", resistance, {"units": "ohm"}))


def with_stated_resistances(dataset: xr.Dataset) -> xr.Dataset:
    """Take the series resistances of simulated devices from an attribute, where they once were."""
    stated = np.atleast_1d(dataset.attrs.get("series_resistance", []))
    known = "series_resistance" in dataset.coords or "simulated" not in dataset.attrs
    # devices without a reading have a resistance and are no source: whose is whose is then unknown
    if known or len(stated) != dataset.sizes.get("source") or stated.dtype.kind not in "iuf":
        return dataset
    return with_series_resistance(dataset, stated.astype(np.float64))


def known_series_resistance(dataset: xr.Dataset) -> float | None:
    """Return what is in series with the gap of a measurement dataset of one source, ohm.

    None where the data do not say it.
    """
    found = dataset.coords.get("series_resistance")
    if found is None or found.dims != ("source",) or found.dtype.kind not in "iuf":
        return None
    value = float(found.to_numpy()[0])
    return value if np.isfinite(value) else None


def device_of(name: str) -> str:
    """Device that a file name speaks of, such as ``nw3``; the stem of the name if it does not."""
    found = _DEVICE.search(Path(name).stem)
    return found[1].casefold() if found else Path(name).stem


def is_instrument(name: str) -> bool:
    """Whether a name is that of an instrument and not of what it measured."""
    return bool(_INSTRUMENT.search(name))


def simulated_trace(transmission: xr.Dataset, name: str) -> xr.Dataset:
    """Turn the transmissions of a run into a measurement dataset.

    Parameters
    ----------
    transmission : xarray.Dataset
        ``transmission_average`` over ``snapshot`` and perhaps ``energy`` (eV from E_F); may have
        ``time`` over ``snapshot``, fs.
    name : str
        File or folder.

    Returns
    -------
    xarray.Dataset
        With ``conductance`` (G0) and the attribute ``simulated``.

    Raises
    ------
    DataFormatError
        If there is no snapshot.
    """
    values = transmission["transmission_average"]
    if "energy" in values.dims:
        values = values.sel(energy=0.0, method="nearest")
    if values.dims != ("snapshot",) or not values.size:
        raise DataFormatError(f"{name} holds no transmission over snapshots")
    time = np.full(values.size, np.nan)
    if "time" in transmission and transmission["time"].dims == ("snapshot",):
        time = transmission["time"].to_numpy().astype(float) * 1e-15
    return measurement_dataset(
        time=time,
        # rounding can leave the T of an open gap a trifle below zero
        conductance=np.maximum(values.to_numpy().astype(float), 0.0),
        name=name,
        device=f"simulated {Path(name).stem}",
        attrs={"simulated": "ballistic transmission of snapshots of molecular dynamics"},
    )


def stacked(parts: list[xr.Dataset]) -> xr.Dataset:
    """Put the sweeps of one file after each other: cycles and times go on."""
    if len(parts) == 1:
        return parts[0]
    if len({"conductance" in part for part in parts}) > 1:
        raise SettingsError("some sheets hold a conductance and others a voltage and a current")
    shifted: list[xr.Dataset] = []
    cycle, clock = 0, 0.0
    for part in parts:
        moved = part.assign(cycle=part["cycle"] + cycle)
        time = part["time"].to_numpy()
        if shifted and np.isfinite(time).any():
            begins = float(np.nanmin(time))
            moved["time"] = ("point", time + max(0.0, clock - begins), {"units": "s"})
        cycle = int(moved["cycle"].max()) + 1
        clock = float(np.nanmax(moved["time"].to_numpy(), initial=0.0)) + _interval(time)
        shifted.append(moved)
    merged = xr.concat(
        shifted,
        dim="point",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        combine_attrs="override",
        join="override",
    )
    merged.attrs["notes"] = "; ".join(
        dict.fromkeys(note for part in parts if (note := part.attrs.get("notes", "")))
    )
    return merged


def _interval(time: FloatArray) -> float:
    steps = np.diff(time[np.isfinite(time)])
    return float(np.median(steps)) if len(steps) else 0.0


def cycle_number(dataset: xr.Dataset) -> NDArray[np.int64]:
    """Return cycle numbers that run through all files, shape (n_points,), from 0."""
    file = dataset["file"].to_numpy().astype(np.int64)
    cycle = dataset["cycle"].to_numpy().astype(np.int64)
    if not len(cycle):
        return cycle
    cycle -= cycle.min()
    key = file * (int(cycle.max()) + 1) + cycle
    return np.asarray(np.unique(key, return_inverse=True)[1], dtype=np.int64)


def joined_files(parts: list[xr.Dataset]) -> xr.Dataset:
    """Put the datasets of several files into one; the coordinate ``file`` tells them apart.

    What else is known over ``source``, such as the axes of a campaign, stays if all have it.

    Raises
    ------
    SettingsError
        If there is none, or some files give a conductance and others a voltage and a current.
    """
    if not parts:
        raise SettingsError("no files to read")
    sources = 0
    moved = []
    if any("preparation" in part for part in parts):
        parts = [_with_marks(part) for part in parts]
    for part in parts:
        moved.append(part.assign_coords(file=part["file"] + sources))
        sources += part.sizes["source"]
    if len(parts) == 1:
        return moved[0]
    if len({"conductance" in part for part in parts}) > 1:
        raise SettingsError(
            "some files give a conductance and others a voltage and a current: analyse them apart"
        )
    of_sources = [
        {str(key) for key, found in part.variables.items() if found.dims == ("source",)}
        for part in parts
    ]
    names = {
        key: ("source", _in_a_row([part[key].to_numpy() for part in parts]), parts[0][key].attrs)
        for key in sorted(set.intersection(*of_sources))
    }
    points = [part.drop_vars(sorted(own)) for part, own in zip(moved, of_sources, strict=True)]
    merged = xr.concat(
        points,
        dim="point",
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="drop_conflicts",
    )
    notes = [
        f"{part['file_name'].to_numpy()[0]}: {note}"
        for part in parts
        if (note := part.attrs.get("notes", ""))
    ]
    merged.attrs["notes"] = "; ".join(notes)
    return merged.assign_coords(names)


def _with_marks(part: xr.Dataset) -> xr.Dataset:
    """Mark the readings of a preparation also where there is none."""
    if "preparation" in part:
        return part
    return part.assign(preparation=("point", part["cycle"].to_numpy() < 0))


def _in_a_row(values: list[NDArray[Any]]) -> NDArray[Any]:
    """Put the values of several sources behind each other; words where some are words."""
    words = any(one.dtype.kind not in "iufb" for one in values)
    return np.concatenate([one.astype(str) for one in values] if words else values)
