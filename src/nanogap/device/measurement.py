"""A protocol run on a simulated device, reading by reading.

Between two readings everything that the future depends on is a `MeasurementState` beside the state
of the engine, so a measurement that was interrupted goes on to the same bits.
"""

import inspect
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from nanogap.arguments import shown
from nanogap.device.applied import AppliedFields
from nanogap.device.readings import ELECTRODES, readings_dataset, with_origin
from nanogap.device.state import event_names, load_arrays, save_arrays
from nanogap.electrical import Averager, Driven, MeterState, Reading, Segment, SourceState
from nanogap.electrical.segments import Quantity
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import write_json
from nanogap.settings.device import DeviceSettings
from nanogap.units import CONDUCTANCE_QUANTUM

if TYPE_CHECKING:
    from nanogap.device.device import Device

#: Contacts that form or break between two readings and end a stretch; more are averaged over.
STOPS = 4
_ENGINE, _POTENTIAL, _STATE = "atoms.npz", "potential.npz", "measurement.json"


@dataclass(frozen=True)
class Point:
    """One reading.

    Attributes
    ----------
    time : float
        At its end, since the beginning of the protocol, s.
    voltage, current : float
        As read at the source, V and A.
    gap_voltage, electronic_current, ionic_current : float
        True means over the averaging time, V and A.
    conductance : float
        Mean over the averaging time, electronic current over gap voltage, G0; that of the last
        moment where there is no voltage.
    cycle : int
        Below 0 in the preparation.
    compliance : bool
    bridged : bool
        Whether metal joins the electrodes at the end.
    continued : bool
        Whether the conductance was continued beyond what Green's functions resolve.
    read : bool
        Whether it belongs to a reading of the state, not to a sweep.
    atoms_cut_off : int
        Atoms of the constriction that its cell could not hold, at the end.
    n_ions : int
        Ions at the end.
    events : tuple of int
        Of each kind (`nanogap.device.state.event_names`) since the beginning.
    charge : tuple of int
        Ions that left the metal of the lower and of the upper electrode since the beginning, less
        those that became metal there. Metal that joins both, or none, counts for neither.
    """

    time: float
    voltage: float
    current: float
    gap_voltage: float
    electronic_current: float
    ionic_current: float
    conductance: float
    cycle: int
    compliance: bool
    bridged: bool
    continued: bool
    read: bool
    atoms_cut_off: int
    n_ions: int
    events: tuple[int, ...]
    charge: tuple[int, int]

    @property
    def numbers(self) -> tuple[float, ...]:
        """Return all as numbers, in the order of `point_columns`."""
        single = (float(getattr(self, name)) for name in _SINGLE)
        return (*single, *map(float, self.events), *map(float, self.charge))


_SINGLE = tuple(field.name for field in fields(Point) if field.name not in {"events", "charge"})


def point_columns() -> tuple[str, ...]:
    """Return the names of a point's numbers: fields, kinds of events, ``charge lower`` ..."""
    return (*_SINGLE, *event_names(), *(f"charge {name}" for name in ELECTRODES))


@dataclass(frozen=True)
class MeasurementState:
    """Place in a protocol, between two readings.

    Attributes
    ----------
    readings : tuple of Reading or None
        Of the finished segments.
    sample : int
        Readings done in the present segment.
    elapsed : float
        Time of the finished segments, s.
    points : int
        Points so far.
    last : Reading or None
        Last reading of the present segment.
    """

    readings: tuple[Reading | None, ...] = ()
    sample: int = 0
    elapsed: float = 0.0
    points: int = 0
    last: Reading | None = None


