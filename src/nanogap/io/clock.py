"""Times of a table: seconds, dates, times of day, Unix time, spreadsheet days."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nanogap.errors import SettingsError
from nanogap.io.columns import Column, as_argument
from nanogap.io.dates import (
    DATE,
    TIME_OF_DAY,
    ClockTimes,
    dates,
    seconds_of,
    since_first,
    times_of_day,
)
from nanogap.typing import FloatArray

_DAY = 86400.0


@dataclass(frozen=True)
class Clock:
    """Times that a file does not tell.

    Attributes
    ----------
    sampling_rate : float, optional
        Points per second of files without times, Hz.
    origin : float, optional
        Zero of the time; see `counted_from`.
    """

    sampling_rate: float | None = None
    origin: float | None = None

    def __post_init__(self) -> None:
        rate, origin = self.sampling_rate, self.origin
        if rate is not None and not 0.0 < rate < np.inf:
            raise SettingsError(f"the sampling rate {rate} must be a number of hertz above zero")
        if origin is not None and not np.isfinite(origin):
            raise SettingsError(f"the origin {origin} of the time must be a number of seconds")

    def times(self, count: int) -> FloatArray:
        """Return the times of so many points, s; NaN without a sampling rate."""
        if self.sampling_rate is None:
            return np.full(count, np.nan)
        return np.arange(count) / self.sampling_rate - (self.origin or 0.0)


#: Seconds since 1970 between 2001 and 2100, and what their thousandths are called.
_UNIX = ((1.0, "s"), (1e3, "ms"), (1e6, "us"), (1e9, "ns"))
_EPOCH_RANGE = (9.8e8, 4.2e9)


def clock_times(
    cells: pd.DataFrame, columns: Mapping[str, Column], where: str, notes: list[str]
) -> ClockTimes | None:
    """Read the columns ``time``, ``date`` and ``fraction`` as seconds.

    Parameters
    ----------
    cells : pandas.DataFrame
        Of the table.
    columns : mapping
        Quantity to column.
    where : str
        File and sheet, for error messages.
    notes : list of str
        What was decided is added to it.

    Returns
    -------
    ClockTimes or None
        None if there is no time, or none that is certain; then a note says why.

    Raises
    ------
    DataFormatError
        If a cell is no time where the others are.
    """
    parts = {
        key: cells.iloc[:, columns[key].index]
        for key in ("time", "date", "fraction")
        if key in columns
    }
    if not {"time", "date"} & set(parts):
        return None
    numbers = {key: _numeric(series) for key, series in parts.items()}
    found = _without_fraction(parts, numbers, columns, where, notes)
    if found is None or "fraction" not in parts:
        return found
    fraction = numbers["fraction"]
    if fraction is None:
        return found
    factor = columns["fraction"].factor
    if np.nanmax(np.abs(fraction), initial=0.0) * factor >= 1.0:
        notes.append(f"column {columns['fraction'].name!r} holds no parts of a second: left out")
        return found
    whole = found.seconds - np.floor(found.seconds)
    if np.nanmax(whole, initial=0.0) > 0.0:
        return found
    return ClockTimes(found.seconds + np.nan_to_num(fraction * factor), found.absolute)


def _without_fraction(
    parts: Mapping[str, "pd.Series[str]"],
    numbers: Mapping[str, FloatArray | None],
    columns: Mapping[str, Column],
    where: str,
    notes: list[str],
) -> ClockTimes | None:
    """Read the time, or else the date, by what it holds: numbers or text."""
    time = numbers.get("time")
    if time is not None:
        return _of_numbers(time, columns["time"], notes)
    date = None if "time" in parts else numbers["date"]
    if date is None:
        return _of_text(parts, columns, where, notes)
    found = _of_numbers(date, columns["date"], notes)
    # numbers that are no days: a column 'data' or the like
    return found if found is not None and found.absolute else None


def counted_from(times: ClockTimes, origin: float | None, notes: list[str]) -> FloatArray:
    """Count times from the first point, unless they are elapsed times that begin near it.

    Parameters
    ----------
    times : ClockTimes
    origin : float, optional
        Where zero lies, s: on the axis of the file, or after the first point where that is a
        calendar or a clock. Default: at zero of an elapsed time, else at the first point. An
        elapsed time that begins later than the whole trace lasts is the clock of an instrument.
    notes : list of str
        What was decided is added to it.

    Raises
    ------
    SettingsError
        If the origin lies after the first point.
    """
    known = np.isfinite(times.seconds)
    if not known.any():
        return times.seconds
    first = float(times.seconds[known][0])
    extent = float(np.ptp(times.seconds[known]))
    if origin is not None and origin > (0.0 if times.absolute else first):
        begin = 0.0 if times.absolute else first
        raise SettingsError(
            f"the origin {origin:g} s of the time lies after the first point ({begin:g} s): leave "
            "out the points before the state was written"
        )
    if times.absolute:
        return times.seconds - first - (origin or 0.0)
    if origin is not None:
        return times.seconds - origin
    if extent > 0.0 and first > extent:
        notes.append(
            f"the time begins at {first:g} s and lasts {extent:.4g} s: it was counted from the "
            "first point (`origin=0` counts it from its own zero)"
        )
        return times.seconds - first
    return times.seconds


def _numeric(series: "pd.Series[str]") -> FloatArray | None:
    """Numbers of a column; None if it holds something else."""
    if series.dtype.kind in "fiu":
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    if series.dtype.kind in "mM":
        return None
    text = _texts(series)
    numbers = pd.to_numeric(
        text.str.replace(r"^\s*[NLVXCT]\s*(?=[+\-.\d])", "", regex=True), errors="coerce"
    )
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan) if numbers.notna().any() else None


def _texts(series: "pd.Series[str]") -> "pd.Series[str]":
    """Cells as text; dates and times of spreadsheets in the layout of ISO 8601."""

    def text(cell: object) -> object:
        if isinstance(cell, dt.timedelta):
            return repr(cell.total_seconds())
        if isinstance(cell, dt.datetime | dt.date | dt.time):
            return cell.isoformat()
        return cell

    return series.map(text, na_action="ignore").astype("string").str.strip()


def _of_numbers(numbers: FloatArray, column: Column, notes: list[str]) -> ClockTimes | None:
    """Seconds of a column of numbers: elapsed, Unix time in any unit, days of a spreadsheet."""
    known = numbers[np.isfinite(numbers) & (np.abs(numbers) < 9.0e37)]
    if not len(known):
        return ClockTimes(numbers * column.factor, absolute=False)
    low, high = float(known.min()), float(known.max())
    unix = next(
        (
            (factor, unit)
            for factor, unit in _UNIX
            if low / factor > _EPOCH_RANGE[0] and high / factor < _EPOCH_RANGE[1]
        ),
        None,
    )
    if unix and (not column.unit or column.factor == 1.0):
        if unix[1] != "s":
            notes.append(f"the time in {column.name!r} was taken as Unix time in {unix[1]}")
        return ClockTimes(since_first(numbers) / unix[0], absolute=True)
    if column.unit:
        absolute = low * column.factor > _EPOCH_RANGE[0]
        first = known[0] if absolute else 0.0
        return ClockTimes((numbers - first) * column.factor, absolute)
    if low > 1.9e13 and high < 2.1e13 and np.all(known == np.floor(known)):
        stamps = pd.Series(np.nan_to_num(numbers).astype(np.int64).astype(str)).astype("string")
        moments = pd.to_datetime(stamps, format="%Y%m%d%H%M%S", errors="coerce")
        return ClockTimes(seconds_of(moments), absolute=True)
    return _of_days(numbers, low, high, column, notes)


def _of_days(
    numbers: FloatArray, low: float, high: float, column: Column, notes: list[str]
) -> ClockTimes | None:
    """Seconds of numbers without a unit, which may be days of a spreadsheet or of MATLAB."""
    # days from 1995 to 2100 since 1899-12-30, or since the year 0
    days = (low > 34700 and high < 73100) or (low > 728000 and high < 767500)
    named = "date" in column.name.casefold() or "serial" in column.name.casefold()
    if days and named:
        return ClockTimes(since_first(numbers) * _DAY, absolute=True)
    if days and high - low < 0.3 * low:
        notes.append(
            f"the time in {column.name!r} could be seconds or days of a spreadsheet and was left "
            f"out: say it with {as_argument({'time': f'{column.index + 1}:s'})}, or :d for days"
        )
        return None
    return ClockTimes(numbers, absolute=False)


def _of_text(
    parts: Mapping[str, "pd.Series[str]"],
    columns: Mapping[str, Column],
    where: str,
    notes: list[str],
) -> ClockTimes | None:
    """Seconds of dates and times of day, in one column or two."""
    time = _texts(parts["time"]) if "time" in parts else None
    date = _texts(parts["date"]) if "date" in parts else None
    if time is not None and time.str.fullmatch(TIME_OF_DAY).fillna(value=False).any():
        if date is not None and date.str.fullmatch(DATE).fillna(value=False).any():
            both = date.str.replace(r"[T\s]+[\d:.]+$", "", regex=True) + " " + time
            return dates(both, columns["date"], where, notes)
        return times_of_day(time, columns["time"], where, notes)
    if time is not None:
        return dates(time, columns["time"], where, notes)
    if (
        date is None
        or not date.str.contains(r"\d[./:\-]|[A-Za-z]", regex=True).fillna(value=False).any()
    ):
        return None  # a column 'data' or the like
    found = dates(date, columns["date"], where, notes)
    if found is not None and not np.nanmax(np.abs(np.diff(found.seconds)), initial=0.0) > 0.0:
        return None
    return found
