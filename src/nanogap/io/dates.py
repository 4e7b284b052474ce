"""Dates and times of day in text as seconds."""

import re
import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

from nanogap.errors import DataFormatError
from nanogap.io.columns import Column, as_argument
from nanogap.typing import FloatArray

_DAY = 86400.0
TIME_OF_DAY = re.compile(
    r"(?P<a>\d{1,4}):(?P<b>\d{2})(?::(?P<c>\d{2}))?(?:[.,](?P<fraction>\d+))?"
    r"\s*(?P<half>[ap]\.?\s?m\.?)?",
    re.IGNORECASE,
)
DATE = re.compile(
    r"(?P<a>\d{1,4})(?P<sign>[./\-])(?P<b>\d{1,2})[./\-](?P<c>\d{1,4})\.?(?:[T\s,]+(?P<clock>\S.*))?"
)
#: Orders of year, month and day in a date of numbers.
_ORDERS = {"day first": "dmy", "month first": "mdy", "year first": "ymd"}


@dataclass(frozen=True)
class ClockTimes:
    """Times in seconds.

    Attributes
    ----------
    seconds : ndarray, shape (n_rows,)
        NaN where there is none.
    absolute : bool
        Whether they come from a calendar or a clock, so that their zero means nothing.
    """

    seconds: FloatArray
    absolute: bool


def is_moment(text: str) -> bool:
    """Whether a cell is a date or a time of day."""
    return bool(DATE.fullmatch(text.strip()) or TIME_OF_DAY.fullmatch(text.strip()))


def since_first(numbers: FloatArray) -> FloatArray:
    """Subtract the first known number, before its last digits are lost in a product."""
    known = numbers[np.isfinite(numbers)]
    first = float(known[0]) if len(known) else 0.0
    return np.asarray(numbers - first, dtype=np.float64)


def times_of_day(
    text: "pd.Series[str]", column: Column, where: str, notes: list[str]
) -> ClockTimes | None:
    """Seconds of ``hh:mm:ss``, ``mm:ss.0`` or ``hh:mm`` with or without AM and PM."""
    parts = text.str.extract(TIME_OF_DAY)
    _need_all(text, text.str.fullmatch(TIME_OF_DAY), column, where)
    a, b, c = (_floats(parts[key]) for key in "abc")
    rest = _floats("0." + parts["fraction"].fillna("0"))
    seen = np.isfinite(a)
    if np.isfinite(c[seen]).all():
        hours = _hours(a, parts["half"])
        halved = bool(parts["half"].notna().any())
        seconds = hours * 3600.0 + b * 60.0 + c + rest
        period = _DAY
        if not halved and _is_half_day_clock(hours[seen]):
            period = _DAY / 2.0
    elif np.isfinite(c[seen]).any():
        raise DataFormatError(
            f"{where}: the times in column {column.name!r} are of the layouts hh:mm:ss and mm:ss; "
            "write all in one"
        )
    elif column.unit.startswith("h") or parts["half"].notna().any():
        seconds, period = _hours(a, parts["half"]) * 3600.0 + b * 60.0, _DAY
    elif parts["fraction"].notna().any() or column.unit.startswith("m"):
        seconds, period = a * 60.0 + b + rest, 3600.0
    else:
        notes.append(
            f"the times in {column.name!r} could be hh:mm or mm:ss and were left out: say it with "
            f"{as_argument({'time': f'{column.index + 1}:hh:mm'})}, or :mm:ss"
        )
        return None
    return ClockTimes(_unwrapped(seconds, period, notes), absolute=period != 3600.0)


def _hours(hours: FloatArray, half: "pd.Series[str]") -> FloatArray:
    """Hours of a day of 24 from those with AM and PM."""
    letter = half.str.slice(0, 1).str.casefold()
    halved = letter.notna().to_numpy()
    afternoon = letter.eq("p").fillna(value=False).to_numpy(dtype=bool)
    return np.where(halved, hours % 12.0 + 12.0 * afternoon, hours)


