"""The settings of a simulated device as pydantic models; see `nanogap.settings.models`.

Units are those of the house: angstrom, s, K, V, eV; currents, resistances and capacitances in SI.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nanogap.electrical.protocols import CurrentSweep, Staircase, VoltageSweep
from nanogap.electrical.segments import Driven, InOrder
from nanogap.electrical.source import Source
from nanogap.electrical.states import ConstantRead, Endurance, ProgramToLevel, Pulses
from nanogap.errors import SettingsError
from nanogap.settings.circuit import CircuitSettings, SourceSettings
from nanogap.settings.load import (
    checked,
    parse_overrides,
    preset_names,
    settings_text,
    toml_table,
)
from nanogap.settings.models import _Model

_Named = Literal["named"]
_Cap = Annotated[float, Field(gt=0.0, le=1.0e15)] | Literal["none"]
_NAMED = "'named': that of the named medium"


class GeometrySettings(_Model):
    """Two needles on the fcc lattice, [111] along z, that face each other across a gap."""

    element: str = Field(
        "Ag", description="chemical symbol of the metal, one that has a table of barriers"
    )
    gap: float = Field(
        10.0,
        ge=4.0,
        le=50.0,
        description="distance between the facing layers, Å; rounded to whole layers",
    )
    base_width: float = Field(
        42.0, gt=0.0, le=500.0, description="diameter of each needle at its base, Å"
    )
    height: float = Field(
        30.0, gt=0.0, le=500.0, description="height of each needle, base to facing layer, Å"
    )
    apex_width: float = Field(
        10.0, gt=0.0, le=500.0, description="diameter of the facing layer of each needle, Å"
    )
    fixed_layers: int = Field(
        3, ge=1, le=20, description="full layers under each needle whose atoms stay"
    )
    margin: float = Field(
        8.0,
        ge=0.0,
        le=200.0,
        description="distance at the bases between a needle and its periodic image, Å",
    )
    roughness: float = Field(
        0.0,
        ge=0.0,
        le=0.5,
        description="share of the surface atoms that are moved to random surface sites at the "
        "start, by the seed: no two devices begin alike",
    )

    @model_validator(mode="after")
    def _pointed(self) -> Self:
        if self.apex_width > self.base_width:
            raise ValueError(
                f"geometry.apex_width = {self.apex_width:g} Å must not be above "
                f"geometry.base_width = {self.base_width:g} Å"
            )
        return self


class AtomsSettings(_Model):
    """Energies and barriers of the metal's atoms."""

    temperature: float = Field(300.0, gt=0.0, le=1000.0, description="temperature, K")
    surface_condition: float = Field(
        0.0,
        ge=-0.5,
        le=1.0,
        description="shift of the barriers at which atoms leave a step, eV: adsorbates and oxide "
        "of a surface in air; a fit, to retention",
    )
    bond_scaling: float = Field(
        1.0,
        gt=0.0,
        le=5.0,
        description="factor of the binding energies; 2 brings the surface energy of the packaged "
        "tables to the measured one",
    )
    energetics: str = Field(
        "packaged",
        min_length=1,
        max_length=1000,
        description="'packaged': the table of energies and barriers of the element that comes with "
        "nanogap; or the path of such a file",
    )


