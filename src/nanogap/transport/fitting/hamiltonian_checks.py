"""All checks that a Hamiltonian has to pass before its conductances are believed.

Each compares the model with something outside it: bands and transmissions of first principles,
whole numbers of channels, the Fermi surface that the leads' channels must agree with.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from ase.build import bulk

from nanogap.errors import SettingsError, StructureError
from nanogap.structure.tips import (
    layer_spacing,
    nearest_neighbour_distance,
    stacking_shift,
    surface_vectors,
)
from nanogap.transport.fitting.band_error import band_error
from nanogap.transport.fitting.calibration import (
    Calibration,
    reference_values,
    tunnelling_decays,
)
from nanogap.transport.fitting.metal_size import lattice_constant
from nanogap.transport.fitting.overlap_guards import overlap_guards
from nanogap.transport.fitting.reference_bands import ReferenceBands
from nanogap.transport.fitting.reference_transmissions import ReferenceTransmissions
from nanogap.transport.fitting.vacuum_tail import vacuum_decay
from nanogap.transport.mesh import plane_mesh, reduced_mesh
from nanogap.transport.negf.compute import compute_transmission
from nanogap.transport.negf.device import build_device
from nanogap.transport.tight_binding.bands import band_energies, bulk_fermi_energy
from nanogap.transport.tight_binding.fermi_surface import projected_channels
from nanogap.transport.tight_binding.matrices import atom_densities, real_space_matrices
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.neighbours import find_neighbours
from nanogap.typing import FloatArray

#: Limits of the errors of bands, eV: occupied ones of the crystal, those near E_F of structures
#: that were held out.
OCCUPIED, NEAR_FERMI_ENERGY = 0.030, 0.060
#: Least eigenvalue of an overlap.
LEAST_OVERLAP = 0.01
#: Part by which the open channels and the projected Fermi surface may differ.
SHARVIN = 0.03
#: What T of a perfect lead, and of a perfect wire against PWCOND, may be off, G0.
WHOLE, WIRE = 1e-6, 0.01
#: Mean absolute error of T <= 3 over junctions that were not fitted, G0.
CALIBRATED = 0.05
#: What the count of neighbours that face no vacuum may be off.
NEIGHBOURS = 0.2
#: Part by which the lattice constant of a crystal that judges may differ from PBE's.
_SAME_CRYSTAL = 0.02
#: Layers of the perfect junction: of each lead, and between.
_LEAD_LAYERS, _CHANNEL_LAYERS = 3, 6
#: Points along each axis: of the plane for T, for channels, of the zone for the Fermi surface. The
#: mean of whole numbers converges slowly: 72 points are good to 1 %, 48 were 2.4 % off once.
_FEW, _FINE, _ZONE = 6, 72, 48
#: Spacings of wires, in bonds of the crystal: 2.65, 2.89 and 3.10 angstrom of silver.
_SPACINGS = (0.9035, 0.985, 1.057)
#: Displacement of the atoms of hot metal, in bonds: 0.16 angstrom of silver.
_RATTLE = 0.055


@dataclass(frozen=True)
class Check:
    """One number that is compared with a limit, or only told.

    Attributes
    ----------
    group : str
        What is checked: ``bands``, ``overlap``, ``vacuum``, ``leads``, ``wires`` or
        ``transmissions``.
    name : str
    value : float
    unit : str
        Empty for a plain number.
    limit : float or None
        The most that it may be; None: it is told and judges nothing.
    is_least : bool
        Whether the limit is the least that it may be.
    note : str
        What else is to be known.
    """

    group: str
    name: str
    value: float
    unit: str
    limit: float | None = None
    is_least: bool = False
    note: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the value keeps to its limit; None if it has none; never if it is no number."""
        if self.limit is None:
            return None
        return bool(self.value >= self.limit if self.is_least else self.value <= self.limit)