def _is_half_day_clock(hours: FloatArray) -> bool:
    """Whether a clock goes from 12 to 1: one of twelve hours that does not say which half."""
    if hours.min(initial=99.0) < 1.0 or hours.max(initial=0.0) > 12.0:
        return False
    return bool(np.any((hours[:-1] == 12.0) & (hours[1:] == 1.0)))


def _unwrapped(seconds: FloatArray, period: float, notes: list[str]) -> FloatArray:
    """Let a clock run on past midnight, or minutes past the hour."""
    known = np.flatnonzero(np.isfinite(seconds))
    if len(known) < 2 or seconds[known].max() >= period:
        return seconds
    steps = np.diff(seconds[known])
    passed = steps < -0.5 * period
    if period < _DAY / 2.0:
        # minutes that begin anew are a new sweep, unless the step over the hour is a usual one
        usual = float(np.median(np.abs(steps[steps >= 0.0]))) if (steps >= 0.0).any() else 0.0
        passed &= steps + period <= 10.0 * usual
    if not passed.any():
        return seconds
    what = "midnight" if period == _DAY else "twelve" if period > 3600.0 else "the hour"
    notes.append(f"the clock passed {what} {int(passed.sum())} times; the time was made to run on")
    turns = np.concatenate([[0], np.cumsum(passed)])
    unwrapped = seconds.copy()
    unwrapped[known] += period * turns
    return unwrapped


def dates(
    text: "pd.Series[str]", column: Column, where: str, notes: list[str]
) -> ClockTimes | None:
    """Seconds of dates, with the order of day and month that the whole column allows."""
    fits = text.str.fullmatch(DATE).fillna(value=False)
    if not fits.any():
        return _otherdates(text, column, where)
    _need_all(text, fits, column, where)
    parts = text.str.extract(DATE)
    readings = {
        name: moments
        for name, order in _ORDERS.items()
        if (moments := _reading(parts, order)) is not None
    }
    if not readings:
        raise DataFormatError(
            f"{where}: the dates in column {column.name!r} ({text.dropna().iloc[0]!r}) fit no "
            "order of day, month and year; write them as 2024-05-03 17:10:00"
        )
    dotted = parts["sign"].eq(".").all()
    if dotted and "day first" in readings and "year first" not in readings:
        return ClockTimes(readings["day first"], absolute=True)
    return _surest(readings, column, text, notes)


def _surest(
    readings: dict[str, FloatArray], column: Column, text: "pd.Series[str]", notes: list[str]
) -> ClockTimes | None:
    """Choose the reading of dates whose time runs on, and evenly; None if several do."""
    different: dict[str, FloatArray] = {}
    for name, seconds in readings.items():
        if not any(np.allclose(seconds, one, equal_nan=True) for one in different.values()):
            different[name] = seconds
    if len(different) == 1:
        return ClockTimes(next(iter(different.values())), absolute=True)
    forward = {name: one for name, one in different.items() if np.nanmin(np.diff(one)) >= 0.0}
    if len(forward) == 1:
        name, seconds = next(iter(forward.items()))
        notes.append(f"the dates in {column.name!r} were read {name}: only so time runs on")
        return ClockTimes(seconds, absolute=True)
    largest = {name: float(np.nanmax(np.diff(one))) for name, one in (forward or different).items()}
    name = min(largest, key=lambda key: largest[key])
    others = min(step for key, step in largest.items() if key != name)
    if forward and largest[name] < 0.999 * _DAY and others > 5.0 * _DAY:
        notes.append(
            f"the dates in {column.name!r} were read {name}: otherwise {others / _DAY:.0f} days "
            "would lie between two points"
        )
        return ClockTimes(forward[name], absolute=True)
    notes.append(
        f"the dates in {column.name!r} (such as {text.dropna().iloc[0]!r}) could have the day or "
        "the month first; the time was left out: write them as 2024-05-03 17:10:00"
    )
    return None