class MediumSettings(_Model):
    """Medium that fills the gap: a named one, of which single values may be others."""

    name: str = Field(
        "water film",
        min_length=1,
        max_length=80,
        description="a named medium with source and range of every value; 'vacuum': no ions",
    )
    ion_barrier: Annotated[float, Field(ge=0.0, le=5.0)] | _Named = Field(
        "named", description=f"barrier of an ion's hop, eV; {_NAMED}"
    )
    ion_prefactor: Annotated[float, Field(ge=1.0e6, le=1.0e16)] | _Named = Field(
        "named", description=f"attempt frequency of an ion's hop, 1/s; {_NAMED}"
    )
    exchange_rate: Annotated[float, Field(ge=0.0, le=1.0e13)] | _Named = Field(
        "named",
        description="rate at which an atom at a kink is oxidized at equilibrium, 1/s, a fit; "
        f"{_NAMED}",
    )
    transfer_coefficient: Annotated[float, Field(ge=0.0, le=1.0)] | _Named = Field(
        "named", description=f"share of the overpotential that speeds up the reduction; {_NAMED}"
    )
    reference_concentration: Annotated[float, Field(ge=1.0e-12, le=90.0)] | _Named = Field(
        "named",
        description="concentration of ions with which a kink is in equilibrium at zero "
        f"overpotential, mol/L; {_NAMED}",
    )
    concentration: Annotated[float, Field(ge=0.0, le=90.0)] | _Named = Field(
        "named", description=f"concentration of ions at the start, mol/L; {_NAMED}"
    )
    equilibrium_potential: Annotated[float, Field(ge=-10.0, le=10.0)] | _Named = Field(
        "named", description=f"zero of the overpotential, V; {_NAMED}"
    )
    permittivity: Annotated[float, Field(ge=1.0, le=1.0e4)] | _Named = Field(
        "named", description=f"relative permittivity; {_NAMED}"
    )
    bath_rate: Annotated[float, Field(ge=0.0, le=1.0e15)] | _Named = Field(
        "named",
        description="rate at which an ion leaves for the medium outside the box, 1/s; 0: a closed "
        f"box; {_NAMED}",
    )

    @property
    def changes(self) -> dict[str, float]:
        """Values that are not those of the named medium."""
        given = {key: getattr(self, key) for key in type(self).model_fields if key != "name"}
        return {key: value for key, value in given.items() if value != "named"}


class KineticsSettings(_Model):
    """Kinetic Monte Carlo: caps on fast reversible pairs, and when the potential is solved."""

    metal_cap: _Cap = Field(
        1.0e4,
        description="cap on the slower rate of a reversible pair of hops of atoms, 1/s: both rates "
        "are scaled alike, so equilibrium stays exact; 'none': no cap",
    )
    ion_cap: _Cap = Field(1.0e4, description="the same for hops of ions, 1/s")
    redox_cap: _Cap = Field("none", description="the same for oxidation and reduction, 1/s")
    largest_jump: float = Field(
        0.01,
        ge=0.0,
        le=1.0,
        description="the potential is solved again once it would change by more at a site whose "
        "occupation changed, share of the gap voltage; 0: at every change",
    )
    potential_tolerance: float = Field(
        1.0e-3,
        gt=0.0,
        le=1.0e-2,
        description="tolerance of a solution of the potential, share of the gap voltage",
    )
    longest_step: float = Field(
        0.01,
        gt=0.0,
        le=100.0,
        description="change of the source's level between two updates of the rates, at most, V (in "
        "a current sweep: of the voltage across the gap)",
    )


class HeatSettings(_Model):
    """Heat of the contact, and the force of the current on atoms; both off by default."""

    model: Literal["off", "ballistic", "diffusive", "pumping"] = Field(
        "off",
        description="'off': no heat; 'ballistic', 'diffusive': by the power in the leads, or in "
        "the constriction; 'pumping': vibrations are pumped above a threshold, the null model "
        "beside electrochemistry (doi:10.1103/PhysRevApplied.21.014027)",
    )
    ballistic_coefficient: float = Field(
        60.0, ge=0.0, le=1000.0, description="gamma of the ballistic contact, K/V^(1/2)"
    )
    threshold: float = Field(
        0.45, ge=0.0, le=10.0, description="voltage above which vibrations are pumped, V"
    )
    pumped_share: float = Field(
        0.25, ge=0.0, le=10.0, description="rise of kT over that of eV above the threshold"
    )
    effective_valence: float = Field(
        0.0,
        ge=-1000.0,
        le=1000.0,
        description="Z* of the wind force Z* e rho j on atoms; 0: no force",
    )
    resistivity: float = Field(
        1.59e-8, gt=0.0, le=1.0e-4, description="rho of the wind force, ohm m; that of bulk silver"
    )


