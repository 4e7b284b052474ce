"""Tables of a file as one measured curve."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from nanogap.errors import DataFormatError, NanogapError, NoDataError, SettingsError
from nanogap.io.blocks import plain_name, side_by_side
from nanogap.io.cells import check_plausible, continued_time, numbers_of
from nanogap.io.clock import Clock
from nanogap.io.column_names import split_unit
from nanogap.io.columns import Column, as_argument, buffer_columns, identify_columns, steps_of
from nanogap.io.dataset import device_of, is_instrument, measurement_dataset, stacked
from nanogap.io.stated_limits import limits_above, stated
from nanogap.io.text_table import Table
from nanogap.units import CONDUCTANCE_QUANTUM


def dataset_of_tables(
    tables: list[Table],
    choice: Mapping[str, str] | None,
    path: Path,
    clock: Clock | None = None,
) -> xr.Dataset:
    """Join the tables of a file; one without a voltage and a current beside others is passed over.

    Parameters
    ----------
    tables : list of Table
    choice, clock
        See `nanogap.io.read_measurement`.
    path : Path
        The file.

    Raises
    ------
    NoDataError
        If no table has a voltage and a current.
    """
    source = path.name, _device(tables, path)
    parts, errors = [], []
    for table in tables:
        try:
            parts.append(_from_table(table, choice, clock, source))
        except (NoDataError, SettingsError) as error:
            # a chosen column that exists in no table is told, whatever the other tables hold
            errors.append(error)
    if not parts or (parts and any(_is_choice(error) for error in errors)):
        raise errors[0]
    merged = stacked(parts)
    if errors:
        notes = [str(merged.attrs.get("notes", "")), *(f"passed over: {one}" for one in errors)]
        merged.attrs["notes"] = "; ".join(note for note in notes if note)
    return merged


def _from_table(
    table: Table,
    choice: Mapping[str, str] | None,
    clock: Clock | None,
    source: tuple[str, str],
) -> xr.Dataset:
    """Turn one table into a measurement dataset; stepped columns become sweeps one by one."""
    steps = steps_of(table.header)
    if not steps and (steps := side_by_side(table.header)):
        table = replace(table, header=[plain_name(cell) for cell in table.header])
    if not steps:
        return _one_sweep(table, choice, clock, source)
    parts = []
    for step, places in steps.items():
        part = replace(
            table,
            where=f"{table.where}, step {step}",
            header=[table.header[place] for place in places],
            cells=table.cells.iloc[:, places].set_axis(range(len(places)), axis=1),
        )
        if not part.cells.isna().all(axis=None):
            parts.append(_one_sweep(part, choice, clock, source))
    return stacked(parts)


def _one_sweep(
    table: Table,
    choice: Mapping[str, str] | None,
    clock: Clock | None,
    source: tuple[str, str],
) -> xr.Dataset:
    """Read the columns of a table that has each quantity once."""
    where = table.where
    notes = list(table.notes)
    found = identify_columns(table.header, {**table.roles, **(choice or {})}, where, notes)
    if "voltage" not in found or "current" not in found:
        _add_buffer_columns(table, found, notes)
    wanted = {"conductance", "resistance"} & set(found)
    if not wanted and not {"voltage", "current"} <= set(found):
        missing = " and no ".join(q for q in ("voltage", "current") if q not in found)
        names = ", ".join(repr(cell) for cell in table.header if cell) or "none"
        raise NoDataError(
            f"{where}: no {missing} column among its {len(table.header)} columns (names: {names}); "
            f"choose them with {as_argument({'voltage': 'NAME', 'current': 'NAME'})}, or by "
            f"number, with a unit: {as_argument({'conductance': '1:G0'})}"
        )
    used = [key for key in found if key != "compliance"]
    clock = clock or Clock()
    values, status, keep = numbers_of(table, {key: found[key] for key in used}, notes, clock.origin)
    if not keep.any():
        raise DataFormatError(f"{where}: the table has no rows of numbers")
    compliance = (status == "C") | (status == "T")
    if "compliance" in found:
        raw = table.column(found["compliance"].index).astype(str).str.strip().str.casefold()
        compliance |= raw.isin(["1", "1.0", "true", "yes", "c", "t"]).to_numpy()[keep]
    if "current" in values and not compliance.any():
        compliance = stated(table, keep, values["current"], found.get("compliance"))
    check_plausible(values, found, where)
    count = int(keep.sum())
    conductance = values.get("conductance")
    if conductance is None and "resistance" in values and "current" not in values:
        with np.errstate(divide="ignore"):
            conductance = 1.0 / (values["resistance"] * CONDUCTANCE_QUANTUM)
    cycle = values.get("cycle")
    if cycle is not None and np.isnan(cycle).any():
        raise DataFormatError(f"{where}: the column {found['cycle'].name!r} of cycles has gaps")
    time = values.get("time", clock.times(count))
    return measurement_dataset(
        time=continued_time(time, where, notes),
        voltage=values.get("voltage"),
        current=values.get("current"),
        conductance=conductance if not {"voltage", "current"} <= set(values) else None,
        cycle=None if cycle is None else np.round(cycle).astype(np.int64),
        compliance=compliance if "compliance" in found or compliance.any() else None,
        name=source[0],
        device=source[1],
        attrs={**table.metadata, **limits_above(table.metadata), "notes": "; ".join(notes)},
    )


def _add_buffer_columns(table: Table, found: dict[str, Column], notes: list[str]) -> None:
    """Find source values and readings of a buffer whose header has no units."""
    pair = buffer_columns(table.header)
    if pair is None:
        return
    sizes = [pd.to_numeric(table.column(place), errors="coerce").abs().median() for place in pair]
    given = [split_unit(table.header[place])[1] for place in pair]
    function = next(
        (value for key, value in table.metadata.items() if "source" in key and "func" in key), ""
    ).casefold()
    if function.startswith(("v", "i", "a", "curr", "dc v", "dc c")):
        voltage_first = "v" in function.split("_")[-1][:5]
    elif any(given):
        return
    else:
        # a device has far more than one ohm, so the larger numbers are the volts
        voltage_first = bool(sizes[0] >= sizes[1])
        notes.append(
            "the buffer names no units: "
            + ("source values" if voltage_first else "readings")
            + " were taken as voltage because they are the larger"
        )
    places = pair if voltage_first else pair[::-1]
    for quantity, place in zip(("voltage", "current"), places, strict=True):
        found[quantity] = Column(place, table.header[place])


def _device(tables: list[Table], path: Path) -> str:
    """Return the device that the tables name, or else the file."""
    named = (t.metadata["device"] for t in tables if "device" in t.metadata)
    device = next((name for name in named if not is_instrument(name)), None)
    return device or device_of(path.name)


def _is_choice(error: NanogapError) -> bool:
    """Whether a table leaves a choice that only the user can make."""
    return isinstance(error, SettingsError) and "could all be" in str(error)
