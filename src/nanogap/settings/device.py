"""The settings of a simulated device as pydantic models; see `nanogap.settings.models`.

Units are those of the house: angstrom, s, K, V, eV; currents, resistances and capacitances in SI.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from nanogap.arguments import checked
from nanogap.electrical.protocols import CurrentSweep, Staircase, VoltageSweep
from nanogap.electrical.segments import Driven, InOrder
from nanogap.electrical.source import Source
from nanogap.electrical.states import ConstantRead, Endurance, ProgramToLevel, Pulses
from nanogap.electrical.stepped import BreakdownSweep, Forming
from nanogap.electrical.waveform import Waveform
from nanogap.errors import SettingsError
from nanogap.printing import Printed, Rows, counted
from nanogap.settings.atoms import (
    AtomsSettings,
    ConductanceSettings,
    GeometrySettings,
    HeatSettings,
    KineticsSettings,
    MediumSettings,
)
from nanogap.settings.circuit import CircuitSettings, SourceSettings
from nanogap.settings.load import (
    checked_table,
    parse_overrides,
    settings_text,
    toml_table,
)
from nanogap.settings.members import member_name, member_stream, seed_of
from nanogap.settings.models import Line, _Model, changed_keys


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
    VoltageSweep
    | CurrentSweep
    | Staircase
    | Pulses
    | ConstantRead
    | Endurance
    | ProgramToLevel
    | Forming
    | BreakdownSweep
    | Waveform
)

#: Settings that name a file, and the words that name none.
_NO_FILES = {"atoms.energetics": ("packaged",), "conductance.cache": ("cache", "none")}

#: Readings of one device; a segment's are timed at once, and a reading takes a millisecond.
MOST_READINGS = 10_000_000


class DeviceSettings(Printed, _Model):
    """Everything that defines a simulated device and its measurement.

    Examples
    --------
    >>> DeviceSettings(seed=7).geometry.element
    'Ag'
    >>> DeviceSettings(name="mine", geometry={"gap": 6.0})
    DeviceSettings 'mine'
      measurement   voltage-sweep, 40 s, 400 readings
      geometry.gap  6.0
      others        at their defaults, as in nanogap.load_device_settings()
      next          nanogap.Device(settings), nanogap.run_device(settings, folder)
    """

    loader: ClassVar[str] = "load_device_settings"

    name: Line = Field("device", min_length=1, max_length=80, description="title of the device")
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

    def _title(self) -> str:
        return f"DeviceSettings {self.name!r}"

    def _rows(self) -> Rows:
        duration = f"{self.total_duration:.4g} s, {counted(self.total_samples, 'reading')}"
        yield "measurement", f"{self.protocol.kind}, {duration}"
        yield from changed_keys(self)
        yield "others", "at their defaults, as in nanogap.load_device_settings()"
        yield "next", "nanogap.Device(settings), nanogap.run_device(settings, folder)"

    @model_validator(mode="after")
    def _enough_cycles(self) -> Self:
        count = getattr(self.protocol, "cycles", 1)
        if self.devices.cycles == "shared" and count < self.devices.number:
            raise ValueError(
                f"devices.number = {self.devices.number} devices cannot share {count} cycles of "
                "the protocol: each needs one or more"
            )
        return self

    @model_validator(mode="after")
    def _within_limits(self) -> Self:
        for protocol in self.parts().values():
            for segment in protocol.cycle_segments(0):
                name = f"{segment.quantity}_limit"
                own, most = getattr(self.source, name), max(abs(segment.start), abs(segment.end))
                if most > own:
                    raise ValueError(
                        f"source.{name} = {own:g} must not be below the {most:g} to which the "
                        f"protocol sets the {segment.quantity}"
                    )
        return self

    @model_validator(mode="after")
    def _countable(self) -> Self:
        for name, protocol in self.parts().items():
            if protocol.total_samples > MOST_READINGS:
                raise ValueError(
                    f"{name}: {protocol.total_samples:.3g} readings are more than "
                    f"{MOST_READINGS:.0e}: choose a longer {name}.interval, or less of the protocol"
                )
        return self

    def refuse_idle(self) -> None:
        """Refuse settings that do nothing beside others, before a measurement begins.

        Raises
        ------
        SettingsError
            If there is one.
        """
        spread = self.devices.resistance_spread
        if self.devices.number == 1 and spread > 0.0:
            raise SettingsError(
                f"devices.resistance_spread = {spread:g} would change nothing with "
                "devices.number = 1: ask for two devices or more, set it to 0, or vary "
                "circuit.wire in a campaign"
            )

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

    @property
    def total_duration(self) -> float:
        """Time of preparation and protocol of one device, s; with feedback, the longest."""
        return sum(part.total_duration for part in self.parts().values())

    @property
    def total_samples(self) -> int:
        """Readings of preparation and protocol of one device; with feedback, the largest number."""
        return sum(part.total_samples for part in self.parts().values())

    def parts(self) -> dict[str, ProtocolSettings]:
        """Return the preparation, if there is one, and the protocol, by their names."""
        if isinstance(self.preparation, NoPreparation):
            return {"protocol": self.protocol}
        return {"preparation": self.preparation, "protocol": self.protocol}

    def with_absolute_paths(self, folder: str | Path = "") -> "DeviceSettings":
        """Return the settings with relative paths of files made absolute.

        Parameters
        ----------
        folder : str or Path
            They count from here; by default from the current folder.
        """
        changed: dict[str, object] = {}
        for key, words in _NO_FILES.items():
            section, name = key.split(".")
            model = getattr(self, section)
            given = getattr(model, name)
            if given not in words:
                changed[section] = model.model_copy(update={name: _absolute(folder, given)})
        return self.model_copy(update=changed) if changed else self

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
        return tuple(self.member(number) for number in range(self.devices.number))

    def member(self, number: int) -> "DeviceSettings":
        """Return the settings of one device, from 0; see `members`."""
        if self.devices.number == 1:
            return self
        stream = member_stream(self.seed, number)
        spread = self.devices.resistance_spread
        factor = 1.0 + spread * np.random.default_rng(stream).uniform(-1.0, 1.0)
        circuit = {
            key: float(factor * value)
            for key in ("interface", "wire", "contact")
            if (value := getattr(self.circuit, key)) != "interface"
        }
        protocol = self.protocol
        if self.devices.cycles == "shared" and "cycles" in type(protocol).model_fields:
            share = len(np.array_split(np.arange(protocol.n_cycles), self.devices.number)[number])
            protocol = protocol.model_copy(update={"cycles": share})
        return self.model_copy(
            update={
                "name": member_name(self.name, number),
                "seed": seed_of(stream),
                "circuit": self.circuit.model_copy(update=circuit),
                "protocol": protocol,
                "devices": DevicesSettings(),
            }
        )


#: What the settings of a device can be loaded from; see `load_device_settings`.
DeviceSettingsSource = Annotated[
    str | Path | Mapping[str, object] | DeviceSettings | None,
    "the name of a preset (preset_names('device') lists them), the path of a TOML file, a dict or "
    "DeviceSettings",
]


@checked
def load_device_settings(
    source: DeviceSettingsSource = None,
    overrides: Sequence[str] | Mapping[str, object] = (),
) -> DeviceSettings:
    """Load and check the settings of a device.

    Parameters
    ----------
    source : str, Path, mapping, DeviceSettings or None
        Name of a preset of devices; path of a TOML file, from whose folder relative paths in it
        count; nested table of what differs from the defaults; settings that are loaded already;
        None: the defaults.
    overrides : sequence of str, or mapping
        ``section.key=value`` texts, as on the command line, or values by ``section.key``; they
        win over the source. A protocol (`nanogap.electrical`) may be given as such, and another
        ``kind`` of one leaves none of the keys of the old one.

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
    (2, (0.0004, 0.1))
    >>> load_device_settings("wire-retention", ["preparation.kind=none"]).preparation.kind
    'none'
    >>> from nanogap.electrical import Pulses
    >>> load_device_settings("device-quick", {"protocol": Pulses(amplitude=2.0)}).protocol.cycles
    10
    >>> load_device_settings("device-quick", ["protocol.rate=-1"])
    Traceback (most recent call last):
        ...
    nanogap.errors.SettingsError: device-quick: protocol.rate = -1: must be a number above 0, \
