"""The settings of a device's atoms: geometry, barriers, medium, kinetics, heat, conductance.

Units are those of the house: angstrom, s, K, V, eV.
"""

import math
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from nanogap.settings.models import Metal, _Model

_Named = Literal["named"]
_Cap = Annotated[float, Field(gt=0.0, le=1.0e15)] | Literal["none"]
_NAMED = "'named': that of the named medium"


class GeometrySettings(_Model):
    """Two needles on the fcc lattice, [111] along z, that face each other across a gap."""

    element: Metal = Field(
        "Ag", description="chemical symbol of the metal, one that has a table of barriers"
    )
    gap: float = Field(
        7.0,
        ge=4.0,
        le=50.0,
        description="distance between the facing layers, Å; rounded to whole layers",
    )
    base_width: float = Field(
        42.0, gt=0.0, le=500.0, description="diameter of each needle at its base, Å"
    )
    height: float = Field(
        24.0, gt=0.0, le=500.0, description="height of each needle, base to facing layer, Å"
    )
    apex_width: float = Field(
        10.0, gt=0.0, le=500.0, description="diameter of the facing layer of each needle, Å"
    )
    upper_apex_width: Annotated[float, Field(gt=0.0, le=500.0)] | Literal["same"] = Field(
        38.0,
        description="diameter of the facing layer of the upper needle, Å, where it is another than "
        "the lower one's; 'same': apex_width",
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
        for key, width in (("apex_width", self.apex_width), ("upper_apex_width", self.upper_apex)):
            if width > self.base_width:
                raise ValueError(
                    f"geometry.{key} = {width:g} Å must not be above "
                    f"geometry.base_width = {self.base_width:g} Å"
                )
        return self

    @property
    def upper_apex(self) -> float:
        """Diameter of the facing layer of the upper needle, angstrom."""
        width = self.upper_apex_width
        return self.apex_width if isinstance(width, str) else width


class AtomsSettings(_Model):
    """Energies and barriers of the metal's atoms."""

    temperature: float = Field(
        300.0,
        ge=77.0,
        le=1000.0,
        description="temperature, K; below, rates in a gap leave the range of numbers",
    )
    surface_condition: float = Field(
        0.8,
        ge=0.0,
        le=1.5,
        description="added to the barrier of every hop of an atom, eV: adsorbates, oxide and "
        "polymer on the surface must give way; a fit",
    )
    bond_scaling: float = Field(
        0.2,
        gt=0.0,
        le=5.0,
        description="factor of the cost of missing neighbours: 1 is that of the packaged tables, "
        "2 brings their surface energy to that measured in vacuum; the default is the line tension "
        "of steps of silver in an electrolyte (docs/device-kinetics.md)",
    )
    energetics: str = Field(
        "packaged",
        min_length=1,
        max_length=1000,
        description="'packaged': the table of energies and barriers of the element that comes with "
        "nanogap; or the path of such a file, of which a measurement keeps a copy; a relative path "
        "counts from the folder of the settings file",
    )


class MediumSettings(_Model):
    """Medium that fills the gap: a named one, of which single values may be others."""

    name: str = Field(
        "polymer (PVP)",
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
        description="rate at which an atom at a kink is oxidized at equilibrium, at 300 K, 1/s, a "
        f"fit; {_NAMED}",
    )
    exchange_barrier: Annotated[float, Field(ge=0.0, le=5.0)] | _Named = Field(
        "named",
        description=f"activation energy of the exchange rate, eV; {_NAMED}",
    )
    transfer_coefficient: Annotated[float, Field(ge=0.0, le=1.0)] | _Named = Field(
        "named", description=f"share of the overpotential that speeds up the reduction; {_NAMED}"
    )
    site_transfer_coefficient: Annotated[float, Field(ge=0.0, le=1.0)] | _Named = Field(
        "named",
        description="share of a site's energy above that of a kink that slows down the reduction "
        f"there, the rest speeds up the oxidation; {_NAMED}",
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
    screening_length: Annotated[float, Field(gt=0.0, le=1.0e6)] | Literal["named", "none"] = Field(
        "named",
        description="length over which the ions of the medium screen the metal's potential, Å; "
        f"'none': a dielectric; {_NAMED}",
    )
    bulk_level: Annotated[float, Field(ge=0.0, le=1.0)] | Literal["named", "neutral"] = Field(
        "named",
        description="potential of the bulk of a medium that screens, share of the gap voltage from "
        "the lower electrode, 0, to the upper one, 1: the electrode with the larger surface in the "
        "film, outside the box too, holds it near its own; 'neutral': that with which the film "
        f"inside the box is neutral; {_NAMED}",
    )

    @property
    def changes(self) -> dict[str, float]:
        """Values that are not those of the named medium."""
        own = {"name", "bulk_level"}
        given = {key: getattr(self, key) for key in type(self).model_fields if key not in own}
        changed = {key: value for key, value in given.items() if value != "named"}
        return {key: math.inf if value == "none" else value for key, value in changed.items()}


class KineticsSettings(_Model):
    """Kinetic Monte Carlo: caps on fast reversible pairs, and when the potential is solved."""

    metal_cap: _Cap = Field(
        1.0e4,
        description="cap on the slower rate of a reversible pair of hops of atoms, 1/s: both rates "
        "are scaled alike, so equilibrium stays exact; 'none': no cap",
    )
    ion_cap: _Cap = Field(1.0e4, description="the same for hops of ions, 1/s")
    redox_cap: _Cap = Field("none", description="the same for oxidation and reduction, 1/s")
    redox_events: int = Field(
        20,
        ge=1,
        le=1_000_000,
        description="oxidations and reductions in the field of the gap between two updates of the "
        "potential, at most",
    )
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
        1.59e-8,
        gt=0.0,
        le=1.0e-4,
        description="rho of the wind force, ohm m; the default is that of bulk silver, and refused "
        "for another metal where the force is on",
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
    kpoints: int = Field(
        3,
        ge=1,
        le=16,
        description="in-plane mesh of the narrowest cell, this squared; a wider one has fewer "
        "points, so that width times points is about the same",
    )
    curve: Literal["linear", "transmission"] = Field(
        "linear",
        description="'linear': current proportional to the voltage; 'transmission': I(V) from T(E)",
    )
    cache: str = Field(
        "cache",
        min_length=1,
        max_length=1000,
        description="'cache': known conductances are kept in the user's cache folder; 'none': in "
        "memory only; or the path of a file; a relative path counts from the folder of the "
        "settings file",
    )

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if any(after <= before for before, after in pairwise(self.cell_widths)):
            raise ValueError(
                f"conductance.cell_widths = {list(self.cell_widths)}: each must be above the one "
                "before it"
            )
        return self
