"""A simulated device: atoms on their lattice, their potential and conductance, and the circuit.

The circuit and the atoms take turns. For a stretch of time the gap voltage is held, atoms and ions
move by kinetic Monte Carlo, and the circuit is advanced exactly over the time that passed; then
potential and conductance follow the atoms. A stretch ends where metal joins the electrodes or
comes apart, and where the gap voltage, which the circuit's own equations foresee, has changed by
a set amount: so it is short while the circuit settles.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import xarray as xr
from ase import Atoms
from numpy.random import SeedSequence
from scipy import constants

from nanogap.arguments import checked, shown
from nanogap.device.advance import Reason
from nanogap.device.applied import AppliedFields, apply_voltage
from nanogap.device.conditions import check_voltages, largest_voltage, rate_share
from nanogap.device.conductance import MomentaryConductance, NeckConductance
from nanogap.device.engine import LatticeKMC
from nanogap.device.frames import labelled_atoms
from nanogap.device.lattice import Lattice
from nanogap.device.measurement import Measurement, Point, points_dataset
from nanogap.device.neck import Neck, cut_necks
from nanogap.device.parts import (
    make_caps,
    make_energetics,
    make_field,
    make_heating,
    make_medium,
    make_necks,
    make_tips,
    random_streams,
)
from nanogap.electrical import Averager, Segment, SegmentList, SourceState
from nanogap.electrical.protocols import Limits, limits
from nanogap.electrical.segments import AnyProtocol, Quantity
from nanogap.errors import SettingsError
from nanogap.printing import Printed, Rows, counted, number
from nanogap.printing import quantity as in_units
from nanogap.settings.device import DeviceSettingsSource, load_device_settings
from nanogap.units import CONDUCTANCE_QUANTUM

#: Change of the gap voltage within a stretch, as a share, that is allowed beside the settings'.
_LARGEST_SHARE = 0.05
#: Stretches at most in a time without readings.
_PARTS_OF_A_WAIT = 50
#: Drop from metal to medium, share of the gap voltage, from which redox there is watched.
_WATCHED_DROP = 0.02


class Device(Printed):
    """Nanogap behind its circuit, its source and its meters, in memory.

    It begins as the settings say, and its time goes on with every measurement. For a measurement
    of minutes of computing, which survives interruptions, see `nanogap.runs.run_device`.

    Parameters
    ----------
    settings : str, Path, mapping, DeviceSettings or None
        Of one device: a preset, a file, a table or settings; see
        `nanogap.settings.device.load_device_settings`. Of several (``devices.number``), each has
        its own in `nanogap.settings.device.DeviceSettings.members`.
    necks : NeckConductance, optional
        Conductance of the atoms, where it is not that of the settings.

    Attributes
    ----------
    settings : DeviceSettings
    tips : Tips
    engine : LatticeKMC
    field : PotentialField
    necks : NeckConductance
    source : Source
    voltmeter, ammeter : Meter
    conductance : MomentaryConductance
        At the last update; ``conductance.value`` is in G0.
    updates : int
        Times that atoms had moved, so that potential and conductance followed them.

    Raises
    ------
    SettingsError
        If a setting cannot be, or the settings are of several devices.
    StructureError
        If the needles cannot be built.

    Examples
    --------
    Half a volt for a tenth of a second, then a sweep:

    >>> from nanogap.device import Device
    >>> from nanogap.electrical import VoltageSweep
    >>> device = Device("device-quick")
    >>> reading = device.apply(0.5, 0.1)
    >>> round(reading.time, 3), reading.bridged
    (0.1, False)
    >>> data = device.measure(VoltageSweep(turning_points=(0.0, 0.2), rate=1.0, interval=0.02))
    >>> data.sizes["point"], device.dataset().sizes["point"]
    (10, 11)
    """

    def __init__(
        self, settings: DeviceSettingsSource = None, necks: NeckConductance | None = None
    ) -> None:
        self.settings = settings = load_device_settings(settings)
        if settings.devices.number > 1:
            raise SettingsError(
                f"the settings are of {settings.devices.number} devices, and a Device is one: give "
                "one of settings.members(), or run all of them with run_device"
            )
        if necks is not None and not callable(getattr(necks, "momentary", None)):
            raise SettingsError(f"Device: necks = {shown(necks)}: give a NeckConductance or None")
        energetics = make_energetics(settings)
        self.tips = make_tips(settings, energetics.lattice_constant)
        medium = make_medium(settings.medium)
        check_voltages(settings, medium)
        #: Of the surroundings, K; `set_temperature` changes it.
        self.temperature = settings.atoms.temperature
        #: Largest voltage that the rates hold, V.
        self.largest_voltage = largest_voltage(settings.atoms.temperature, rate_share(medium))
        self.engine = LatticeKMC(
            self.lattice,
            self.tips.metal,
            self.tips.fixed,
            energetics,
            medium,
            temperature=settings.atoms.temperature,
            seed=int(random_streams(settings)[0].generate_state(1, np.uint64)[0] >> np.uint64(1)),
            caps=make_caps(settings),
        )
        self.field = make_field(settings, self.tips, medium)
        self.necks = necks or make_necks(settings, self.lattice.lattice_constant)
        self.source = settings.make_source()
        voltage, current = self.meter_seeds()
        self.voltmeter = settings.source.make_meter("voltage", voltage)
        self.ammeter = settings.source.make_meter("current", current)
        self.heating = make_heating(settings)
        self.circuit = SourceState()
        self.applied = AppliedFields(contact_temperature=settings.atoms.temperature)
        self.updates = 0
        self._stale = False
        self._points: list[Point] = []
        self._driven: set[Quantity] = set()
        self.field.update(self.engine.state.occupation)
        self._watch()
        self._followed, self._necks = self.engine.metal_events, self._cut()
        self.conductance = self._momentary()

    def _title(self) -> str:
        return f"Device {self.settings.name!r}"

    def _rows(self) -> Rows:
        state, element = self.engine.state, self.settings.geometry.element
        ions = counted(state.n_ions, "ion")
        yield "atoms", f"{state.n_atoms} of {element} and {ions}, at {self.temperature:g} K"
        joined = "metal joins the electrodes" if self.conductance.bridged else "open"
        yield "gap", f"{joined}, {number(self.conductance.value, 'G0')}"
        yield "time", f"{number(self.time, 's')}, {counted(len(self._points), 'reading')}"
        yield "source", f"{in_units(self.circuit.output, 'V')} now"
        yield "next", ".measure(), .apply(volts, seconds), .dataset(), .atoms"

    @property
    def lattice(self) -> Lattice:
        """Sites of the device."""
        return self.tips.lattice

    @property
    def time(self) -> float:
        """Simulated time since the device was made, s."""
        return self.engine.time

    @property
    def atoms(self) -> Atoms:
        """Atoms and ions of the moment, as `nanogap.device.frames.labelled_atoms` gives them.

        ``info`` has ``time`` (s), ``conductance`` (G0) and ``gap_voltage`` (V) too.
        """
        atoms = labelled_atoms(
            self.tips, self.engine.state.occupation, self.settings.geometry.element
        )
        atoms.info.update(
            time=self.time,
            conductance=self.conductance.value,
            gap_voltage=self.circuit.gap_voltage,
        )
        return atoms

    def meter_seeds(self) -> tuple[SeedSequence, SeedSequence]:
        """Random streams of the meters of voltage and current."""
        _, voltage, current, _ = random_streams(self.settings)
        return voltage, current

    @checked
    def apply(
        self,
        level: float,
        duration: float,
        *,
        quantity: Quantity = "voltage",
        compliance: Limits = "none",
        cycle: int | None = None,
        read: bool = False,
    ) -> Point:
        """Hold a level for some time, and read voltage and current at its end.

        Parameters
        ----------
        level : float
            V or A.
        duration : float
            s. The reading is the mean over the averaging time of the source at its end.
        quantity : {'voltage', 'current'}
            What the source sets.
        compliance : float, tuple of float or 'none'
            Largest size of the other quantity, A or V: one, or one for each sign.
        cycle : int, optional
            Number of the cycle that the reading is counted to. Default: that of the one before.
        read : bool
            Whether it only reads the state.

        Returns
        -------
        Point
            ``voltage`` (V) and ``current`` (A) as read, the true ``conductance`` (G0), ``bridged``
            and more; ``time`` (s) since the device was made.

        Raises
        ------
        SettingsError
            If an argument is out of range, or the level beyond the limit of the source.
        """
        latest = max(self._points[-1].cycle, 0) if self._points else 0
        counted_to = latest if cycle is None else cycle
        segment = Segment(
            quantity,
            float(level),
            float(level),
            float(duration),
            limits(compliance),
            int(counted_to),
            samples=1,
            purpose="read" if read else "pulse",
        )
        begin = self.time
        (point,) = Measurement(self, SegmentList((segment,)))
        self._driven.add(quantity)
        self._points.append(replace(point, time=begin + point.time))
        return self._points[-1]

    @checked
    def measure(
        self,
        protocol: AnyProtocol = None,
        *,
        progress: Callable[[int, int], object] | None = None,
    ) -> xr.Dataset:
        """Run a protocol on the device as it is, and return its readings.

        After an interruption, what was read so far is in `dataset`.

        Parameters
        ----------
        protocol : Driven, optional
            A protocol of `nanogap.electrical`, or any object whose ``next_segment(readings)``
            gives the next `nanogap.electrical.Segment` by the last readings of those before, None
            at the end. Default: preparation and protocol of the settings.
        progress : callable, optional
            Called after each reading with the readings done and planned; 0 are planned where the
            protocol does not say.

        Returns
        -------
        xarray.Dataset
            `nanogap.device.readings.readings_dataset`: a measurement that every analysis takes. Its
            times and cycles begin with it; events and charges are counted since the device was
            made.

        Raises
        ------
        SettingsError
            If the protocol is none, or goes beyond the limits of the source.
        """
        if isinstance(protocol, type):  # a class has the methods of its objects too
            raise SettingsError(f"Device.measure: protocol = {shown(protocol)}: give one of them")
        driven = self.settings.make_protocol() if protocol is None else protocol
        planned = int(getattr(protocol or self.settings, "total_samples", 0))
        first = max((point.cycle + 1 for point in self._points if point.cycle >= 0), default=0)
        begin, taken = self.time, []
        measurement = Measurement(self, driven)
        for point in measurement:
            taken.append(point)
            if measurement.quantity is not None:
                self._driven.add(measurement.quantity)
            cycle = first + point.cycle if point.cycle >= 0 else point.cycle
            self._points.append(replace(point, time=begin + point.time, cycle=cycle))
            if progress is not None:
                progress(len(taken), planned)
        return points_dataset(taken, self.settings, measurement.quantity)

    def dataset(self) -> xr.Dataset:
        """Return all readings of `measure` and `apply` so far, as one dataset like that of measure.

        Times are since the device was made, and the cycles of one measurement follow those of the
        one before.

        Raises
        ------
        DataFormatError
            If there is none.
        """
        currents = self._driven == {"current"}
        return points_dataset(self._points, self.settings, "current" if currents else "voltage")

    @checked
    def set_temperature(self, temperature: float) -> None:
        """Bring atoms, ions and medium to another temperature; all rates are made anew.

        Parameters
        ----------
        temperature : float
            Of all but a contact that the current heats, K, in the range of ``atoms.temperature``.

        Raises
        ------
        SettingsError
            If it is out of range, or so low that the rates do not hold the present voltage.
        """
        load_device_settings(self.settings, {"atoms.temperature": temperature})
        most = largest_voltage(temperature, rate_share(self.engine.medium))
        if abs(self.circuit.output) > most:
            held = f"temperature = {temperature:g} K: the rates hold {most:.3g} V there"
            raise SettingsError(f"{held}, less than that of the source: lower the voltage first")
        self.temperature, self.largest_voltage = temperature, most
        self.engine.set_temperature(temperature)
        self.applied = replace(self.applied, contact_temperature=temperature)
        self._stale = True

    def follow(self) -> None:
        """Let potential and conductance follow the atoms."""
        moved = self.engine.metal_events
        if moved != self._followed:
            if self.field.update(self.engine.state.occupation).solved:
                self._stale = True
                self._watch()
            self._followed, self._necks = moved, self._cut()
            self.updates += 1
        self.conductance = self._momentary()

    def restore(self, circuit: SourceState, applied: AppliedFields, updates: int) -> None:
        """Go on from a stored state; engine and field have theirs already."""
        self.circuit = circuit
        self.field.update(self.engine.state.occupation)
        self._followed, self._necks = self.engine.metal_events, self._cut()
        self.conductance = self._momentary()
        self.applied, self.updates = applied, updates

    def _watch(self) -> None:
        """Watch the sites where the potential drops from metal to medium."""
        self.engine.watch(np.abs(self.field.metal - self.field.medium) > _WATCHED_DROP)

    def _cut(self) -> tuple[Neck, ...]:
        """Cut the necks of the atoms as the field knows them."""
        outside = self.settings.geometry.fixed_layers
        movable = outside, self.lattice.shape[2] - 1 - outside
        carrying = self.field.carrying() if self.field.clusters.bridged else None
        labels = self.field.clusters.labels
        return cut_necks(self.lattice, labels, movable, self.necks.cut, carrying)

    def _momentary(self) -> MomentaryConductance:
        """Conductance of the necks at the present gap voltage."""
        return self.necks.momentary(self._necks, self.circuit.gap_voltage)

    def advance(
        self, segment: Segment, begin: float, end: float, averager: Averager, stops: int
    ) -> None:
        """Advance atoms and circuit from one time of a segment to another.

        Parameters
        ----------
        segment : Segment
        begin, end : float
            From the beginning of the segment, s.
        averager : Averager
            Takes the steps of the source.
        stops : int
            How often contacts that form or break may end a stretch; later ones are averaged over.
        """
        elapsed = begin
        while elapsed < end * (1.0 - 1e-12):
            stretch, voltage = self._stretch(segment, elapsed, end)
            self._apply(voltage)
            done = self.engine.advance(
                stretch,
                stop_on_contact=stops > 0,
                redox_events=self.settings.kinetics.redox_events,
            )
            passed = done.time if done.reason is not Reason.DURATION else stretch
            if passed > 0.0:
                ions = (done.charge["upper"] - done.charge["lower"]) / 2.0
                step = self.source.advance(
                    self.circuit,
                    segment,
                    elapsed,
                    passed,
                    conductance=self.conductance.value,
                    ionic_current=ions * constants.e / passed,
                )
                self.circuit = step.state
                averager.add(step)
            elapsed = end if passed >= end - elapsed else elapsed + passed
            if done.reason in {Reason.CONTACT, Reason.OPENED}:
                stops -= 1
            self.follow()
        self._apply(self.applied.voltage)

    def _stretch(self, segment: Segment, elapsed: float, end: float) -> tuple[float, float]:
        """Time for which the gap voltage may be held, s, and its mean over that time, V."""
        stretch = end - elapsed
        if not segment.samples:
            stretch = min(stretch, segment.duration / _PARTS_OF_A_WAIT)
        shortest = self._own_time / 4.0
        while True:
            step = self.source.advance(
                self.circuit, segment, elapsed, stretch, conductance=self.conductance.value
            )
            mean = step.gap_integral / stretch
            change = abs(step.state.gap_voltage - self.circuit.gap_voltage)
            allowed = max(self.settings.kinetics.longest_step, _LARGEST_SHARE * abs(mean))
            if change <= allowed or stretch <= shortest:
                return stretch, mean
            stretch /= 2.0

    @property
    def _own_time(self) -> float:
        """Slowest time constant of the circuit, s."""
        source = self.source
        gap = self.conductance.value * CONDUCTANCE_QUANTUM
        loaded = 1.0 / (1.0 / source.series_resistance + gap)
        return source.response_time + loaded * source.capacitance

    def _apply(self, voltage: float) -> None:
        """Give the atoms the potential, and the heat, of a gap voltage."""
        anew, self._stale = self._stale, False
        self.applied = apply_voltage(self, voltage, anew=anew)
