"""Parts of a device, made of its settings: energies, needles, medium, potential, conductance."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.random import SeedSequence

from nanogap.device.conductance import NeckConductance
from nanogap.device.energetics import Energetics, load_energetics
from nanogap.device.heat import BULK_RESISTIVITY, Heating
from nanogap.device.medium import Medium, load_medium
from nanogap.device.neck import NeckCut
from nanogap.device.needles import Tips, build_needles
from nanogap.device.potential import PotentialField
from nanogap.device.roughness import roughen
from nanogap.device.state import Caps
from nanogap.errors import SettingsError
from nanogap.settings.atoms import HeatSettings, MediumSettings
from nanogap.settings.device import DeviceSettings

_Necks = TypeVar("_Necks", bound=NeckConductance)


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
    random = np.random.default_rng(random_streams(settings)[3])
    return replace(tips, metal=roughen(tips, geometry.roughness, random))


def random_streams(settings: DeviceSettings) -> list[SeedSequence]:
    """Return independent random streams: atoms, voltmeter, ammeter, roughness."""
    return SeedSequence(settings.seed).spawn(4)


def _cap(value: float | str) -> float:
    """Return the number of a cap of the settings."""
    return math.inf if isinstance(value, str) else value


def make_field(settings: DeviceSettings, tips: Tips, medium: Medium | None) -> PotentialField:
    """Make what computes the potential of the metal and of the medium."""
    return PotentialField(
        tips.lattice,
        tips.fixed,
        largest_jump=settings.kinetics.largest_jump,
        tolerance=settings.kinetics.potential_tolerance,
        screening_length=medium.screening_length if medium is not None else math.inf,
        bulk_level=_bulk_level(settings, medium),
    )


def make_caps(settings: DeviceSettings) -> Caps:
    """Return the caps on reversible pairs of events."""
    kinetics = settings.kinetics
    return Caps(*map(_cap, (kinetics.metal_cap, kinetics.ion_cap, kinetics.redox_cap)))


def make_heating(settings: DeviceSettings) -> Heating:
    """Make what computes the temperature of the contact."""
    heat = settings.heat
    _check_resistivity(settings)
    return Heating(
        model=heat.model,
        ballistic_coefficient=heat.ballistic_coefficient,
        threshold=heat.threshold,
        pumped_share=heat.pumped_share,
    )


def _check_resistivity(settings: DeviceSettings) -> None:
    """Refuse the resistivity of another metal where the force of the current is on."""
    heat, element = settings.heat, settings.geometry.element
    default = HeatSettings.model_fields["resistivity"].default
    if not heat.effective_valence or heat.resistivity != default or element == "Ag":
        return
    known = BULK_RESISTIVITY.get(element)
    bulk = "" if known is None else f", of the bulk {known:g} ohm m"
    raise SettingsError(
        f"heat.resistivity = {default:g} ohm m is that of silver: give that of {element}{bulk}"
    )


def _bulk_level(settings: DeviceSettings, medium: Medium | None) -> float | None:
    """Return the level at which the bulk of the medium is held, if it is."""
    level = settings.medium.bulk_level
    if medium is None or math.isinf(medium.screening_length):
        if isinstance(level, str):
            return None
        raise SettingsError(
            f"medium.bulk_level = {level:g} is given, but {settings.medium.name!r} does not "
            "screen, so it has no bulk: leave it out, or give medium.screening_length"
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