class ConductanceSettings(_Model):
    """Conductance of the filament at a moment, by the tight-binding engine."""

    relaxation_steps: int = Field(
        0,
        ge=0,
        le=1000,
        description="steps of relaxation by embedded atoms before it; 0: atoms on their sites",
    )
    cut_layers: int = Field(
        2,
        ge=1,
        le=20,
        description="layers kept on either side of the constriction",
    )
    cell_widths: Annotated[tuple[Annotated[int, Field(ge=3, le=12)], ...], Field(strict=False)] = (
        Field(
            (4, 6, 8),
            min_length=1,
            max_length=8,
            description="edges of the periodic cell that may be taken, in bonds, rising; the first "
            "that holds the constriction is",
        )
    )
    kpoints: int = Field(3, ge=1, le=16, description="in-plane mesh, this squared")
    curve: Literal["linear", "transmission"] = Field(
        "linear",
        description="'linear': current proportional to the voltage; 'transmission': I(V) from T(E)",
    )
    cache: str = Field(
        "cache",
        min_length=1,
        max_length=1000,
        description="'cache': known conductances are kept in the user's cache folder; 'none': in "
        "memory only; or the path of a file",
    )


class DevicesSettings(_Model):
    """Several devices of one kind, each with its own seed and series resistance."""

    number: int = Field(1, ge=1, le=10_000, description="how many devices")
    resistance_spread: float = Field(
        0.0,
        ge=0.0,
        lt=1.0,
        description="largest deviation of a device's resistances from those of [circuit], relative",
    )
    cycles: Literal["each", "shared"] = Field(
        "each",
        description="'each': every device does all cycles of the protocol; 'shared': they are "
        "divided among the devices",
    )


class NoPreparation(_Model):
    """No preparation: the protocol begins with the open gap."""

    kind: Literal["none"] = Field("none", description="name of the protocol, or 'none'")


ProtocolSettings = (
    VoltageSweep | CurrentSweep | Staircase | Pulses | ConstantRead | Endurance | ProgramToLevel
)


