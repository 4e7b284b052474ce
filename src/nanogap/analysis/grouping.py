"""Results of many devices, grouped by the values of what was varied between them.

A device counts once, with the mean of what was found in it, because what one device does twice is
correlated. Intervals are Student's over devices, and want `FEWEST_MEMBERS` of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import kruskal

from nanogap.analysis.filament.contact import described
from nanogap.analysis.filament.kinetics import FEWEST_MEMBERS
from nanogap.typing import FloatArray

#: A value of an axis: a number, or words.
AxisValue = float | str

#: Relative difference below which numbers are equal.
_ROUNDING = 1e-12

#: Devices of each value that a test of ranks needs.
_FEWEST_RANKS = 3


@dataclass(frozen=True)
class DeviceRow:
    """One quantity of one device.

    Attributes
    ----------
    value : float or str
        Of the axis.
    device, quantity, unit : str
    count : int
        Times that it was found in the device.
    mean : float or None
        Of these; None where there is none.
    """

    value: AxisValue
    device: str
    quantity: str
    unit: str
    count: int
    mean: float | None


@dataclass(frozen=True)
class GroupRow:
    """One quantity of all devices at one value of an axis.

    Attributes
    ----------
    value : float or str
        Of the axis.
    quantity, unit : str
    devices, known : int
        Devices, and those in which the quantity was found.
    count : int
        Times that it was found, in all of them.
    mean : float or None
        Of the means of the devices; None where there is none.
    deviation : float or None
        Standard deviation of these, of a sample; None with fewer than two.
    low, high : float or None
        95 % interval of the mean, by Student's t over devices; None with fewer than
        `FEWEST_MEMBERS`, or where all are equal.
    """

    value: AxisValue
    quantity: str
    unit: str
    devices: int
    known: int
    count: int
    mean: float | None
    deviation: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Grouping:
    """Quantities of devices by the values of an axis.

    Attributes
    ----------
    axis : str
        Name of what was varied.
    values : list of float or str
        Numbers in ascending order, words as they came.
    groups : list of GroupRow
        Quantity by quantity, and within one value by value.
    devices : list of DeviceRow
    p_values : dict of str to float
        Quantity to the probability of ranks that differ as much between equal values (Kruskal and
        Wallis, J. Am. Stat. Assoc. 47, 583 (1952), doi:10.1080/01621459.1952.10483441); only
        quantities with two values of three devices or more.
    fewest : int
        Devices that an interval needs.
    """

    axis: str
    values: list[AxisValue]
    groups: list[GroupRow]
    devices: list[DeviceRow]
    p_values: dict[str, float] = field(default_factory=dict)
    fewest: int = FEWEST_MEMBERS

    @property
    def quantities(self) -> list[str]:
        """Names of the quantities, in order."""
        return list(dict.fromkeys(row.quantity for row in self.groups))

    @property
    def table(self) -> list[tuple[str, ...]]:
        """Head and rows in words, for a table."""
        head = (self.axis, "quantity", "found in", "mean", "σ of devices", "95 %")  # noqa: RUF001
        return [head, *(_words(row) for row in self.groups)]

    @property
    def numbers(self) -> list[tuple[str | float | int | None, ...]]:
        """Head and rows of a file: those of all devices at a value, then those of each device."""
        head = ("axis", "value", "quantity", "unit", "device", "devices", "known", "count")
        rows: list[tuple[str | float | int | None, ...]] = [
            (*head, "mean", "deviation", "low_95", "high_95")
        ]
        for row in self.groups:
            of = ("all", row.devices, row.known, row.count)
            ends = (row.mean, row.deviation, row.low, row.high)
            rows.append((self.axis, row.value, row.quantity, row.unit, *of, *ends))
        for one in self.devices:
            of = (one.device, 1, int(one.mean is not None), one.count)
            rows.append(
                (self.axis, one.value, one.quantity, one.unit, *of, one.mean, None, None, None)
            )
        return rows


def _words(row: GroupRow) -> tuple[str, ...]:
    interval = "too few" if row.known < FEWEST_MEMBERS else "all equal"
    if row.low is not None and row.high is not None:
        interval = f"{row.low:.4g} to {row.high:.4g}"
    return (
        axis_words(row.value),
        f"{row.quantity} ({row.unit})" if row.unit else row.quantity,
        f"{row.known} of {row.devices}",
        "none" if row.mean is None else f"{row.mean:.4g}",
        "" if row.deviation is None else f"{row.deviation:.2g}",
        interval,
    )


def axis_words(value: AxisValue) -> str:
    """Write a value of an axis.

    Examples
    --------
    >>> axis_words(0.5), axis_words("vacuum")
    ('0.5', 'vacuum')
    """
    return value if isinstance(value, str) else f"{value:g}"


class ByAxis:
    """Collects quantities device by device, and groups them by an axis.

    Parameters
    ----------
    axis : str
        Name of what was varied.

    Examples
    --------
    >>> by = ByAxis("protocol.rate")
    >>> for number, volts in enumerate([0.8, 1.0, 1.2]):
    ...     by.add(1.0, f"w-{number}", "SET voltage", "V", [volts, volts + 0.2])
    >>> (row,) = by.grouping().groups
    >>> row.devices, row.count, round(row.mean, 3), row.low
    (3, 6, 1.1, None)
    """

    def __init__(self, axis: str) -> None:
        self.axis = axis
        self._rows: list[DeviceRow] = []

    def add(
        self, value: AxisValue, device: str, quantity: str, unit: str, found: ArrayLike
    ) -> None:
        """Note what was found of a quantity in a device; NaN are left out."""
        numbers = np.atleast_1d(np.asarray(found, dtype=np.float64))
        numbers = numbers[np.isfinite(numbers)]
        mean = float(numbers.mean()) if len(numbers) else None
        self._rows.append(DeviceRow(value, device, quantity, unit, len(numbers), mean))

    def grouping(self) -> Grouping:
        """Group what was noted; a quantity that no device has is left out."""
        values = ordered([row.value for row in self._rows])
        known = {row.quantity for row in self._rows if row.mean is not None}
        rows = [row for row in self._rows if row.quantity in known]
        groups, p_values = [], {}
        for quantity in dict.fromkeys(row.quantity for row in rows):
            of = [row for row in rows if row.quantity == quantity]
            parts = [[row for row in of if row.value == value] for value in values]
            groups += [_group(part) for part in parts if part]
            p_value = _p_value([_means(part) for part in parts])
            if p_value is not None:
                p_values[quantity] = p_value
        return Grouping(self.axis, values, groups, rows, p_values)


def ordered(values: Sequence[AxisValue]) -> list[AxisValue]:
    """Return each value once: numbers in ascending order, then words as they come.

    Examples
    --------
    >>> ordered([4.0, 1.0, 4.0]), ordered(["water", "polymer", "water"])
    ([1.0, 4.0], ['water', 'polymer'])
    """
    numbers: list[AxisValue] = []
    numbers += sorted({value for value in values if not isinstance(value, str)})
    return [*numbers, *dict.fromkeys(value for value in values if isinstance(value, str))]


def _means(rows: Sequence[DeviceRow]) -> FloatArray:
    return np.array([row.mean for row in rows if row.mean is not None], dtype=np.float64)


def _group(rows: Sequence[DeviceRow]) -> GroupRow:
    """Summarise one quantity of the devices at one value."""
    means = _means(rows)
    if len(means) and np.ptp(means) <= _ROUNDING * float(np.abs(means).max()):
        means = np.full(len(means), means[0])
    law = described(means)
    low, high = law.mean_interval
    told = len(means) >= FEWEST_MEMBERS and bool(np.isfinite([low, high]).all())
    return GroupRow(
        value=rows[0].value,
        quantity=rows[0].quantity,
        unit=rows[0].unit,
        devices=len(rows),
        known=len(means),
        count=sum(row.count for row in rows),
        mean=law.mean if len(means) else None,
        deviation=law.deviation if len(means) > 1 else None,
        low=low if told else None,
        high=high if told else None,
    )


def _p_value(samples: Sequence[FloatArray]) -> float | None:
    """Test whether ranks differ between values; None with too few devices."""
    testable = [one for one in samples if len(one) >= _FEWEST_RANKS]
    if len(testable) < 2 or not np.ptp(np.concatenate(testable)) > 0.0:
        return None
    return float(kruskal(*testable).pvalue)