up to 1e+09
    """
    changes = parse_overrides(overrides)
    if source is None:
        return checked_table(DeviceSettings, {}, "settings", changes)
    if isinstance(source, DeviceSettings):
        if not changes:
            return source
        return checked_table(DeviceSettings, source.model_dump(mode="json"), source.name, changes)
    if isinstance(source, str | Path):
        text = settings_text(str(source), "device")
        table = _with_absolute_paths(toml_table(text, str(source)), Path(source).parent)
        return checked_table(DeviceSettings, table, str(source), changes)
    return checked_table(DeviceSettings, source, "settings", changes)


def _with_absolute_paths(table: Mapping[str, object], folder: Path) -> dict[str, object]:
    """Let relative paths of a settings file count from its folder; what is wrong is found later."""
    found = dict(table)
    for key, words in _NO_FILES.items():
        section, name = key.split(".")
        inner = found.get(section)
        given = inner.get(name) if isinstance(inner, dict) else None
        if isinstance(given, str) and given and given not in words:
            found[section] = {**inner, name: _absolute(folder, given)}  # type: ignore[dict-item]
    return found


def _absolute(folder: str | Path, given: str) -> str:
    """Return the absolute form of a path that counts from a folder, or begins with the home."""
    return str(Path(folder).absolute() / os.path.expanduser(given))  # noqa: PTH111 never fails
