"""A simulated device: atoms on their lattice, their potential and conductance, and the circuit.

The circuit and the atoms take turns. For a stretch of time the gap voltage is held, atoms and ions
move by kinetic Monte Carlo, and the circuit is advanced exactly over the time that passed; then
potential and conductance follow the atoms. A stretch ends where metal joins the electrodes or
comes apart, and where the gap voltage, which the circuit's own equations foresee, has changed by
a set amount: so it is short while the circuit settles.
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from ase import Atoms
from numpy.random import SeedSequence
from scipy import constants

from nanogap.device.advance import Reason
from nanogap.device.conditions import check_voltages
from nanogap.device.conductance import MomentaryConductance, NeckConductance
from nanogap.device.energetics import Energetics, load_energetics
from nanogap.device.engine import LatticeKMC
from nanogap.device.heat import Heating, current_density, wind_force
from nanogap.device.lattice import Lattice, to_atoms
from nanogap.device.medium import Medium, load_medium
from nanogap.device.neck import Neck, NeckCut, cut_necks
from nanogap.device.needles import Tips, build_needles
from nanogap.device.potential import PotentialField
from nanogap.device.roughness import roughen
from nanogap.device.state import Caps
from nanogap.electrical import Averager, Segment, SourceState
from nanogap.errors import SettingsError
from nanogap.settings.atoms import MediumSettings
from nanogap.settings.device import DeviceSettings
from nanogap.units import CONDUCTANCE_QUANTUM

_Necks = TypeVar("_Necks", bound=NeckConductance)
#: Change of the gap voltage that the rates are made anew for: this share, at least so many volts.
_VOLTAGE_SHARE, _VOLTAGE_STEP = 0.01, 1e-3
#: Change of the gap voltage within a stretch, as a share, that is allowed beside the settings'.
_LARGEST_SHARE = 0.05
#: Stretches at most in a time without readings.
_PARTS_OF_A_WAIT = 50
#: Drop from metal to medium, share of the gap voltage, from which redox there is watched.
_WATCHED_DROP = 0.02
#: Change of the temperature of the contact that the rates are made anew for, K.
_TEMPERATURE_STEP = 1.0


@dataclass(frozen=True)
class AppliedFields:
    """Voltage and temperature that the rates of the atoms were made for.

    Attributes
    ----------
    voltage : float
        Gap voltage, V.
    contact_temperature : float
        K.
    """

    voltage: float = 0.0
    contact_temperature: float = 0.0


class Device:
    """Nanogap behind its circuit.

    Parameters
    ----------
    settings : DeviceSettings
        Of one device (`nanogap.settings.device.DeviceSettings.members`).
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
    conductance : MomentaryConductance
        At the last update.
    updates : int
        Times that atoms had moved, so that potential and conductance followed them.

    Raises
    ------
    SettingsError
        If a setting cannot be.
    StructureError
        If the needles cannot be built.
    """

    def __init__(self, settings: DeviceSettings, necks: NeckConductance | None = None) -> None:
        self.settings = settings
        atoms, kinetics = settings.atoms, settings.kinetics
        energetics = make_energetics(settings)
        self.tips = make_tips(settings, energetics.lattice_constant)
        streams = self._streams()
        medium = make_medium(settings.medium)
        check_voltages(settings, medium)
        self.engine = LatticeKMC(
            self.lattice,
            self.tips.metal,
            self.tips.fixed,
            energetics,
            medium,
            temperature=atoms.temperature,
            seed=int(streams[0].generate_state(1, np.uint64)[0] >> np.uint64(1)),
            caps=Caps(*map(_cap, (kinetics.metal_cap, kinetics.ion_cap, kinetics.redox_cap))),
        )
        self.field = PotentialField(
            self.lattice,
            self.tips.fixed,
            largest_jump=kinetics.largest_jump,
            tolerance=kinetics.potential_tolerance,
            screening_length=medium.screening_length if medium is not None else math.inf,
            bulk_level=_bulk_level(settings.medium, medium),
        )
        self.necks = necks or make_necks(settings, self.lattice.lattice_constant)
        self.source = settings.make_source()
        heat = settings.heat
        self.heating = Heating(
            model=heat.model,
            ballistic_coefficient=heat.ballistic_coefficient,
            threshold=heat.threshold,
            pumped_share=heat.pumped_share,
        )
        self.circuit = SourceState()
        self.applied = AppliedFields(contact_temperature=atoms.temperature)
        self.updates = 0
        self._stale = False
        self.field.update(self.engine.state.occupation)
        self._watch()
        self._followed, self._necks = self.engine.metal_events, self._cut()
        self.conductance = self._momentary()

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
        """Atoms and ions of the moment."""
        return to_atoms(self.lattice, self.engine.state.occupation, self.settings.geometry.element)

    def _streams(self) -> list[SeedSequence]:
        """Independent random streams of this device: atoms, voltmeter, ammeter."""
        return _streams(self.settings)[:3]

    def meter_seeds(self) -> tuple[SeedSequence, SeedSequence]:
        """Random streams of the meters of voltage and current."""
        _, voltage, current = self._streams()
        return voltage, current

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
        change = abs(voltage - self.applied.voltage)
        anew, self._stale = self._stale, False
        if not anew and change <= max(_VOLTAGE_SHARE * abs(voltage), _VOLTAGE_STEP):
            return
        self.engine.set_potential(*self.field.voltages(0.0, voltage))
        self.applied = replace(self.applied, voltage=voltage)
        ambient = self.settings.atoms.temperature
        hottest = self.heating.contact_temperature(voltage, ambient)
        if not self.field.clusters.bridged:
            hottest = ambient
        heated = hottest != ambient
        if abs(hottest - self.applied.contact_temperature) > _TEMPERATURE_STEP or (anew and heated):
            self.engine.set_temperature(
                self.heating.temperatures(self.field, self.lattice, voltage, ambient)
            )
            self.applied = replace(self.applied, contact_temperature=hottest)
        valence = self.settings.heat.effective_valence
        if valence and (self.field.clusters.bridged or anew):
            current = voltage * self.conductance.value * CONDUCTANCE_QUANTUM
            density = current_density(self.lattice, self.field, current)
            self.engine.set_force(
                wind_force(self.lattice, density, valence, self.settings.heat.resistivity)
            )


def make_energetics(settings: DeviceSettings) -> Energetics:
    """Load energies and barriers of a device's metal."""
    atoms = settings.atoms
    return load_energetics(
        settings.geometry.element,
        bond_scaling=atoms.bond_scaling,
        surface_condition=atoms.surface_condition,
        path=None if atoms.energetics == "packaged" else Path(atoms.energetics),
    )


