"""One channel of a source-measure unit: what is set, and the readings of what it drives."""

import statistics
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from numpy.random import SeedSequence, default_rng

from nanogap.electrical import Averager, Sample, Segment
from nanogap.electrical.segments import LONGEST, SHORTEST, Quantity
from nanogap.errors import SettingsError
from nanogap.instruments.datasheet import OVERFLOW, DataSheet, Errors, Range, other
from nanogap.instruments.faults import CommandError
from nanogap.instruments.loads import Load
from nanogap.instruments.record import Record, Setting

#: Codes of the 2600's manual.
TOO_BIG, TOO_SMALL, WOULD_EXCEED = 1101, 1102, 5007
#: Kinds of the 2600's filter.
MOVING, REPEAT, MEDIAN = 0, 1, 2

_UNITS = {"voltage": "V", "current": "A"}


@dataclass(frozen=True)
class ChannelReading:
    """A reading of both meters over one integration.

    Attributes
    ----------
    time : float
        At its end, s.
    voltage, current : float
        V and A; `OVERFLOW` beyond a fixed range.
    compliance : bool
        Whether the limit held.
    quantity : {'voltage', 'current'}
        What was set.
    level : float
        To what, V or A.
    """

    time: float
    voltage: float
    current: float
    compliance: bool
    quantity: Quantity
    level: float

    def of(self, quantity: Quantity) -> float:
        """Return the reading of a quantity, V or A."""
        return self.voltage if quantity == "voltage" else self.current


@dataclass
class Ranging:
    """Range of a source or a meter; None: automatic."""

    voltage: Range | None = None
    current: Range | None = None


@dataclass
class ChannelState:
    """Settings of a channel; a reset makes new ones."""

    quantity: Quantity = "voltage"
    output: bool = False
    level: dict[str, float] = field(default_factory=lambda: {"voltage": 0.0, "current": 0.0})
    limit: dict[str, float] = field(default_factory=lambda: {"voltage": 20.0, "current": 0.1})
    source: Ranging = field(default_factory=Ranging)
    meter: Ranging = field(default_factory=Ranging)
    nplc: float = 1.0
    delay: float = 0.0
    source_delay: float = 0.0
    filter_on: bool = False
    filter_kind: int = REPEAT
    filter_count: int = 1


