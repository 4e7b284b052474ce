"""A wire as its settings say: its shape at the start, and what it is made of."""

import numpy as np
from scipy.constants import angstrom, elementary_charge, nano
from scipy.ndimage import gaussian_filter1d

from nanogap.settings.wire import WireSettings
from nanogap.typing import FloatArray
from nanogap.wire.conduction import Conduction
from nanogap.wire.evolution import Evolution, Matter, Shape
from nanogap.wire.heat import Surroundings, Thermal
from nanogap.wire.mesh import Mesh, uniform_mesh
from nanogap.wire.surface import Surface

#: Cells of a straight wire to its radius.
_CELLS = 2.0
#: Largest deviation of the radius from its mean, share.
_MOST_ROUGH = 0.6


def make_matter(settings: WireSettings) -> Matter:
    """Return what a wire is made of and what is around it, in SI units.

    Parameters
    ----------
    settings : WireSettings
    """
    given, around, atoms = settings.conduction, settings.surroundings, settings.surface
    kappa = given.thermal_conductivity
    grain = settings.wire.grain_length * nano
    conduction = Conduction(
        resistivity=given.resistivity,
        temperature_coefficient=given.temperature_coefficient,
        free_path_product=given.free_path_product,
        specularity=given.specularity,
        grain_size=grain or np.inf,
        grain_reflection=given.grain_reflection,
        lorenz=given.lorenz,
        thermal_conductivity=None if isinstance(kappa, str) else kappa,
    )
    surface = Surface(
        prefactor=atoms.diffusion_prefactor,
        activation_energy=atoms.activation_energy * elementary_charge,
        site_density=atoms.site_density / nano**2,
        atomic_volume=atoms.atomic_volume * angstrom**3,
        surface_energy=atoms.surface_energy,
        effective_valence=atoms.effective_valence,
        heat_of_transport=atoms.heat_of_transport * elementary_charge,
        melting_point=given.melting_point,
    )
    surroundings = Surroundings(
        temperature=around.temperature,
        substrate=around.substrate_conductance,
        contact_resistance=around.contact_resistance,
        contact_thermal_resistance=around.contact_thermal_resistance,
        contact_heat=around.contact_heat,
    )
    return Matter(conduction, surface, surroundings, atoms.parting_radius * nano)


def make_wire(settings: WireSettings) -> Evolution:
    """Make the wire of some settings, cold and without a current.

    Parameters
    ----------
    settings : WireSettings
        Of one wire.

    Examples
    --------
    >>> wire = make_wire(WireSettings(wire={"roughness": 0.0}))
    >>> round(float(1e9 * wire.shape.radii.max()), 6), wire.parted
    (30.0, False)
    """
    wire = settings.wire
    radius = wire.diameter * nano / 2.0
    mesh = uniform_mesh(wire.length * nano, radius / _CELLS)
    rough, grained = (
        np.random.default_rng(one) for one in np.random.SeedSequence(settings.seed).spawn(2)
    )
    squares = (radius * _rough(settings, mesh, rough)) ** 2
    # the mean diameter is that of a straight wire of the same volume
    squares *= radius**2 / float(np.average(squares, weights=mesh.widths))
    ambient = np.full(len(squares), settings.surroundings.temperature)
    grains = _grains(settings, mesh, grained)
    return Evolution(
        make_matter(settings), Shape(mesh, squares, grains, Thermal(ambient, 0.0, 1.0))
    )


def _rough(settings: WireSettings, mesh: Mesh, random: np.random.Generator) -> FloatArray:
    """Return the radius over its mean in every cell."""
    wire = settings.wire
    if wire.roughness == 0.0:
        return np.ones(len(mesh.widths))
    width = wire.correlation_length * nano / float(mesh.widths[0])
    noise = gaussian_filter1d(random.normal(size=len(mesh.widths)), width, mode="reflect")
    # the deviation of an endless wire, so that a short one is not made rougher than it is
    noise *= wire.roughness * np.sqrt(2.0 * np.sqrt(np.pi) * width)
    return np.asarray(1.0 + np.clip(noise, -_MOST_ROUGH, _MOST_ROUGH))


def _grains(settings: WireSettings, mesh: Mesh, random: np.random.Generator) -> FloatArray:
    """Return the factor of the mobility in every cell, the same all over a grain."""
    wire = settings.wire
    if wire.mobility_spread == 0.0:
        return np.ones(len(mesh.widths))
    mean = max(1.0, wire.length / wire.grain_length - 1.0)
    boundaries = np.sort(random.uniform(0.0, wire.length * nano, random.poisson(mean)))
    factors = np.exp(wire.mobility_spread * random.normal(size=len(boundaries) + 1))
    return np.asarray(factors[np.searchsorted(boundaries, mesh.centres)])