def make_necks(
    settings: DeviceSettings,
    lattice_constant: float,
    kind: type[_Necks] = NeckConductance,  # type: ignore[assignment]
) -> _Necks:
    """Make what computes the conductance of a device's neck."""
    conductance = settings.conductance
    return kind(
        settings.geometry.element,
        lattice_constant,
        NeckCut(widths=conductance.cell_widths, depth=conductance.cut_layers),
        kpoints=(conductance.kpoints,) * 2,
        relaxation_steps=conductance.relaxation_steps,
        curve=conductance.curve,
        store=None if conductance.cache == "none" else conductance.cache,
    )


def make_tips(settings: DeviceSettings, lattice_constant: float) -> Tips:
    """Build the needles of a device, on their lattice, with its roughness."""
    geometry = settings.geometry
    tips = build_needles(
        lattice_constant=lattice_constant,
        base_width=geometry.base_width,
        height=geometry.height,
        apex_width=geometry.apex_width,
        upper_apex_width=geometry.upper_apex,
        gap=geometry.gap,
        fixed_layers=geometry.fixed_layers,
        margin=geometry.margin,
    )
    if not geometry.roughness:
        return tips
    random = np.random.default_rng(_streams(settings)[3])
    return replace(tips, metal=roughen(tips, geometry.roughness, random))


def _streams(settings: DeviceSettings) -> list[SeedSequence]:
    """Independent random streams: atoms, voltmeter, ammeter, roughness."""
    return SeedSequence(settings.seed).spawn(4)


def _cap(value: float | str) -> float:
    """Return the number of a cap of the settings."""
    return math.inf if isinstance(value, str) else value


def _bulk_level(settings: MediumSettings, medium: Medium | None) -> float | None:
    """Return the level at which the bulk of the medium is held, if it is."""
    level = settings.bulk_level
    if medium is None or math.isinf(medium.screening_length):
        if isinstance(level, str):
            return None
        raise SettingsError(
            f"medium.bulk_level = {level:g} is given, but {settings.name!r} does not screen, so it "
            "has no bulk: leave it out, or give medium.screening_length"
        )
    if isinstance(level, str):
        return medium.bulk_level if level == "named" else None
    return level


def make_medium(settings: MediumSettings) -> Medium | None:
    """Return the named medium with the values that the settings change; None for vacuum.

    Raises
    ------
    SettingsError
        If there is no such medium, a value is impossible, or vacuum is given one.
    """
    medium, changes = load_medium(settings.name), settings.changes
    if medium is None and changes:
        raise SettingsError(
            f"medium.{next(iter(changes))} is given, but medium.name = {settings.name!r} holds no "
            "ions: leave it out, or choose another medium"
        )
    if medium is None:
        return None
    values: dict[str, Any] = dict(changes)
    return replace(medium, **values)