class Channel:
    """One channel of a unit and what it drives.

    Parameters
    ----------
    name : str
    sheet : DataSheet
    load : Load
    seed : SeedSequence
        Of its errors and noise.
    record : Record

    Attributes
    ----------
    set : ChannelState
    """

    def __init__(
        self, name: str, sheet: DataSheet, load: Load, seed: SeedSequence, record: Record
    ) -> None:
        self.name, self.sheet, self.load = name, sheet, load
        self.set = ChannelState()
        self.in_compliance = False
        self._errors = Errors(sheet, default_rng(seed))
        self._record = record
        self._filtered: deque[tuple[float, float]] = deque(maxlen=100)

    @property
    def aperture(self) -> float:
        """Integration of a reading, s."""
        return self.set.nplc / self.sheet.line_frequency

    def segment(self, duration: float) -> Segment:
        """Return what the channel does for some time, s."""
        state = self.set
        if not state.output:
            off = (self.sheet.off_limit, self.sheet.off_limit)
            return Segment("voltage", 0.0, 0.0, duration, off, samples=1)
        limit, level = state.limit[other(state.quantity)], state.level[state.quantity]
        return Segment(state.quantity, level, level, duration, (limit, limit), samples=1)

    def advance(self, duration: float) -> Sample:
        """Let some time pass for what the channel drives, and return the means over it."""
        averager = Averager()
        self.load.advance(self.segment(duration), 0.0, duration, averager)
        sample = averager.finish()
        self.in_compliance = sample.compliance and self.set.output
        return sample

    def read(self, time: float, sample: Sample) -> ChannelReading:
        """Turn means into a reading."""
        state = self.set
        return ChannelReading(
            time,
            self._metered("voltage", sample.voltage),
            self._metered("current", sample.current),
            self.in_compliance,
            state.quantity,
            state.level[state.quantity],
        )

    def filtered(self, readings: list[ChannelReading]) -> ChannelReading:
        """Apply the filter to the readings that it asked for."""
        last, state = readings[-1], self.set
        if not state.filter_on or any(OVERFLOW in {one.voltage, one.current} for one in readings):
            self._filtered.clear()
            return last
        pairs = [(one.voltage, one.current) for one in readings]
        if state.filter_kind == MOVING:
            self._filtered.extend(pairs)
            pairs = list(self._filtered)[-state.filter_count :]
        middle = statistics.median if state.filter_kind == MEDIAN else statistics.fmean
        voltage, current = (middle(one) for one in zip(*pairs, strict=True))
        return ChannelReading(
            last.time, voltage, current, last.compliance, last.quantity, last.level
        )

    @property
    def readings_needed(self) -> int:
        """Integrations that one reading takes."""
        repeats = self.set.filter_on and self.set.filter_kind != MOVING
        return self.set.filter_count if repeats else 1

    def set_quantity(self, quantity: Quantity, time: float) -> None:
        """Choose what is set."""
        self._try(time, quantity=quantity)

    def drive(
        self, quantity: Quantity, value: float, limit: float, fixed: Range | None, time: float
    ) -> None:
        """Set all at once, and switch the output on.

        Parameters
        ----------
        quantity : {'voltage', 'current'}
        value : float
            Level, V or A.
        limit : float
            Of the other quantity, A or V.
        fixed : Range or None
            Of the source; None: automatic.
        time : float
            s.
        """
        within = other(quantity)
        level, size = self._level(quantity, value, fixed), self._limit(within, limit)
        source = Ranging(self.set.source.voltage, self.set.source.current)
        setattr(source, quantity, fixed)
        self._try(
            time,
            quantity=quantity,
            source=source,
            level={**self.set.level, quantity: level},
            limit={**self.set.limit, within: size},
            output=True,
        )

    def set_level(self, quantity: Quantity, value: float, time: float) -> None:
        """Set a level, V or A, rounded to the step of its range."""
        level = self._level(quantity, value, getattr(self.set.source, quantity))
        self._try(time, level={**self.set.level, quantity: level})

    def set_limit(self, quantity: Quantity, value: float, time: float) -> None:
        """Set the largest size of a quantity while the other one is set, V or A."""
        self._try(time, limit={**self.set.limit, quantity: self._limit(quantity, value)})

    def set_output(self, output: bool, time: float) -> None:
        """Switch the output on or off."""
        self._try(time, output=output)
        if not output:
            self.in_compliance = False

    def set_range(self, ranging: Ranging, quantity: Quantity, value: float | None) -> None:
        """Fix the range that holds a value, V or A; None: automatic."""
        if value is None:
            setattr(ranging, quantity, None)
            return
        self._within(quantity, abs(value), 0.0, self.sheet.largest(quantity))
        chosen = self.sheet.range_for(quantity, value)
        level = abs(self.set.level[quantity])
        if ranging is self.set.source and level > chosen.range * self.sheet.source_overrange:
            raise CommandError(
                TOO_SMALL, f"the range {chosen.range:g} does not hold the level {level:g}"
            )
        setattr(ranging, quantity, chosen)

    def range_in_use(self, ranging: Ranging, quantity: Quantity, value: float) -> Range:
        """Return the range for a value: the one that is fixed, or the lowest that holds it."""
        fixed: Range | None = getattr(ranging, quantity)
        return fixed or self.sheet.range_for(quantity, value)

    def settling(self) -> float:
        """Return the automatic delay: what the range of the current takes to settle, s."""
        value = self.set.limit["current"]
        if self.set.quantity == "current":
            value = self.set.level["current"]
        return self.range_in_use(self.set.meter, "current", value).settling

    def reset(self, time: float) -> None:
        """Go back to the defaults; the output is off."""
        self.set = ChannelState()
        self._filtered.clear()
        self.in_compliance = False
        self._note(time)

    def _metered(self, quantity: Quantity, value: float) -> float:
        """Read one quantity in its range."""
        state = self.set
        if quantity == state.quantity and state.output:
            # the range of what is set is that of its source
            level = state.level[quantity]
            used = self.range_in_use(state.source, quantity, level)
            used = max(used, self.sheet.range_for(quantity, value), key=lambda one: one.range)
        else:
            used = self.range_in_use(state.meter, quantity, value)
        reading = self._errors.read(quantity, value, used, state.nplc)
        return reading if abs(reading) <= used.range * self.sheet.measure_overrange else OVERFLOW

    def _level(self, quantity: Quantity, value: float, fixed: Range | None) -> float:
        """Round a level that the unit can give to the step of its range."""
        most = fixed.range * self.sheet.source_overrange if fixed else self.sheet.largest(quantity)
        self._within(quantity, abs(value), 0.0, most)
        step = (fixed or self.sheet.range_for(quantity, value)).source_step
        return round(value / step) * step

    def _limit(self, quantity: Quantity, value: float) -> float:
        """Return the size of a limit that the unit can hold."""
        least, most = self.sheet.least_limit[quantity], self.sheet.largest(quantity)
        self._within(quantity, abs(value), least, most)
        return abs(value)

    def _within(self, quantity: Quantity, size: float, least: float, most: float) -> None:
        unit = _UNITS[quantity]
        if not size <= most:
            raise CommandError(TOO_BIG, f"Parameter too big: {size:g} {unit}, above {most:g}")
        if size < least:
            raise CommandError(TOO_SMALL, f"Parameter too small: {size:g} {unit}, below {least:g}")

    def _try(self, time: float, **changes: object) -> None:
        """Change what is set, unless the unit or the load cannot do it."""
        before = {name: getattr(self.set, name) for name in changes}
        for name, value in changes.items():
            setattr(self.set, name, value)
        try:
            self._check()
        except CommandError:
            for name, value in before.items():
                setattr(self.set, name, value)
            raise
        self._note(time)

    def _check(self) -> None:
        """Refuse what the unit or the load cannot do."""
        state = self.set
        if not state.output:
            return
        sizes = {
            state.quantity: abs(state.level[state.quantity]),
            other(state.quantity): state.limit[other(state.quantity)],
        }
        edge = self.sheet.boundary
        if sizes["voltage"] > edge["voltage"] and sizes["current"] > edge["current"]:
            raise CommandError(
                WOULD_EXCEED,
                f"Operation would exceed the unit's power: {sizes['voltage']:g} V with "
                f"{sizes['current']:g} A; above {edge['voltage']:g} V it gives "
                f"{edge['current']:g} A",
            )
        try:
            self.load.check(self.segment(1.0))
        except SettingsError as error:
            raise CommandError(TOO_BIG, f"the simulated load cannot take it: {error}") from None

    def _note(self, time: float) -> None:
        state = self.set
        self._record.add(
            Setting(
                time,
                self.name,
                state.output,
                state.quantity,
                state.level[state.quantity],
                state.limit[other(state.quantity)],
            )
        )


