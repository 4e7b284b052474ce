"""Cells of a table as numbers: status letters, markers, words, times that begin anew."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nanogap.errors import DataFormatError
from nanogap.io.clock import clock_times, counted_from
from nanogap.io.columns import Column
from nanogap.io.dates import ClockTimes
from nanogap.io.text_table import Table
from nanogap.typing import FloatArray
from nanogap.units import CONDUCTANCE_QUANTUM

#: Readings at or above this are the overflow and not-a-number markers of instruments (9.9E37).
_OVERFLOW = 9.0e37

#: More than a source-measure unit of either series gives.
_LARGEST_VOLTAGE = 1100.0
_LARGEST_CURRENT = 20.0

#: Less is no resistance of a device: voltage and current have changed places.
_LEAST_RESISTANCE = 0.1

#: A conductance that names no unit and stays below this may be in siemens, G0.
_SIEMENS_SIZED = 1e-2

#: Columns that together are the time.
_CLOCK = frozenset({"time", "date", "fraction"})

#: Below this current the offset of an instrument may have either sign, A.
_OFFSET_CURRENT = 1e-9

# status letters that precede the readings of a Keithley 4200 under external control (KXCI)
_STATUS = r"^\s*([NLVXCT])\s*(?=[+\-.\d])"


def numbers_of(
    table: Table,
    columns: Mapping[str, Column],
    notes: list[str],
    origin: float | None = None,
) -> tuple[dict[str, FloatArray], NDArray[np.str_], NDArray[np.bool_]]:
    """Numbers, status letters and the rows that hold data.

    Parameters
    ----------
    table : Table
    columns : mapping
        Quantity to column; ``date`` and ``fraction`` become part of the time.
    notes : list of str
        What was left out is added to it.
    origin : float, optional
        Zero of the time, see `nanogap.io.clock.counted_from`.

    Raises
    ------
    DataFormatError
        If a cell of a row of data is neither a number nor a marker.
    """
    cells = table.cells
    status = np.full(len(cells), "N", dtype="<U1")
    raw: dict[str, FloatArray] = {}
    places = {key: column.index for key, column in columns.items() if key not in _CLOCK}
    times = clock_times(cells, columns, table.where, notes)
    if times is not None:
        raw["time"] = times.seconds
        places["time"] = columns["time" if "time" in columns else "date"].index
    for key, column in columns.items():
        if key in _CLOCK:
            continue
        series = cells.iloc[:, column.index]
        if series.dtype.kind in "fiu":
            raw[key] = series.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            raw[key] = _text_to_numbers(series, status)
    keep = _rows_of_data(table, raw, places, notes)
    values = {key: numbers[keep] for key, numbers in raw.items()}
    over = np.zeros(int(keep.sum()), dtype=bool)
    for numbers in values.values():
        over |= ~(np.abs(numbers) < _OVERFLOW) & ~np.isnan(numbers)
    if over.any():
        notes.append(f"{int(over.sum())} overflow readings became missing values")
    for key, numbers in values.items():
        known = np.where(np.abs(numbers) < _OVERFLOW, numbers, np.nan)
        values[key] = known if key == "time" else _scaled(known, columns[key])
    if times is not None:
        values["time"] = counted_from(ClockTimes(values["time"], times.absolute), origin, notes)
    return values, status[keep], keep


def _rows_of_data(
    table: Table, raw: Mapping[str, FloatArray], places: Mapping[str, int], notes: list[str]
) -> NDArray[np.bool_]:
    """Find the rows with a number, and refuse other cells that are none in them."""
    numeric = np.zeros(len(table.cells), dtype=bool)
    words = numeric.copy()
    bad = {}
    for key, numbers in raw.items():
        given = table.cells.iloc[:, places[key]].notna().to_numpy()
        bad[key] = given & np.isnan(numbers)
        numeric |= np.isfinite(numbers)
        words |= bad[key]
    # a row without one number is a repeated header, a comment or blank
    words &= ~numeric
    if words.any():
        notes.append(f"{int(words.sum())} lines of text inside the table were passed over")
    for key, marks in bad.items():
        wrong = np.flatnonzero(marks & numeric)
        if len(wrong):
            line = table.line_of(int(wrong[0]))
            cell = table.cells.iloc[int(wrong[0]), places[key]]
            raise DataFormatError(
                f"{table.where}, line {line}: {str(cell)[:40]!r} in column "
                f"{table.header[places[key]]!r} is no number ({len(wrong)} such cells)"
            )
    return numeric


def _scaled(numbers: FloatArray, column: Column) -> FloatArray:
    """Bring numbers, or what they are logarithms of, to the unit of a measurement dataset."""
    if column.base:
        with np.errstate(over="ignore"):
            numbers = np.asarray(column.base**numbers, dtype=np.float64)
    return numbers * column.factor


def _text_to_numbers(series: "pd.Series[str]", status: NDArray[np.str_]) -> FloatArray:
    """Numbers of a column of text; its status letters are kept."""
    text = series.astype("string").str.strip()
    letters = text.str.extract(_STATUS, expand=False)
    marked = letters.notna().to_numpy()
    if marked.any():
        limited = letters.isin(["C", "T"]).fillna(value=False).to_numpy(dtype=bool)
        status[limited] = letters[limited].to_numpy(dtype="<U1")
        text = text.str.replace(_STATUS, "", regex=True)
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if marked.any():
        # overflow of the converter: the number means nothing
        numbers[letters.eq("V").fillna(value=False).to_numpy(dtype=bool)] = np.inf
    return numbers


def check_plausible(
    values: Mapping[str, FloatArray], columns: Mapping[str, Column], where: str
) -> None:
    """Refuse columns that have plainly changed places, or whose unit was not the one assumed.

    Raises
    ------
    DataFormatError
        If a value is beyond what instruments give, the median resistance is below 0.1 ohm, a
        conductance of no stated unit is of the size of siemens, or current and voltage have
        opposite signs throughout.
    """
    _check_conductance(values, columns, where)
    if not {"voltage", "current"} <= set(values):
        return
    volts, amperes = np.abs(values["voltage"]), np.abs(values["current"])
    for name, sizes, largest, unit in (
        ("voltage", volts, _LARGEST_VOLTAGE, "V"),
        ("current", amperes, _LARGEST_CURRENT, "A"),
    ):
        if np.nanmax(sizes, initial=0.0) > largest:
            raise DataFormatError(
                f"{where}: a {name} of {np.nanmax(sizes):.3g} {unit} is more than any such "
                f"instrument gives ({largest:g} {unit}); check the units in the header, or state "
                f"them: --columns {name}={columns[name].index + 1}:m{unit}"
            )
    known = (amperes > 0.0) & np.isfinite(volts) & np.isfinite(amperes)
    # the largest signals: near zero volts every ratio is noise
    known &= amperes >= 0.2 * np.nanmax(np.where(known, amperes, 0.0), initial=0.0)
    if not known.any():
        return
    typical = float(np.median(volts[known] / amperes[known]))
    if typical < _LEAST_RESISTANCE:
        raise DataFormatError(
            f"{where}: voltage over current is {typical:.2g} ohm, which no such device has; the "
            "columns or their units seem to have changed places: choose them with "
            "--columns voltage=NAME,current=NAME, with units as in current=3:mA"
        )
    turned = values["voltage"][known] * values["current"][known] < 0.0
    if len(turned) > 2 and turned.mean() > 0.95 and np.median(amperes[known]) > _OFFSET_CURRENT:
        name = columns["current"].name
        raise DataFormatError(
            f"{where}: current and voltage have opposite signs in {int(turned.sum())} of "
            f"{len(turned)} points, as at the other terminal of a device: turn the current with "
            f"--columns current=-{name} (or current=-{columns['current'].index + 1})"
        )


def _check_conductance(
    values: Mapping[str, FloatArray], columns: Mapping[str, Column], where: str
) -> None:
    """Refuse conductances and resistances that no device has, or whose unit is uncertain."""
    most = 1.0 / (_LEAST_RESISTANCE * CONDUCTANCE_QUANTUM)
    if "conductance" in values and "current" not in values:
        column = columns["conductance"]
        largest = float(np.nanmax(np.abs(values["conductance"]), initial=0.0))
        if largest > most:
            raise DataFormatError(
                f"{where}: a conductance of {largest:.3g} G0 is more than any such device has; "
                f"state the unit: --columns conductance={column.index + 1}:UNIT"
            )
        if not column.unit and 0.0 < largest < _SIEMENS_SIZED:
            raise DataFormatError(
                f"{where}: the conductance in column {column.name!r} names no unit and is at most "
                f"{largest:.3g}, which could be G0 or S: state it with --columns "
                f"conductance={column.index + 1}:G0 or conductance={column.index + 1}:S"
            )
    if "resistance" in values and not {"conductance", "current"} & set(values):
        sizes = np.abs(values["resistance"])
        usual = float(np.median(sizes[np.isfinite(sizes)])) if np.isfinite(sizes).any() else np.inf
        if usual < _LEAST_RESISTANCE:
            raise DataFormatError(
                f"{where}: a resistance of {usual:.2g} ohm is less than any such device has; state "
                f"the unit: --columns resistance={columns['resistance'].index + 1}:UNIT"
            )


def continued_time(time: FloatArray, where: str, notes: list[str]) -> FloatArray:
    """Make the time of sweeps that each begin at zero run on.

    Raises
    ------
    DataFormatError
        If the time runs back more often than sweeps begin.
    """
    known = np.isfinite(time)
    if not known.all():
        if not known.any():
            return time
        time = np.interp(np.arange(len(time)), np.flatnonzero(known), time[known])
    steps = np.diff(time)
    back = np.flatnonzero(steps < 0.0)
    if not len(back):
        return time
    if len(back) > 0.1 * len(steps):
        raise DataFormatError(
            f"{where}: the time runs backwards in {len(back)} of {len(steps)} rows; is it another "
            "column? choose it with --columns time=NAME"
        )
    # sweeps that are stored one after the other all begin where the first began
    late = time[back + 1] - time[0] > 0.05 * float(np.ptp(time))
    if late.any():
        raise DataFormatError(
            f"{where}: the time runs back from {time[back][late][0]:g} s to "
            f"{time[back + 1][late][0]:g} s; is it another column? choose it with "
            "--columns time=NAME"
        )
    usual = float(np.median(steps[steps >= 0.0]))
    steps[back] = usual
    notes.append(f"the time begins anew {len(back)} times; it was made to run on")
    return np.concatenate([time[:1], time[0] + np.cumsum(steps)])