def check_hamiltonian(
    model: TightBindingModel,
    references: Sequence[ReferenceBands],
    *,
    held_out: Sequence[str] = (),
    transmissions: ReferenceTransmissions | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> list[Check]:
    """Make all checks of a Hamiltonian of an fcc metal.

    Parameters
    ----------
    model : TightBindingModel
    references : sequence of ReferenceBands
        First-principles bands of its element.
    held_out : sequence of str
        Names of those that it was not fitted to: they judge it, the others are told.
    transmissions : ReferenceTransmissions, optional
        First-principles transmissions of its element.
    report : callable
        Is told what is being checked.

    Returns
    -------
    list of Check
        Where a structure cannot be computed, a check that fails and says why.

    Raises
    ------
    SettingsError
        If the element is no fcc metal, or nothing has a name that is held out.
    """
    lattice_constant(model.element)
    unknown = sorted(set(held_out) - {reference.name for reference in references})
    if unknown:
        raise SettingsError(
            f"no structure is named {unknown[0]!r}, which is to be held out; there are "
            f"{', '.join(reference.name for reference in references)}"
        )
    groups: dict[str, Callable[[], Iterator[Check]]] = {
        "bands": lambda: band_checks(model, references, held_out),
        "overlap": lambda: overlap_checks(model),
        "vacuum": lambda: vacuum_checks(model),
        "leads": lambda: lead_checks(model),
        "wires": lambda: wire_checks(model),
    }
    if transmissions is not None:
        groups["transmissions"] = lambda: transmission_checks(model, transmissions)
    found: list[Check] = []
    for group, checks in groups.items():
        report(group)
        try:
            found += checks()
        except StructureError as error:
            found.append(Check(group, "all of it", np.nan, "", 0.0, note=str(error)))
    return found


def band_checks(
    model: TightBindingModel, references: Sequence[ReferenceBands], held_out: Sequence[str] = ()
) -> Iterator[Check]:
    """Compare bands with those of first principles, as the model is, with its vacuum tail."""
    constant = lattice_constant(model.element)
    judged = [one.name for one in references if _is_crystal(one.atoms, constant)]
    if not judged:
        note = f"no reference is fcc with a within {_SAME_CRYSTAL:.0%} of {constant:g} Å"
        yield Check("bands", "fcc, occupied", np.nan, "meV", 1e3 * OCCUPIED, note=note)
    for reference in references:
        error = band_error(reference, band_energies(reference.atoms, reference.kpoints, model))
        limit = 1e3 * OCCUPIED if reference.name in judged else None
        yield Check("bands", f"{reference.name}, occupied", 1e3 * error.occupied, "meV", limit)
        limit = 1e3 * NEAR_FERMI_ENERGY if reference.name in held_out else None
        note = "held out" if reference.name in held_out else ""
        near = 1e3 * error.near_fermi_energy
        yield Check("bands", f"{reference.name}, near E_F", near, "meV", limit, note=note)


def _is_crystal(atoms: Atoms, constant: float) -> bool:
    """Whether a structure is the primitive cell of fcc, about at its lattice constant."""
    lengths, angles = np.split(atoms.cell.cellpar(), 2)
    is_fcc = len(atoms) == 1 and np.ptp(lengths) < 1e-3 and np.allclose(angles, 60.0, atol=0.01)
    found = float(np.sqrt(2.0) * lengths.mean())
    return bool(is_fcc and abs(found / constant - 1.0) <= _SAME_CRYSTAL)


def overlap_checks(model: TightBindingModel) -> Iterator[Check]:
    """Look for the least eigenvalue of the overlap: short bonds, crowded atoms, hot metal."""
    constant = lattice_constant(model.element)
    hot = bulk(model.element, "fcc", a=constant, cubic=True) * (2, 2, 2)
    hot.rattle(_RATTLE * nearest_neighbour_distance(constant), seed=0)
    guards = [(guard.atoms, guard.kpoints) for guard in overlap_guards(model.element)]
    for name, cases in (
        ("short bonds and crowded atoms", guards),
        ("hot crystal", [(hot, np.zeros((1, 3)))]),
    ):
        least, note = np.inf, ""
        for atoms, kpoints in cases:
            try:
                matrices = real_space_matrices(atoms, model)
            except StructureError as error:
                least, note = -np.inf, str(error)
                break
            overlaps = [matrices.at(k)[1].toarray() for k in kpoints]
            least = min(least, *(float(np.linalg.eigvalsh(one)[0]) for one in overlaps))
        yield Check("overlap", name, least, "", LEAST_OVERLAP, is_least=True, note=note)


def vacuum_checks(model: TightBindingModel) -> Iterator[Check]:
    """Count neighbours as the vacuum tail does: 12 in the crystal, 9 in a (111) surface."""
    tail, constant = model.vacuum, lattice_constant(model.element)
    if tail is None:
        note = "without a coupling through vacuum no open gap conducts: give transmissions to a fit"
        yield Check("vacuum", "decay of amplitudes", np.nan, "1/Å", 0.0, is_least=True, note=note)
        return
    yield Check("vacuum", "decay of amplitudes", tail.decay, "1/Å")
    slab = perfect_junction(model.element, constant)
    slab.cell[2, 2] = np.ptp(slab.positions[:, 2]) + 30.0
    for name, atoms, atom, expected in (
        ("crystal", bulk(model.element, "fcc", a=constant), 0, 12.0),
        ("(111) surface", slab, 0, 9.0),
    ):
        pairs = find_neighbours(atoms, model.cutoff)
        found = float(atom_densities(pairs, len(atoms), model)[2][atom])
        note = f"{found:.2f} where there are {expected:g}"
        wrong = abs(found - expected)
        what = f"neighbours that the tail counts, {name}"
        yield Check("vacuum", what, wrong, "", NEIGHBOURS, note=note)


def lead_checks(model: TightBindingModel) -> Iterator[Check]:
    """Check perfect (111) leads: whole numbers of channels, as many as the Fermi surface has."""
    constant = lattice_constant(model.element)
    junction = perfect_junction(model.element, constant)
    dataset = compute_transmission([junction], kpoints=(_FEW, _FEW), model=model)
    device = build_device(junction, model)
    lead, level = device.leads[0], device.fermi_energy
    points = np.stack([dataset["k1"], dataset["k2"]], axis=1)
    opened = np.array([lead.open_channels(k, level) for k in points])
    off = np.abs(dataset["transmission"].to_numpy()[0, :, 0] - opened).max()
    yield Check("leads", "T at every k against its open channels", float(off), "G0", WHOLE)
    found, coarse = (_mean_channels(lead.open_channels, level, n) for n in (_FINE, _FINE // 2))
    atoms = Atoms(model.element, cell=_layer_cell(constant), pbc=True)
    fermi_energy = bulk_fermi_energy(constant, model)
    area, less = (
        projected_channels(atoms, fermi_energy, model=model, points=n) for n in (_ZONE, _ZONE // 2)
    )
    note = (
        f"{found:.4f} open channels per surface atom ({coarse:.4f} with half the mesh), projected "
        f"area of the Fermi surface {area:.4f} ({less:.4f})"
    )
    share = abs(found / area - 1.0)
    yield Check("leads", "Sharvin: channels against Fermi surface", share, "", SHARVIN, note=note)


def wire_checks(model: TightBindingModel) -> Iterator[Check]:
    """Check monatomic wires of three spacings: T is a whole number, one at least."""
    bond = nearest_neighbour_distance(lattice_constant(model.element))
    for spacing in (share * bond for share in _SPACINGS):
        wire = Atoms(f"{model.element}5", [(0.0, 0.0, n * spacing) for n in range(5)])
        wire.new_array("region", np.array(["left", *3 * ["channel"], "right"]))
        wire.info.update(left_period=spacing, right_period=spacing)
        found = float(compute_transmission([wire], model=model)["transmission_average"].item())
        off = abs(found - max(1.0, round(found)))
        note = f"T = {found:.4f}"
        name = f"wire of {spacing:.2f} Å, T off a whole number"
        yield Check("wires", name, off, "G0", WIRE, note=note)


def transmission_checks(
    model: TightBindingModel, transmissions: ReferenceTransmissions
) -> Iterator[Check]:
    """Compare transmissions with those of first principles, on the same junctions and k-points."""
    junctions = transmissions.junctions
    values, _ = reference_values(junctions, model)
    exact = np.array([junction.transmission for junction in junctions])
    for junction, value in zip(junctions, values, strict=True):
        if junction.kind == "chain":
            off, note = abs(value - junction.transmission), f"T = {value:.4f}"
            name = f"{junction.name}, T off"
            yield Check("transmissions", name, float(off), "G0", WIRE, note=note)
    judges = [n for n, one in enumerate(junctions) if one.name not in transmissions.fitted]
    kinds = [junctions[n].kind for n in judges]
    if len(judges) < 2:  # no correlation of one
        note = "fewer than two junctions were left out of the fit, so that nothing judges it"
        yield Check("transmissions", "not fitted", np.nan, "G0", CALIBRATED, note=note)
        return
    errors = Calibration().compute(kinds, exact[judges], values[judges])
    note = f"{len(judges)} junctions that the tail was not fitted to"
    name, mean = "not fitted: mean absolute error of T <= 3", errors.mean_absolute_error
    yield Check("transmissions", name, mean, "G0", CALIBRATED, note=note)
    name, rank = "not fitted: Spearman's rank correlation", errors.rank_correlation
    yield Check("transmissions", name, rank, "", note=note)
    for kind, error in errors.by_class.items():
        note = f"{error.count} junctions, worst {error.worst:.3f}, bias {error.bias:+.3f}"
        name, mean = f"not fitted, {kind}: mean absolute error", error.mean_absolute
        yield Check("transmissions", name, mean, "G0", note=note)
    barrier = vacuum_decay(transmissions.work_function)
    references = tunnelling_decays(junctions, exact)
    for kind, decay in tunnelling_decays(junctions, values).items():
        note = (
            f"first principles {references[kind]:.3f}, barrier of the work function {barrier:.3f}"
        )
        yield Check("transmissions", f"decay of amplitudes, {kind}", decay, "1/Å", note=note)


def perfect_junction(element: str, constant: float) -> Atoms:
    """Build a piece of the crystal as a junction: one atom per (111) layer, twelve layers."""
    count, spacing = 2 * _LEAD_LAYERS + _CHANNEL_LAYERS, layer_spacing(constant)
    cell = np.zeros((3, 3))
    cell[:2, :2], cell[2, 2] = surface_vectors(constant), count * spacing
    shift = np.append(stacking_shift(constant), spacing)
    atoms = Atoms(f"{element}{count}", np.arange(count)[:, None] * shift, cell=cell)
    atoms.pbc = (True, True, False)
    labels = _LEAD_LAYERS * ["left"] + _CHANNEL_LAYERS * ["channel"] + _LEAD_LAYERS * ["right"]
    atoms.new_array("region", np.array(labels))
    atoms.info.update(left_period=_LEAD_LAYERS * spacing, right_period=_LEAD_LAYERS * spacing)
    return atoms


def _layer_cell(constant: float) -> FloatArray:
    """Return the primitive cell of the crystal whose first two vectors span a (111) plane."""
    cell = np.zeros((3, 3))
    cell[:2, :2] = surface_vectors(constant)
    cell[2] = np.append(stacking_shift(constant), layer_spacing(constant))
    return cell


def _mean_channels(
    open_channels: Callable[[FloatArray, float], int], level: float, points: int
) -> float:
    """Average the open channels over a mesh, of which symmetry leaves a twelfth."""
    turn, mirror = np.array([[0, -1], [1, 1]]), np.array([[0, 1], [1, 0]])
    turns = [np.linalg.matrix_power(turn, n) for n in range(6)]
    symmetries = [*turns, *(one @ mirror for one in turns)]
    whole = plane_mesh((points, points), gamma_centred=True, periodic=(True, True))
    mesh = reduced_mesh(whole, symmetries)
    found = np.array([open_channels(k, level) for k in mesh.points[mesh.computed]])
    return float(found[mesh.source].mean())
