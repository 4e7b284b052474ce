"""Settings of what grows in the gap of a parted wire, from a wire directory."""

from collections.abc import Sequence

from nanogap.errors import SettingsError
from nanogap.runs.wire_run import WireRun
from nanogap.settings import Settings, load_settings
from nanogap.settings.device import DeviceSettings, load_device_settings
from nanogap.settings.load import parse_overrides
from nanogap.wire.hand_over import hand_over_to_device, hand_over_to_dynamics
from nanogap.wire.result import WireResult, stored_result


def parted_wire(run: WireRun, wire: int = 1) -> WireResult:
    """Return what became of one wire of a directory.

    Parameters
    ----------
    run : WireRun
    wire : int
        Its number, from 1.

    Raises
    ------
    SettingsError
        If there is no such wire, or it is not computed yet.
    """
    count = len(run.members)
    if not 1 <= wire <= count:
        raise SettingsError(f"--wire = {wire}: {run.path} has wires 1 to {count}")
    if wire - 1 not in run.finished:
        raise SettingsError(
            f"wire {wire} of {run.path} is not broken yet: 'nanogap wire resume {run.path}' does it"
        )
    return stored_result(run.breakdown(wire - 1))


def device_in_gap(
    result: WireResult, source: str, overrides: Sequence[str] = (), gap: float | None = None
) -> tuple[DeviceSettings, tuple[str, ...]]:
    """Return the settings of a device whose needles, gap and resistances a parted wire left.

    Parameters
    ----------
    result : WireResult
    source : str
        Preset or file of the measurement.
    overrides : sequence of str
        ``section.key=value``; they win over the wire, and over the source before it.
    gap : float, optional
        See `nanogap.wire.hand_over.hand_over_to_device`.

    Returns
    -------
    settings : DeviceSettings
    notes : tuple of str
        What is not the wire's.

    Raises
    ------
    SettingsError
        If the wire gives no needles, or a value is wrong.
    """
    _refuse_gap("geometry.gap", overrides)
    asked = load_device_settings(source, tuple(overrides))
    made = hand_over_to_device(result, asked, gap)
    title = {"name": f"{asked.name} in {result.name}"[:80]}
    return load_device_settings(
        asked, {**made.changes, **title, **parse_overrides(overrides)}
    ), made.notes


def dynamics_in_gap(
    result: WireResult, source: str, overrides: Sequence[str] = (), gap: float | None = None
) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings of molecular dynamics between tips that a parted wire left.

    Parameters
    ----------
    result, source, overrides, gap
        See `device_in_gap`.
    """
    _refuse_gap("structure.gap", overrides)
    asked = load_settings(source, tuple(overrides))
    made = hand_over_to_dynamics(result, asked, gap)
    title = {"name": f"{asked.name} in {result.name}"[:80]}
    changes = {**made.changes, **title, **parse_overrides(overrides)}
    return load_settings(asked, changes), made.notes


def _refuse_gap(key: str, overrides: Sequence[str]) -> None:
    """Refuse a width of the gap beside the wire's, or beside that of --gap."""
    if key in parse_overrides(overrides):
        raise SettingsError(f"--set {key}: the gap is the wire's, or that of --gap, in nm")