class Measurement:
    """Protocol on a device under way.

    Parameters
    ----------
    device : Device
        It goes on from where it is.
    protocol : Driven, optional
        Gives the next segment by what was read. Default: that of the device's settings.

    Attributes
    ----------
    device : Device
    state : MeasurementState
    moment : State
        Atoms and ions at the latest reading.
    quantity : {'voltage', 'current'} or None
        What the source sets in the first segment of the protocol, after what prepares; None before.

    Raises
    ------
    SettingsError
        If the protocol cannot be asked for a segment, or gives what the source cannot drive.

    Examples
    --------
    >>> from nanogap.device.measurement import Measurement
    >>> from nanogap.device.device import Device
    >>> from nanogap.settings.device import load_device_settings
    >>> settings = load_device_settings("device-quick", ["conductance.cache=none"])
    >>> point = next(iter(Measurement(Device(settings))))
    >>> round(point.time, 3), point.bridged
    (0.02, False)
    """

    def __init__(self, device: "Device", protocol: Driven | None = None) -> None:
        self.device = device
        self.state = MeasurementState()
        self.moment = device.engine.state
        self.quantity: Quantity | None = None
        self._protocol = device.settings.make_protocol() if protocol is None else protocol
        _check_protocol(self._protocol)
        self._voltmeter, self._ammeter = device.voltmeter, device.ammeter

    def __iter__(self) -> Iterator[Point]:
        """Yield the readings from here on."""
        while (segment := self._protocol.next_segment(self.state.readings)) is not None:
            check_segment(segment, self.device)
            if segment.cycle >= 0:  # what prepares is another measurement
                self.quantity = self.quantity or segment.quantity
            yield from self._segment(segment)
            state = self.state
            self.state = replace(
                state,
                readings=(*state.readings, state.last),
                sample=0,
                elapsed=state.elapsed + segment.duration,
                last=None,
            )

    def _segment(self, segment: Segment) -> Iterator[Point]:
        """Yield the readings of a segment from the present one on."""
        device, windows = self.device, segment.windows(self.device.settings.source.aperture)
        done = float(windows[self.state.sample - 1, 1]) if self.state.sample else 0.0
        for begin, end in windows[self.state.sample :]:
            device.advance(segment, done, float(begin), Averager(), STOPS)
            averager = Averager()
            device.advance(segment, float(begin), float(end), averager, STOPS)
            point = self._read(segment, averager, float(end), float(end) - done)
            done = float(end)
            yield point
        if not segment.samples:
            device.advance(segment, 0.0, segment.duration, Averager(), STOPS)

    def _read(self, segment: Segment, averager: Averager, end: float, interval: float) -> Point:
        """Read both meters at the end of an averaging time."""
        true, momentary = averager.finish(), self.device.conductance
        voltage = self._voltmeter.read(true.voltage, interval)
        current = self._ammeter.read(true.current, interval)
        siemens = true.electronic_current / true.gap_voltage if true.gap_voltage else 0.0
        moment = self.moment = self.device.engine.state
        state = self.state
        self.state = replace(
            state,
            sample=state.sample + 1,
            points=state.points + 1,
            last=Reading(voltage, current),
        )
        return Point(
            time=state.elapsed + end,
            voltage=voltage,
            current=current,
            gap_voltage=true.gap_voltage,
            electronic_current=true.electronic_current,
            ionic_current=true.ionic_current,
            conductance=siemens / CONDUCTANCE_QUANTUM if true.gap_voltage else momentary.value,
            cycle=min(segment.cycle, -1) if segment.preparation else segment.cycle,
            compliance=true.compliance,
            bridged=momentary.bridged,
            continued=momentary.continued,
            read=segment.is_read,
            atoms_cut_off=momentary.atoms_cut_off,
            n_ions=moment.n_ions,
            events=tuple(moment.events.values()),
            charge=(moment.charge["lower"], moment.charge["upper"]),
        )

    def save(self, folder: Path) -> None:
        """Write all that the future depends on into a folder, each file atomically.

        Parameters
        ----------
        folder : Path
            It exists and is empty.
        """
        device = self.device
        device.engine.save(folder / _ENGINE)
        field = device.field
        save_arrays(
            folder / _POTENTIAL,
            {
                "potential": field.potential,
                "solved_labels": np.asarray(field.solved_labels),
                "conductance": np.array(field.conductance),
                "neglected": np.array(field.neglected),
            },
        )
        write_json(
            folder / _STATE,
            {
                "state": asdict(self.state),
                "circuit": asdict(device.circuit),
                "applied": asdict(device.applied),
                "updates": device.updates,
                "voltmeter": asdict(self._voltmeter.state),
                "ammeter": asdict(self._ammeter.state),
            },
        )

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote, to the bit.

        Raises
        ------
        DataFormatError
            If a file is missing, damaged, or, as an `OtherStateError`, of another device.
        """
        device = self.device
        device.engine.load(folder / _ENGINE)
        try:
            content = json.loads((folder / _STATE).read_text(encoding="utf-8"))
            stored = load_arrays(folder / _POTENTIAL)
            device.field.restore(
                np.asarray(stored["potential"], dtype=np.float64),
                np.asarray(stored["solved_labels"], dtype=np.uint8),
                float(stored["conductance"]),
                float(stored["neglected"]),
            )
            state = content["state"]
            self.state = MeasurementState(
                readings=tuple(one and Reading(**one) for one in state["readings"]),
                sample=state["sample"],
                elapsed=state["elapsed"],
                points=state["points"],
                last=state["last"] and Reading(**state["last"]),
            )
            self._voltmeter.state = _meter_state(content["voltmeter"])
            self._ammeter.state = _meter_state(content["ammeter"])
            circuit = SourceState(**content["circuit"])
            applied = AppliedFields(**content["applied"])
            updates = int(content["updates"])
        except (OSError, ValueError, KeyError, TypeError, EOFError) as error:
            raise DataFormatError(f"checkpoint {folder.name} cannot be read: {error}") from None
        device.restore(circuit, applied, updates)
        self.moment = device.engine.state


def points_dataset(
    points: Sequence[Point], settings: DeviceSettings, driven: Quantity | None = None
) -> xr.Dataset:
    """Put points into a measurement dataset; see `nanogap.device.readings.readings_dataset`.

    Raises
    ------
    DataFormatError
        If there is none.
    """
    if not points:
        raise DataFormatError("the device has no reading: measure() and apply() take some")
    rows = np.array([point.numbers for point in points])
    columns = dict(zip(point_columns(), rows.T, strict=True))
    found = readings_dataset(columns, settings, settings.name, driven=driven)
    return with_origin(found, settings)


def _check_protocol(protocol: Driven) -> None:
    """Refuse a protocol that does not take the readings."""
    try:
        inspect.signature(protocol.next_segment).bind(())
    except TypeError:
        raise SettingsError(
            f"protocol = {shown(protocol)}: its next_segment does not take the readings: define "
            "next_segment(self, readings)"
        ) from None
    except ValueError:  # compiled, without a signature
        pass


def check_segment(segment: object, device: "Device") -> None:
    """Refuse a segment that the source of a device cannot drive.

    Parameters
    ----------
    segment : object
    device : Device

    Raises
    ------
    SettingsError
        If it is none, or beyond the limits of the source or of the rates.
    """
    if not isinstance(segment, Segment):
        raise SettingsError(
            f"the protocol gives {shown(segment)}: next_segment must return a Segment or None"
        )
    unit = "V" if segment.quantity == "voltage" else "A"
    most = max(abs(segment.start), abs(segment.end))
    own = getattr(device.settings.source, f"{segment.quantity}_limit")
    if segment.quantity == "voltage" and device.largest_voltage < most <= own:
        raise SettingsError(
            f"{most:g} V is more than the {math.floor(100.0 * device.largest_voltage) / 100.0:g} V "
            f"that the rates hold at atoms.temperature = {device.temperature:g} K"
        )
    if most > own:
        raise SettingsError(
            f"{most:g} {unit} is beyond source.{segment.quantity}_limit = {own:g} {unit}"
        )


def _meter_state(content: dict[str, object]) -> MeterState:
    flicker = content["flicker"]
    return MeterState(
        random=str(content["random"]),
        range_number=int(str(content["range_number"])),
        flicker=tuple(flicker if isinstance(flicker, list) else ()),
    )
