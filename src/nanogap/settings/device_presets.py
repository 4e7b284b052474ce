"""The presets of devices in a few words each: what they do, for which figure, and at what cost."""

from dataclasses import dataclass

from nanogap.settings.device import load_device_settings
from nanogap.settings.load import preset_names

#: What a preset does, its figures in the paper (doi:10.1039/d3nh00476g), and computing time on one
#: core with all conductances in the cache and with none. Measured (docs/data/device-protocols.json
#: and docs/device-results.md) but for "~", readings times the 2 to 7 ms of each, and for ">": 7 min
#: is what new conductances of a SET to 400 uA alone take.
_TOLD = {
    "device-quick": ("a fast voltage loop of two small needles, a first look", "", "2 s", "3 min"),
    "wire-current-sweep": ("a current sweep to 20 µA at 90 nA/s", "3a", "10 s", "20 s"),
    "wire-endurance": ("100 voltage loops, read at 0.4 V", "2b, 2d", "~5 min", "> 7 min"),
    "wire-program-1g0": ("a voltage loop to about 1 G0: limit of 100 µA", "2f", "~10 s", "4 min"),
    "wire-retention": ("a read at 0.1 V for 1000 s, after a SET", "2c, 2e", "~1 min", "> 7 min"),
    "wire-slow-reset": ("a RESET at 4.5 mV/s, after a SET", "2h", "~20 s", "> 7 min"),
    "wire-slow-set": ("a SET at 2.6 mV/s", "2g", "~30 s", "> 7 min"),
    "wire-statistics": ("116 current sweeps of five devices", "4", "~20 min", "75 min"),
    "wire-voltage-sweep": ("three voltage loops, limit of 400 µA", "2a", "~30 s", "> 7 min"),
}


@dataclass(frozen=True)
class DevicePreset:
    """A preset of devices in brief.

    Attributes
    ----------
    name, does : str
    figure : str
        Figures of the paper that it simulates; empty if none.
    protocol : str
        Kind of its protocol.
    devices : int
    laboratory_time : float
        Of all devices together, s; preparation included.
    readings : int
        Of all devices.
    warm_cost, cold_cost : str
        Computing time on one core with all conductances in the cache, and with none; "~" and ">"
        are estimates.
    """

    name: str
    does: str
    figure: str
    protocol: str
    devices: int
    laboratory_time: float
    readings: int
    warm_cost: str
    cold_cost: str


def device_preset(name: str) -> DevicePreset:
    """Return a preset of devices in brief.

    Raises
    ------
    SettingsError
        If there is no preset of this name.

    Examples
    --------
    >>> device_preset("wire-current-sweep").figure
    '3a'
    """
    settings = load_device_settings(name)
    members = settings.members()
    does, figure, warm, cold = _TOLD[name]
    return DevicePreset(
        name=name,
        does=does,
        figure=figure,
        protocol=settings.protocol.kind,
        devices=len(members),
        laboratory_time=sum(member.total_duration for member in members),
        readings=sum(member.total_samples for member in members),
        warm_cost=warm,
        cold_cost=cold,
    )


def device_presets() -> list[DevicePreset]:
    """Return all presets of devices in brief, in order of their names."""
    return [device_preset(name) for name in preset_names("device")]