class Bench:
    """Channels of one unit, and their common time.

    Parameters
    ----------
    sheet : DataSheet
    loads : dict of str to Load
        By the names of the channels.
    seed : int
    record : Record, optional

    Attributes
    ----------
    channels : dict of str to Channel
    time : float
        That passed for the loads, s.

    Examples
    --------
    >>> from nanogap.instruments.datasheet import data_sheet
    >>> from nanogap.instruments.loads import load_named
    >>> sheet = data_sheet("keithley-2614b")
    >>> bench = Bench(sheet, {"smua": load_named("resistor:1000", sheet.bandwidth)}, seed=1)
    >>> smua = bench.channels["smua"]
    >>> smua.set_level("voltage", 0.5, bench.time)
    >>> smua.set_output(True, bench.time)
    >>> (reading,) = bench.measure(["smua"])
    >>> round(reading.current, 6), bench.time
    (0.0005, 0.02)
    """

    def __init__(
        self, sheet: DataSheet, loads: dict[str, Load], seed: int = 0, record: Record | None = None
    ) -> None:
        self.sheet = sheet
        self.record = record or Record()
        seeds = SeedSequence(seed).spawn(len(loads))
        self.channels = {
            name: Channel(name, sheet, load, own, self.record)
            for (name, load), own in zip(loads.items(), seeds, strict=True)
        }
        self.time = 0.0

    def wait(self, duration: float) -> None:
        """Let some time pass, s."""
        self._advance(duration)

    def measure(self, names: Iterable[str], delay: float = 0.0) -> list[ChannelReading]:
        """Read channels together, after a delay, s; the longest integration counts for all."""
        channels = [self.channels[name] for name in names]
        self.wait(delay)
        aperture = max(one.aperture for one in channels)
        taken: dict[str, list[ChannelReading]] = {one.name: [] for one in channels}
        for _ in range(max(one.readings_needed for one in channels)):
            samples = self._advance(aperture)
            for one in channels:
                taken[one.name].append(one.read(self.time, samples[one.name]))
        return [one.filtered(taken[one.name]) for one in channels]

    def off(self) -> None:
        """Switch every output off."""
        for channel in self.channels.values():
            channel.set_output(False, self.time)

    def _advance(self, duration: float) -> dict[str, Sample]:
        """Let some time pass for every load, and return the means over it."""
        if duration == 0.0:
            return {}
        if not SHORTEST <= duration <= LONGEST:
            raise CommandError(TOO_BIG, f"Parameter too big: a time of {duration:g} s")
        samples = {name: one.advance(duration) for name, one in self.channels.items()}
        self.time += duration
        return samples