class DeviceSettings(_Model):
    """Everything that defines a simulated device and its measurement.

    Examples
    --------
    >>> DeviceSettings(seed=7).geometry.element
    'Ag'
    """

    name: str = Field("device", min_length=1, max_length=80, description="title of the device")
    seed: int = Field(1, ge=0, lt=2**63, description="seed of every random stream")
    geometry: GeometrySettings = GeometrySettings()
    atoms: AtomsSettings = AtomsSettings()
    medium: MediumSettings = MediumSettings()
    kinetics: KineticsSettings = KineticsSettings()
    heat: HeatSettings = HeatSettings()
    conductance: ConductanceSettings = ConductanceSettings()
    circuit: CircuitSettings = CircuitSettings()
    source: SourceSettings = SourceSettings()
    preparation: NoPreparation | ProtocolSettings = Field(
        NoPreparation(),
        discriminator="kind",
        description="protocol that brings the device into its initial state; 'none': none",
    )
    protocol: ProtocolSettings = Field(
        VoltageSweep(), discriminator="kind", description="protocol of the measurement"
    )
    devices: DevicesSettings = DevicesSettings()

    @model_validator(mode="after")
    def _enough_cycles(self) -> Self:
        count = getattr(self.protocol, "cycles", 1)
        if self.devices.cycles == "shared" and count < self.devices.number:
            raise ValueError(
                f"devices.number = {self.devices.number} devices cannot share {count} cycles of "
                "the protocol: each needs one or more"
            )
        return self

    def make_source(self) -> Source:
        """Make the source and the circuit between it and the gap."""
        return Source(
            series_resistance=self.circuit.series.parasitic,
            capacitance=self.circuit.capacitance,
            bandwidth=self.source.bandwidth,
            voltage_limit=self.source.voltage_limit,
            current_limit=self.source.current_limit,
        )

    def make_protocol(self) -> Driven:
        """Return the protocol, after the preparation if there is one."""
        if isinstance(self.preparation, NoPreparation):
            return self.protocol
        return InOrder(self.preparation, self.protocol)

    def members(self) -> tuple["DeviceSettings", ...]:
        """Return the settings of every device by itself: its seed, its resistances, its cycles.

        Of one device alone the settings are returned as they are.

        Returns
        -------
        tuple of DeviceSettings
            In each ``devices.number`` is 1.
        """
        if self.devices.number == 1:
            return (self,)
        return tuple(self._member(number) for number in range(self.devices.number))

    def _member(self, number: int) -> "DeviceSettings":
        """Return the settings of one device."""
        stream = np.random.SeedSequence(self.seed, spawn_key=(number,))
        seed = int(stream.generate_state(1, np.uint64)[0] >> np.uint64(1))
        spread = self.devices.resistance_spread
        factor = 1.0 + spread * np.random.default_rng(stream).uniform(-1.0, 1.0)
        circuit = {
            key: float(factor * value)
            for key in ("interface", "wire", "contact")
            if (value := getattr(self.circuit, key)) != "interface"
        }
        protocol = self.protocol
        if self.devices.cycles == "shared" and not isinstance(
            protocol, ConstantRead | ProgramToLevel
        ):
            share = len(np.array_split(np.arange(protocol.cycles), self.devices.number)[number])
            protocol = protocol.model_copy(update={"cycles": share})
        return self.model_copy(
            update={
                "name": f"{self.name[:70]}-{number + 1}",
                "seed": seed,
                "circuit": self.circuit.model_copy(update=circuit),
                "protocol": protocol,
                "devices": DevicesSettings(),
            }
        )


def load_device_settings(
    source: str | Path | Mapping[str, object] | DeviceSettings | None = None,
    overrides: Sequence[str] | Mapping[str, object] = (),
) -> DeviceSettings:
    """Load and check the settings of a device.

    Parameters
    ----------
    source : str, Path, mapping, DeviceSettings or None
        Name of a preset of devices; path of a TOML file; nested table of what differs from the
        defaults; settings that are loaded already; None: the defaults.
    overrides : sequence of str, or mapping
        ``section.key=value`` texts, as on the command line, or values by ``section.key``; they
        win over the source. Another ``kind`` of a protocol leaves none of the keys of the old one.

    Returns
    -------
    DeviceSettings

    Raises
    ------
    SettingsError
        If the file cannot be read or parsed, or a key or value is wrong; the message names it.

    Examples
    --------
    >>> settings = load_device_settings("wire-voltage-sweep", ["protocol.cycles=2"])
    >>> settings.protocol.cycles, settings.protocol.compliance
    (2, 0.0004)
    >>> load_device_settings("wire-retention", ["preparation.kind=none"]).preparation.kind
    'none'
    >>> load_device_settings("device-quick", ["protocol.rate=-1"])
    Traceback (most recent call last):
        ...
    nanogap.errors.SettingsError: device-quick: protocol.rate = -1: must be a number above 0, \
up to 1e+09
    """
    changes = parse_overrides(overrides)
    if source is None:
        return checked(DeviceSettings, {}, "settings", changes)
    if isinstance(source, DeviceSettings):
        if not changes:
            return source
        return checked(DeviceSettings, source.model_dump(mode="json"), source.name, changes)
    if isinstance(source, str | Path):
        text = settings_text(str(source), "device")
        return checked(DeviceSettings, toml_table(text, str(source)), str(source), changes)
    if isinstance(source, Mapping):
        return checked(DeviceSettings, source, "settings", changes)
    raise SettingsError(
        f"settings cannot be read from a {type(source).__name__}: give the name of a preset "
        f"({', '.join(preset_names('device'))}), the path of a TOML file, a dict or DeviceSettings"
    )
