"""Cells of a table as numbers: status letters, markers, words, times that begin anew."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nanogap.errors import DataFormatError
from nanogap.io.columns import Column
from nanogap.io.text_table import Table
from nanogap.typing import FloatArray

#: Readings at or above this are the overflow and not-a-number markers of instruments (9.9E37).
_OVERFLOW = 9.0e37

#: More than a source-measure unit of either series gives.
_LARGEST_VOLTAGE = 1100.0
_LARGEST_CURRENT = 20.0

#: Less is no resistance of a device: voltage and current have changed places.
_LEAST_RESISTANCE = 0.1

# status letters that precede the readings of a Keithley 4200 under external control (KXCI)
_STATUS = r"^\s*([NLVXCT])\s*(?=[+\-.\d])"


def numbers_of(
    table: Table, columns: Mapping[str, Column], notes: list[str]
) -> tuple[dict[str, FloatArray], NDArray[np.str_], NDArray[np.bool_]]:
    """Numbers, status letters and the rows that hold data.

    Raises
    ------
    DataFormatError
        If a cell of a row of data is neither a number nor a marker.
    """
    cells = table.cells
    count = len(cells)
    status = np.full(count, "N", dtype="<U1")
    raw, bad, numeric = {}, {}, np.zeros(count, dtype=bool)
    for key, column in columns.items():
        series = cells.iloc[:, column.index]
        given = series.notna().to_numpy()
        if series.dtype.kind in "fiu":
            numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
        else:
            numbers = _text_to_numbers(series, key, status)
        raw[key] = numbers
        bad[key] = given & np.isnan(numbers)
        numeric |= np.isfinite(numbers)
    # a row without one number is a repeated header, a comment or blank
    words = ~numeric & np.logical_or.reduce(list(bad.values()))
    if words.any():
        notes.append(f"{int(words.sum())} lines of text inside the table were passed over")
    for key, marks in bad.items():
        wrong = np.flatnonzero(marks & numeric)
        if len(wrong):
            line = table.line_of(int(wrong[0]))
            cell = cells.iloc[int(wrong[0]), columns[key].index]
            raise DataFormatError(
                f"{table.where}, line {line}: {str(cell)[:40]!r} in column "
                f"{columns[key].name!r} is no number ({len(wrong)} such cells)"
            )
    keep = numeric
    values = {key: raw[key][keep] for key in raw}
    over = np.zeros(int(keep.sum()), dtype=bool)
    for numbers in values.values():
        over |= ~(np.abs(numbers) < _OVERFLOW) & ~np.isnan(numbers)
    if over.any():
        notes.append(f"{int(over.sum())} overflow readings became missing values")
    for key, column in columns.items():
        numbers = np.where(np.abs(values[key]) < _OVERFLOW, values[key], np.nan)
        values[key] = numbers * column.factor
    return values, status[keep], keep


def _text_to_numbers(series: "pd.Series[str]", key: str, status: NDArray[np.str_]) -> FloatArray:
    """Numbers of a column of text: status letters are kept, dates become seconds."""
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
    if key == "time" and not np.isfinite(numbers).any():
        try:
            moments = pd.to_datetime(text, errors="raise", format="mixed")
        except (ValueError, TypeError, OverflowError):
            return numbers
        numbers = (moments - moments.min()).dt.total_seconds().to_numpy(dtype=np.float64)
    return numbers


def check_plausible(values: Mapping[str, FloatArray], where: str) -> None:
    """Refuse columns that have plainly changed places.

    Raises
    ------
    DataFormatError
        If a value is beyond what instruments give or the median resistance is below 0.1 ohm.
    """
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
                f"instrument gives ({largest:g} {unit}); check the units in the header, or choose "
                "the columns with --columns voltage=NAME,current=NAME"
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
            "--columns voltage=NAME,current=NAME"
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
