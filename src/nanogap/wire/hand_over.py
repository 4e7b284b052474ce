"""Needles of atoms from the tips of a parted wire: the gap goes on as a device, or as dynamics.

A tip of the wire is a cap of a sphere on a cone. Of its front, as far behind as the needle of atoms
is high, the widths are taken: that of the facing layer, half a layer behind the foremost point, and
that of the base. What atoms cannot span is said and never changed silently: a gap narrower or wider
than a device holds needs a width by the user.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from nanogap.errors import SettingsError
from nanogap.settings.device import DeviceSettings
from nanogap.settings.models import Settings, StructureSettings
from nanogap.structure.tips import layer_spacing
from nanogap.wire.result import WireResult

#: Angstrom in a nanometre.
_ANGSTROM = 10.0
#: Lattice constant of silver, of which the wire is, angstrom: only for the depth of a layer.
_LATTICE_CONSTANT = 4.09
#: Narrowest and widest gaps that two needles of atoms span, nm.
GAPS = (0.4, 5.0)


@dataclass(frozen=True)
class HandOver:
    """Settings that a parted wire gives, and what it could not give.

    Attributes
    ----------
    changes : mapping
        Values by ``section.key``, as `nanogap.settings.load_settings` takes them.
    notes : tuple of str
        Sentences on what is not the wire's.
    """

    changes: Mapping[str, float]
    notes: tuple[str, ...]


def tip_radius(depth: float, radius: float, base: float, half_angle: float) -> float:
    """Return the radius of a tip at a distance behind its foremost point, all in one unit.

    A cap of a sphere up to its circle, then a cone; a cap beyond a hemisphere counts as one.

    Parameters
    ----------
    depth : float
    radius, base : float
        Of the sphere, and of the circle where it ends.
    half_angle : float
        Of the cone, degrees; at 90 the wire goes on as a plane, at 0 as a cylinder.

    Examples
    --------
    >>> round(tip_radius(1.0, 1.0, 1.0, 45.0), 6), round(tip_radius(3.0, 1.0, 1.0, 45.0), 6)
    (1.0, 3.0)
    """
    base = min(base, radius)
    height = base**2 / (radius + math.sqrt(radius**2 - base**2))
    if depth <= height:
        return math.sqrt(depth * (2.0 * radius - depth))
    if half_angle >= 90.0:
        return math.inf
    return base + (depth - height) * math.tan(math.radians(half_angle))


def hand_over_to_device(
    result: WireResult, settings: DeviceSettings, gap: float | None = None
) -> HandOver:
    """Give the gap of a parted wire to a simulated device: needles, gap and series resistances.

    Parameters
    ----------
    result : WireResult
    settings : DeviceSettings
        Of the measurement. Its needles' height is kept, and its base is the widest that counts: a
        device of more atoms takes longer.
    gap : float, optional
        Width instead of the wire's own, nm.

    Returns
    -------
    HandOver

    Raises
    ------
    SettingsError
        If the wire has not parted, or its gap is none that needles of atoms span.
    """
    geometry = settings.geometry
    widths, base, notes = _needles(result, geometry.height, geometry.base_width)
    width, said = _gap(result, gap)
    changes = {
        "geometry.gap": width,
        "geometry.base_width": base,
        "geometry.apex_width": widths[0],
        "geometry.upper_apex_width": widths[1],
        "circuit.interface": result.contact_resistance,
        "circuit.wire": result.resistance,
    }
    return HandOver(_rounded(changes), (*said, *notes))


def hand_over_to_dynamics(
    result: WireResult, settings: Settings, gap: float | None = None
) -> HandOver:
    """Give the gap of a parted wire to molecular dynamics, whose two tips are alike.

    Parameters
    ----------
    result : WireResult
    settings : Settings
        Of the run; see `hand_over_to_device`.
    gap : float, optional
        Width instead of the wire's own, nm.

    Returns
    -------
    HandOver

    Raises
    ------
    SettingsError
        If the wire has not parted, or its gap is none that tips of atoms span.
    """
    structure: StructureSettings = settings.structure
    widths, base, notes = _needles(result, structure.height, structure.base_width)
    width, said = _gap(result, gap)
    sharper = min(widths)
    if max(widths) > 1.1 * sharper:
        notes = (*notes, "both tips of dynamics are alike: they are the sharper one of the wire")
    changes = {
        "structure.gap": width,
        "structure.base_width": base,
        "structure.apex_width": sharper,
    }
    return HandOver(_rounded(changes), (*said, *notes))


def _rounded(changes: Mapping[str, float]) -> dict[str, float]:
    """Round to four digits: no tip is known better."""
    return {key: float(f"{value:.4g}") for key, value in changes.items()}


def _needles(
    result: WireResult, height: float, widest: float
) -> tuple[tuple[float, float], float, tuple[str, ...]]:
    """Return both facing widths, lower first, the base, angstrom, and what is not the wire's."""
    if not result.tip_radii:
        raise SettingsError(
            f"{result.name} has not parted: there are no needles to go on with; give its protocol "
            "more voltage or time"
        )
    spacing = layer_spacing(_LATTICE_CONSTANT)
    tips = [
        (*(_ANGSTROM * size for size in pair), angle)
        for *pair, angle in zip(result.tip_radii, result.tip_bases, result.half_angles, strict=True)
    ]
    facing = [2.0 * tip_radius(spacing / 2.0, *tip) for tip in tips]
    behind = max(2.0 * tip_radius(height, *tip) for tip in tips)
    base, notes = min(behind, widest), []
    if behind > widest:
        notes.append(
            f"{height / _ANGSTROM:g} nm behind its front the wire is "
            + ("a plane" if math.isinf(behind) else f"{behind / _ANGSTROM:.3g} nm wide")
            + f"; of it the middle {widest / _ANGSTROM:g} nm are atoms (base_width of the settings)"
        )
    least = _LATTICE_CONSTANT / math.sqrt(2.0)
    lower, upper = (min(max(width, least), base) for width in facing)
    return (lower, upper), base, tuple(notes)


def _gap(result: WireResult, gap: float | None) -> tuple[float, tuple[str, ...]]:
    """Return the width of the gap, angstrom, and a note if it is not the wire's."""
    own = math.nan if result.gap is None else result.gap
    low, high = GAPS
    if gap is None:
        if not low <= own <= high:
            why = (
                "narrower than atoms: that says only that it parted"
                if own < low
                else "wider than a device of atoms spans"
            )
            raise SettingsError(
                f"the gap of {result.name} is {own:.3g} nm, {why}; give the width to go on with, "
                f"--gap {low:g} to {high:g} (nm)"
            )
        return _ANGSTROM * own, ()
    if not low <= gap <= high:
        raise SettingsError(f"--gap = {gap:g}: must be from {low:g} to {high:g} nm")
    return _ANGSTROM * gap, (f"the gap of {gap:g} nm is yours; the wire left {own:.3g} nm",)