def _reading(parts: pd.DataFrame, order: str) -> FloatArray | None:
    """Seconds of dates in one order of year, month and day; None if it is impossible."""
    place = {letter: parts["abc"[order.index(letter)]] for letter in "ymd"}
    seen = parts["a"].notna()
    long_year = place["y"][seen].str.len()
    if not long_year.isin([2, 4]).all() or any(
        (place[letter][seen].str.len() > 2).any() for letter in "md"
    ):
        return None
    years = place["y"].where(place["y"].str.len() != 2, "20" + place["y"])
    days = years + "-" + place["m"].str.zfill(2) + "-" + place["d"].str.zfill(2)
    moments = pd.to_datetime(days, format="%Y-%m-%d", errors="coerce")
    if moments[seen].isna().any():
        return None
    midnight = seconds_of(moments)
    clock = parts["clock"]
    if clock.notna().any():
        iso = (pd.Series(moments).dt.strftime("%Y-%m-%d").astype("string") + "T").where(seen)
        zone = clock.str.contains(r"(?:[Zz]|[+\-]\d{2}:?\d{2})$", regex=True).fillna(value=False)
        if zone.any():
            stamps = pd.to_datetime(iso + clock.str.replace(" ", ""), utc=True, errors="coerce")
            return None if stamps[seen].isna().any() else seconds_of(stamps)
        pieces = clock.str.extract(TIME_OF_DAY)
        good = clock.str.fullmatch(TIME_OF_DAY).fillna(value=False)
        if not good[seen].all():
            return None
        midnight = (
            midnight
            + 3600.0 * _hours(_floats(pieces["a"]), pieces["half"])
            + 60.0 * _floats(pieces["b"])
            + _floats(pieces["c"], 0.0)
            + _floats("0." + pieces["fraction"].fillna("0"), 0.0)
        )
    return since_first(midnight)


def _otherdates(text: "pd.Series[str]", column: Column, where: str) -> ClockTimes | None:
    """Seconds of dates with the month in letters, or of ISO 8601 without signs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about mixed time zones, which become NaT
        try:
            moments = pd.to_datetime(text, format="mixed", errors="coerce", utc=True)
        except (ValueError, TypeError, OverflowError):
            return None
    good = moments.notna()
    if not good.any():
        shown = next(iter(text.dropna()), "")[:40]
        raise DataFormatError(
            f"{where}: {shown!r} in column {column.name!r} is no time; write seconds or 2024-05-03 "
            f"17:10:00, or choose another column with {as_argument({'time': 'NAME'})}"
        )
    _need_all(text, good, column, where)
    return ClockTimes(since_first(seconds_of(moments)), absolute=True)


def seconds_of(moments: "pd.Series[pd.Timestamp]") -> FloatArray:
    """Seconds of moments after the first; NaN where there is none."""
    series = pd.Series(moments)
    known = series.dropna()
    if not len(known):
        return np.full(len(series), np.nan)
    return _floats((series - pd.Timestamp("2000-01-01", tz=known.iloc[0].tz)).dt.total_seconds())


def _floats(series: "pd.Series[str] | pd.Series[float]", missing: float = np.nan) -> FloatArray:
    """Numbers of a column of digits."""
    numbers = series.astype("Float64").to_numpy(dtype=np.float64, na_value=missing)
    return np.asarray(numbers, dtype=np.float64)


def _need_all(text: "pd.Series[str]", good: "pd.Series[bool]", column: Column, where: str) -> None:
    """Refuse a column with a cell that is none of the times that the others are.

    Cells without any digit are words of a repeated header.
    """
    words = ~text.str.contains(r"\d", regex=True).fillna(value=False)
    wrong = text.notna() & ~good.fillna(value=False).astype(bool) & ~words
    if wrong.any():
        place = int(np.flatnonzero(wrong.to_numpy())[0])
        raise DataFormatError(
            f"{where}, row {place + 1} of the table: {str(text.iloc[place])[:40]!r} in column "
            f"{column.name!r} is not such a time as the others"
        )
