"""Cells of a table as numbers: status letters, markers, words, times that begin anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nanogap.errors import DataFormatError
from nanogap.io.clock import clock_times, counted_from
from nanogap.io.columns import Column, as_argument
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
    times = clock_times(table.cells, columns, table.where, notes)
    found = row_numbers(table, columns, None if times is None else times.seconds)
    notes += found.notes
    values = dict(found.numbers)
    if times is not None:
        values["time"] = counted_from(ClockTimes(values["time"], times.absolute), origin, notes)
    return values, found.status, found.keep


@dataclass(frozen=True)
class RowNumbers:
    """Numbers of the rows of a table, or of a piece of one.

    Attributes
    ----------
    numbers : dict of str to ndarray
        Quantity to its values in the rows that hold data, in the units of a measurement dataset;
        ``time`` as given.
    status : ndarray of str
        Status letters of these rows.
    keep : ndarray of bool, shape (n_rows,)
        Rows that hold data.
    n_text, n_overflow : int
        Lines of text and overflow readings.
    """

    numbers: dict[str, FloatArray]
    status: NDArray[np.str_]
    keep: NDArray[np.bool_]
    n_text: int
    n_overflow: int

    @property
    def notes(self) -> list[str]:
        """Remarks on what was left out."""
        return left_out(self.n_text, self.n_overflow)


def left_out(n_text: int, n_overflow: int) -> list[str]:
    """Sentences on lines of text and overflow readings."""
    notes = []
    if n_text:
        lines = "line" if n_text == 1 else "lines"
        notes.append(f"{n_text} {lines} of text inside the table passed over")
    if n_overflow:
        became = "reading became a missing value"
        if n_overflow > 1:
            became = "readings became missing values"
        notes.append(f"{n_overflow} overflow {became}")
    return notes


def row_numbers(
    table: Table, columns: Mapping[str, Column], seconds: FloatArray | None
) -> RowNumbers:
    """Turn the cells of rows into numbers.

    Parameters
    ----------
    table : Table
    columns : mapping
        Quantity to column.
    seconds : ndarray, shape (n_rows,), optional
        Times of all rows; NaN where a row has none.

    Raises
    ------
    DataFormatError
        If a cell of a row of data is neither a number nor a marker.
    """
    cells = table.cells
    status = np.full(len(cells), "N", dtype="<U1")
    raw: dict[str, FloatArray] = {}
    places = {key: column.index for key, column in columns.items() if key not in _CLOCK}
    if seconds is not None:
        raw["time"] = seconds
        places["time"] = columns["time" if "time" in columns else "date"].index
    for key, column in columns.items():
        if key not in _CLOCK:
            raw[key] = column_numbers(table.column(column.index), status)
    keep, n_text = _rows_of_data(table, raw, places)
    values = {key: numbers[keep] for key, numbers in raw.items()}
    over = np.zeros(int(keep.sum()), dtype=bool)
    for numbers in values.values():
        over |= ~(np.abs(numbers) < _OVERFLOW) & ~np.isnan(numbers)
    for key, numbers in values.items():
        known = np.where(np.abs(numbers) < _OVERFLOW, numbers, np.nan) if over.any() else numbers
        values[key] = known if key == "time" else _scaled(known, columns[key])
    return RowNumbers(values, status[keep], keep, n_text, int(over.sum()))


def column_numbers(series: "pd.Series[str]", status: NDArray[np.str_]) -> FloatArray:
    """Numbers of a column, NaN where it has none; status letters in it are kept in `status`."""
    if series.dtype.kind in "fiu":
        return np.asarray(series.to_numpy(dtype=np.float64, na_value=np.nan))
    return _text_to_numbers(series, status)


def _rows_of_data(
    table: Table, raw: Mapping[str, FloatArray], places: Mapping[str, int]
) -> tuple[NDArray[np.bool_], int]:
    """Find the rows with a number, refuse other cells that are none in them, count the others."""
    numeric = np.zeros(len(table.cells), dtype=bool)
    words = numeric.copy()
    bad = {}
    for key, numbers in raw.items():
        bad[key] = np.isnan(numbers)
        if bad[key].any():
            bad[key] &= table.column(places[key]).notna().to_numpy()
        numeric |= np.isfinite(numbers)
        words |= bad[key]
    # a row without one number is a repeated header, a comment or blank
    words &= ~numeric
    for key, marks in bad.items():
        wrong = np.flatnonzero(marks & numeric)
        if len(wrong):
            line = table.line_of(int(wrong[0]))
            cell = table.cells.iloc[int(wrong[0]), places[key]]
            raise DataFormatError(
                f"{table.where}, line {line}: {str(cell)[:40]!r} in column "
                f"{table.header[places[key]]!r} is no number ({len(wrong)} such cells)"
            )
    return numeric, int(words.sum())


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


@dataclass
class Sizes:
    """Sizes of the readings of one table, by which columns that have changed places are known.

    Attributes
    ----------
    columns : frozenset of str
        Quantities that the table has.
    largest : dict of str to float
        Largest size of ``voltage`` (V), ``current`` (A) and ``conductance`` (G0); 0 without any.
    usual_resistance : float
        Median of the resistances that the table gives, ohm; infinite without any.
    n_known, n_turned : int
        Points with a current of at least a fifth of the largest, and those of them whose current
        is opposite to the voltage.
    typical_resistance, typical_current : float
        Medians of voltage over current (ohm) and of the current (A) in these points.
    """

    columns: frozenset[str]
    largest: dict[str, float] = field(default_factory=dict)
    usual_resistance: float = np.inf
    n_known: int = 0
    n_turned: int = 0
    typical_resistance: float = np.inf
    typical_current: float = 0.0


def check_plausible(
    values: Mapping[str, FloatArray], columns: Mapping[str, Column], where: str
) -> None:
    """Refuse columns that have plainly changed places, or whose unit was not the one assumed.

    Raises
    ------
    DataFormatError
        See `check_sizes`.
    """
    found = Sizes(columns=frozenset(columns) & frozenset(values))
    for key in {"voltage", "current", "conductance"} & set(values):
        found.largest[key] = float(np.nanmax(np.abs(values[key]), initial=0.0))
    if "resistance" in values:
        ohms = np.abs(values["resistance"])
        ohms = ohms[np.isfinite(ohms)]
        found.usual_resistance = float(np.median(ohms)) if len(ohms) else np.inf
    if {"voltage", "current"} <= set(values):
        volts, amperes = np.abs(values["voltage"]), np.abs(values["current"])
        known = (amperes > 0.0) & np.isfinite(volts) & np.isfinite(amperes)
        # the largest signals: near zero volts every ratio is noise
        known &= amperes >= 0.2 * np.nanmax(np.where(known, amperes, 0.0), initial=0.0)
        found.n_known = int(known.sum())
        if found.n_known:
            found.typical_resistance = float(np.median(volts[known] / amperes[known]))
            found.typical_current = float(np.median(amperes[known]))
            turned = values["voltage"][known] * values["current"][known] < 0.0
            found.n_turned = int(turned.sum())
    check_sizes(found, columns, where)


def check_sizes(sizes: Sizes, columns: Mapping[str, Column], where: str) -> None:
    """Refuse columns that have plainly changed places, or whose unit was not the one assumed.

    Raises
    ------
    DataFormatError
        If a value is beyond what instruments give, the median resistance is below 0.1 ohm, a
        conductance of no stated unit is of the size of siemens, or current and voltage have
        opposite signs throughout.
    """
    _check_conductance(sizes, columns, where)
    if not {"voltage", "current"} <= sizes.columns:
        return
    for name, largest, unit in (
        ("voltage", _LARGEST_VOLTAGE, "V"),
        ("current", _LARGEST_CURRENT, "A"),
    ):
        if sizes.largest[name] > largest:
            raise DataFormatError(
                f"{where}: a {name} of {sizes.largest[name]:.3g} {unit} is more than any such "
                f"instrument gives ({largest:g} {unit}); check the units in the header, or state "
                f"them: {as_argument({name: f'{columns[name].index + 1}:m{unit}'})}"
            )
    if not sizes.n_known:
        return
    if sizes.typical_resistance < _LEAST_RESISTANCE:
        raise DataFormatError(
            f"{where}: voltage over current is {sizes.typical_resistance:.2g} ohm, which no such "
            "device has; the columns or their units seem to have changed places: choose them with "
            f"{as_argument({'voltage': 'NAME', 'current': 'NAME'})}, with units as in 3:mA"
        )
    turned = sizes.n_turned / sizes.n_known
    if sizes.n_known > 2 and turned > 0.95 and sizes.typical_current > _OFFSET_CURRENT:
        turn = as_argument({"current": f"-{columns['current'].index + 1}"})
        raise DataFormatError(
            f"{where}: current and voltage have opposite signs in {sizes.n_turned} of "
            f"{sizes.n_known} points, as at the other terminal of a device: turn the current with "
            f"{turn}"
        )


def _check_conductance(sizes: Sizes, columns: Mapping[str, Column], where: str) -> None:
    """Refuse conductances and resistances that no device has, or whose unit is uncertain."""
    most = 1.0 / (_LEAST_RESISTANCE * CONDUCTANCE_QUANTUM)
    if "conductance" in sizes.columns and "current" not in sizes.columns:
        column = columns["conductance"]
        largest = sizes.largest["conductance"]
        if largest > most:
            raise DataFormatError(
                f"{where}: a conductance of {largest:.3g} G0 is more than any such device has; "
                f"state the unit: {as_argument({'conductance': f'{column.index + 1}:UNIT'})}"
            )
        if not column.unit and 0.0 < largest < _SIEMENS_SIZED:
            raise DataFormatError(
                f"{where}: the conductance in column {column.name!r} names no unit and is at most "
                f"{largest:.3g}, which could be G0 or S: state it: "
                f"{as_argument({'conductance': f'{column.index + 1}:G0'})}, or {column.index + 1}:S"
            )
    if "resistance" in sizes.columns and not {"conductance", "current"} & sizes.columns:
        usual = sizes.usual_resistance
        if usual < _LEAST_RESISTANCE:
            place = columns["resistance"].index + 1
            raise DataFormatError(
                f"{where}: a resistance of {usual:.2g} ohm is less than any such device has; state "
                f"the unit: {as_argument({'resistance': f'{place}:UNIT'})}"
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
            f"column? choose it with {as_argument({'time': 'NAME'})}"
        )
    # sweeps that are stored one after the other all begin where the first began
    late = time[back + 1] - time[0] > 0.05 * float(np.ptp(time))
    if late.any():
        raise DataFormatError(
            f"{where}: the time runs back from {time[back][late][0]:g} s to "
            f"{time[back + 1][late][0]:g} s; is it another column? choose it with "
            f"{as_argument({'time': 'NAME'})}"
        )
    usual = float(np.median(steps[steps >= 0.0]))
    steps[back] = usual
    often = "once" if len(back) == 1 else f"{len(back)} times"
    notes.append(f"the time begins anew {often}; it was made to run on")
    return np.concatenate([time[:1], time[0] + np.cumsum(steps)])
