"""The settings of a wire before its breakdown as pydantic models; see `nanogap.settings.models`.

Lengths are in nm, as wires are measured; times in s, K, V, A, ohm; other quantities as stated.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nanogap.arguments import checked
from nanogap.electrical.protocols import CurrentSweep, Staircase, VoltageSweep
from nanogap.electrical.source import Source
from nanogap.electrical.states import ConstantRead
from nanogap.electrical.stepped import BreakdownSweep
from nanogap.electrical.waveform import Waveform
from nanogap.printing import Printed, Rows, counted
from nanogap.settings.circuit import SourceSettings
from nanogap.settings.load import checked_table, parse_overrides, settings_text, toml_table
from nanogap.settings.members import member_name, member_stream, seed_of
from nanogap.settings.models import Line, _Model, changed_keys

Share = Annotated[float, Field(ge=0.0, le=1.0)]
#: Readings of one wire at most.
_MOST_READINGS = 100_000
#: Radii along a wire at most: its cells are half a radius wide.
_MOST_RADII = 700.0


class WireGeometrySettings(_Model):
    """The wire between its two contacts: a round one, rough and of grains if it is so asked."""

    length: float = Field(5000.0, ge=100.0, le=1.0e5, description="between the contacts, nm")
    diameter: float = Field(60.0, ge=10.0, le=1000.0, description="mean diameter, nm")
    roughness: float = Field(
        0.03,
        ge=0.0,
        le=0.3,
        description="standard deviation of the radius along the wire at the start, share of the "
        "mean, by the seed; assumed",
    )
    correlation_length: float = Field(
        100.0, ge=5.0, le=1.0e4, description="over which the radius varies, nm; assumed"
    )
    grain_length: float = Field(
        0.0,
        ge=0.0,
        le=1.0e5,
        description="mean length of the grains, nm, whose boundaries scatter electrons; 0: a "
        "single crystal",
    )
    mobility_spread: float = Field(
        0.0,
        ge=0.0,
        le=2.0,
        description="standard deviation, from grain to grain, of the logarithm of the mobility of "
        "surface atoms, by the seed; assumed",
    )

    @model_validator(mode="after")
    def _countable(self) -> Self:
        radii = 2.0 * self.length / self.diameter
        if not 10.0 <= radii <= _MOST_RADII:
            raise ValueError(
                f"wire.length = {self.length:g} nm must be from {5.0 * self.diameter:g} to "
                f"{0.5 * _MOST_RADII * self.diameter:g} nm with wire.diameter = {self.diameter:g} "
                "nm: the wire is slender, and its cells are about half a radius"
            )
        if self.correlation_length < self.diameter / 2.0 and self.roughness > 0.0:
            raise ValueError(
                f"wire.correlation_length = {self.correlation_length:g} nm must not be below the "
                f"radius, {self.diameter / 2.0:g} nm: the surface would have overhangs"
            )
        if self.mobility_spread > 0.0 and self.grain_length == 0.0:
            raise ValueError(
                "wire.mobility_spread would change nothing in a single crystal: set "
                "wire.grain_length"
            )
        return self


class ConductionSettings(_Model):
    """Conduction of current and heat: bulk values, and what surface and grains change."""

    resistivity: float = Field(
        1.59e-8, ge=1.0e-9, le=1.0e-5, description="of the bulk at 293 K, ohm m; silver"
    )
    temperature_coefficient: float = Field(
        3.8e-3, ge=0.0, le=0.02, description="of the resistivity at 293 K, 1/K; silver"
    )
    free_path_product: float = Field(
        8.46e-16,
        ge=0.0,
        le=1.0e-13,
        description="resistivity times mean free path, ohm m²; silver (doi:10.1063/1.4942216)",
    )
    specularity: Share = Field(
        0.5, description="share of the electrons that the surface reflects like a mirror; assumed"
    )
    grain_reflection: float = Field(
        0.25,
        ge=0.0,
        lt=1.0,
        description="share of the electrons that a grain boundary reflects; assumed",
    )
    lorenz: float = Field(
        2.44e-8,
        gt=0.0,
        le=1.0e-6,
        description="Lorenz number of the Wiedemann-Franz law, V²/K²; that of free electrons",
    )
    thermal_conductivity: Annotated[float, Field(gt=0.0, le=1.0e4)] | Literal["electrons"] = Field(
        "electrons",
        description="W/(m K); 'electrons': by the resistivity and the Wiedemann-Franz law",
    )
    heat_capacity: float = Field(
        2.5e6,
        gt=0.0,
        le=1.0e8,
        description="J/(m³ K), for the time of cooling after the wire has parted; silver",
    )
    melting_point: float = Field(1235.0, ge=200.0, le=5000.0, description="K; silver")


class SurfaceSettings(_Model):
    """Atoms that move along the surface."""

    diffusion_prefactor: float = Field(
        1.0e-7, gt=0.0, le=1.0, description="D0 of the surface diffusion, m²/s; assumed"
    )
    activation_energy: float = Field(
        0.77,
        ge=0.1,
        le=3.0,
        description="of the surface diffusion, eV; the default is that from kinks to terraces of "
        "Ag(111), computed with embedded atoms",
    )
    effective_valence: float = Field(
        -10.0,
        ge=-1000.0,
        le=1000.0,
        description="Z*: force on an atom over e and the field; below 0 the atoms go with the "
        "electrons, to the anode. Experiments on silver found both signs; assumed, the smallest "
        "size known of bulk silver",
    )
    heat_of_transport: float = Field(
        0.0,
        ge=-5.0,
        le=5.0,
        description="Q*, eV: above 0 atoms go to where it is colder; no value is known: assumed",
    )
    surface_energy: float = Field(1.25, ge=0.0, le=10.0, description="J/m²; polycrystalline silver")
    atomic_volume: float = Field(17.06, gt=1.0, le=100.0, description="Å³; silver")
    site_density: float = Field(
        13.8, gt=1.0, le=50.0, description="atoms of the surface, 1/nm²; that of Ag(111)"
    )
    parting_radius: float = Field(
        0.5,
        ge=0.2,
        le=5.0,
        description="radius at which a neck parts, nm: below it there are a few atoms; assumed",
    )


class SurroundingsSettings(_Model):
    """Sinks of the heat of the wire, and its contacts."""

    temperature: float = Field(300.0, ge=77.0, le=1000.0, description="of the surroundings, K")
    substrate_conductance: float = Field(
        0.0,
        ge=0.0,
        le=100.0,
        description="heat to the substrate for a length of wire, W/(m K); 0: suspended. 1 µm of "
        "SiO2 under a wire of some 100 nm: about 1 (pi 1.4 W/(m K)/ln(8 1 µm/0.1 µm))",
    )
    contact_resistance: float = Field(
        50.0, ge=1.0e-3, le=1.0e9, description="R*: of each contact, ohm; assumed"
    )
    contact_thermal_resistance: float = Field(
        2.0e4, ge=0.0, le=1.0e12, description="of each contact, K/W; 0: cold ends; assumed"
    )
    contact_heat: Share = Field(
        0.5, description="share of the Joule heat of a contact that enters at the wire; assumed"
    )
    series_resistance: float = Field(
        0.0, ge=0.0, le=1.0e9, description="of the leads, ohm, outside of the contacts"
    )


class WiresSettings(_Model):
    """Several wires of one kind, each with its own seed, size and contacts."""

    number: int = Field(1, ge=1, le=1000, description="how many wires")
    diameter_spread: float = Field(
        0.0, ge=0.0, lt=0.5, description="standard deviation of the diameters, relative"
    )
    length_spread: float = Field(
        0.0, ge=0.0, lt=0.5, description="standard deviation of the lengths, relative"
    )
    contact_spread: float = Field(
        0.0,
        ge=0.0,
        le=2.0,
        description="standard deviation of the logarithm of the contact resistances",
    )


WireProtocol = VoltageSweep | CurrentSweep | Staircase | ConstantRead | BreakdownSweep | Waveform


class WireSettings(Printed, _Model):
    """Everything that defines a wire, and how it is broken.

    Examples
    --------
    >>> WireSettings(wire={"length": 3000.0}).surface.effective_valence
    -10.0
    """

    loader: ClassVar[str] = "load_wire_settings"

    name: Line = Field("wire", min_length=1, max_length=80, description="title of the wire")
    seed: int = Field(1, ge=0, lt=2**63, description="seed of every random stream")
    readings_after: int = Field(
        20, ge=0, le=100_000, description="readings after the wire has parted; then it ends"
    )
    wire: WireGeometrySettings = WireGeometrySettings()
    conduction: ConductionSettings = ConductionSettings()
    surface: SurfaceSettings = SurfaceSettings()
    surroundings: SurroundingsSettings = SurroundingsSettings()
    source: SourceSettings = SourceSettings()
    protocol: WireProtocol = Field(
        VoltageSweep(turning_points=(0.0, 3.0), rate=0.017, interval=0.2),
        discriminator="kind",
        description="protocol that breaks the wire",
    )
    wires: WiresSettings = WiresSettings()

    def _title(self) -> str:
        return f"WireSettings {self.name!r}"

    def _rows(self) -> Rows:
        protocol = self.protocol
        duration = f"{protocol.total_duration:.4g} s, {counted(protocol.total_samples, 'reading')}"
        yield "measurement", f"{protocol.kind}, up to {duration}"
        yield from changed_keys(self)
        yield "others", "at their defaults, as in nanogap.settings.wire.load_wire_settings()"
        yield "next", "nanogap.wire.break_wire(settings)"

    @model_validator(mode="after")
    def _possible(self) -> Self:
        radius = self.wire.diameter / 2.0
        if self.surface.parting_radius > radius / 4.0:
            raise ValueError(
                f"surface.parting_radius = {self.surface.parting_radius:g} nm must not be above a "
                f"quarter of the radius, {radius / 4.0:g} nm"
            )
        if self.surroundings.temperature >= self.conduction.melting_point:
            raise ValueError(
                f"surroundings.temperature = {self.surroundings.temperature:g} K must be below "
                f"conduction.melting_point = {self.conduction.melting_point:g} K"
            )
        if self.protocol.total_samples > _MOST_READINGS:
            raise ValueError(
                f"protocol: {self.protocol.total_samples} readings are more than "
                f"{_MOST_READINGS}: choose a longer protocol.interval, or less of the protocol"
            )
        for segment in self.protocol.cycle_segments(0):
            key = f"{segment.quantity}_limit"
            most, own = max(abs(segment.start), abs(segment.end)), getattr(self.source, key)
            if most > own:
                raise ValueError(
                    f"source.{key} = {own:g} must not be below the {most:g} to which the protocol "
                    f"sets the {segment.quantity}"
                )
        return self

    @property
    def outer_resistance(self) -> float:
        """Resistance in series with the wire: leads and both contacts, ohm."""
        return self.surroundings.series_resistance + 2.0 * self.surroundings.contact_resistance

    def make_source(self) -> Source:
        """Make the source and what is in series with the wire."""
        return Source(
            series_resistance=self.outer_resistance,
            bandwidth=self.source.bandwidth,
            voltage_limit=self.source.voltage_limit,
            current_limit=self.source.current_limit,
        )

    def members(self) -> tuple["WireSettings", ...]:
        """Return the settings of every wire by itself; of one alone, as they are.

        Raises
        ------
        SettingsError
            If a wire of the distribution is impossible.
        """
        if self.wires.number == 1:
            return (self,)
        return tuple(self._member(number) for number in range(self.wires.number))

    def _member(self, number: int) -> "WireSettings":
        stream = member_stream(self.seed, number)
        # two and a half deviations at most: no wire of a negative size
        drawn = np.clip(np.random.default_rng(stream).normal(size=3), -2.5, 2.5)
        wires, wire, around = self.wires, self.wire, self.surroundings
        table = self.model_dump(mode="json")
        table["wires"] = {}
        table["name"], table["seed"] = member_name(self.name, number), seed_of(stream)
        table["wire"] |= {
            "diameter": wire.diameter * (1.0 + wires.diameter_spread * float(drawn[0])),
            "length": wire.length * (1.0 + wires.length_spread * float(drawn[1])),
        }
        table["surroundings"]["contact_resistance"] = around.contact_resistance * float(
            np.exp(wires.contact_spread * drawn[2])
        )
        return checked_table(WireSettings, table, f"wire {number + 1} of {self.name}", {})


#: What the settings of a wire can be loaded from; see `load_wire_settings`.
WireSettingsSource = Annotated[
    str | Path | Mapping[str, object] | WireSettings | None,
    "the name of a preset (preset_names('wire') lists them), the path of a TOML file, a dict or "
    "WireSettings",
]


@checked
def load_wire_settings(
    source: WireSettingsSource = None,
    overrides: Sequence[str] | Mapping[str, object] = (),
) -> WireSettings:
    """Load and check the settings of a wire.

    Parameters
    ----------
    source : str, Path, mapping, WireSettings or None
        Name of a preset of wires; path of a TOML file; nested table of what differs from the
        defaults; settings that are loaded already; None: the defaults.
    overrides : sequence of str, or mapping
        ``section.key=value`` texts, as on the command line, or values by ``section.key``; they
        win over the source.

    Returns
    -------
    WireSettings

    Raises
    ------
    SettingsError
        If the file cannot be read or parsed, or a key or value is wrong; the message names it.

    Examples
    --------
    >>> load_wire_settings("wire-breakdown", ["wire.length=4000"]).wire.length
    4000.0
    >>> load_wire_settings("wire-breakdown", ["wire.length=20"])
    Traceback (most recent call last):
        ...
    nanogap.errors.SettingsError: wire-breakdown: wire.length = 20: must be a number from 100 to \
100000
    """
    changes = parse_overrides(overrides)
    if source is None:
        return checked_table(WireSettings, {}, "settings", changes)
    if isinstance(source, WireSettings):
        if not changes:
            return source
        return checked_table(WireSettings, source.model_dump(mode="json"), source.name, changes)
    if isinstance(source, str | Path):
        text = settings_text(str(source), "wire")
        return checked_table(WireSettings, toml_table(text, str(source)), str(source), changes)
    return checked_table(WireSettings, source, "settings", changes)
