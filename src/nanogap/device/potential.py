"""Potential of metal and medium as the share u of the gap voltage: V = V_lower + V_gap u.

The electrodes hold u = 0 and u = 1. A floating cluster is an equipotential without net flux; metal
that joins the electrodes is a network of equal resistors, one per bond; the medium, of uniform
permittivity, obeys the Laplace equation on the sites (`nanogap.device.laplace`), or the linear
Poisson-Boltzmann equation where its ions screen. Charges of single ions are left out of the field.
"""

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from nanogap.device.labels import electrodes, label_metal
from nanogap.device.laplace import Screening, number_unknown, solve_sites
from nanogap.device.lattice import (
    BRIDGED,
    FLOATING,
    LOWER,
    METAL,
    UPPER,
    Lattice,
    SiteIndices,
    SiteStates,
)
from nanogap.device.surface import layer_capacity, potentials_at_surface
from nanogap.errors import SettingsError
from nanogap.typing import BoolArray, FloatArray, IntArray

#: The network's currents are differences of potentials: it is solved this much more exactly.
_NETWORK_TOLERANCE = 0.01

#: Least current of an atom that counts as carrying, share of the bridge's.
_LEAST_CURRENT = 1e-3

#: A solution near the changed sites reaches this many bonds from them.
_REACH = 6

#: Its largest error against the change of u at its rim (`docs/device-fields.md`).
_RIM_FACTOR = 2.0


@dataclass(frozen=True)
class PotentialUpdate:
    """Outcome of an update of the potential.

    Attributes
    ----------
    solved : bool
        Whether the equations were solved; otherwise the change was too small for it.
    everywhere : bool
        Whether on all sites, not only near the changed ones.
    changed : int
        Sites whose metal came or went since the last solution.
    jump : float
        Largest change of u at one of them, or difference of u between its metal neighbours. The
        first bounds the error of u of the medium, by the maximum principle; the second shows how
        much current a bridge has to lead around the site. Not a number where clusters joined or
        parted.
    iterations : int
        Of the conjugate gradients, network and medium together.
    """

    solved: bool
    everywhere: bool
    changed: int
    jump: float
    iterations: int


class PotentialField:
    """Potential of the sites that follows the metal.

    Parameters
    ----------
    lattice : Lattice
    fixed : ndarray of bool, shape (n_sites,)
        Sites of the electrodes' bases, held at u = 0 in the lower half, 1 in the upper one.
    largest_jump : float
        The equations are solved again once u at a changed site jumps by more. 0: at every change.
    local_error : float
        In an open gap the equations are solved near the changed sites alone, until the errors that
        this is estimated to make add up to more. 0: everywhere each time.
    tolerance : float
        Of a solution (`nanogap.device.laplace.solve_sites`); the largest error of u is about a
        tenth of it.
    screening_length : float
        Of the medium, angstrom; infinity: a dielectric.
    bulk_level : float, optional
        u of the bulk of a medium that screens, where it is held by what lies outside the box;
        otherwise the box exchanges no charge.

    Attributes
    ----------
    metal : ndarray, shape (n_sites,)
        u of the metal; next to metal, the mean over the metal neighbours, which is what an ion
        meets that is reduced there; elsewhere u of the medium.
    medium : ndarray, shape (n_sites,)
        u of the medium; on metal sites, u that the site would have as medium
        (`nanogap.device.surface`).
    clusters : MetalClusters
        Of the last update.
    conductance : float
        Of the metal between the electrodes at the last solution, bonds; 0 while it is open.
    level : float
        Mean of u over the medium at the last solution: u of its bulk, where it screens.
    neglected : float
        Estimated errors of the local solutions since the last one everywhere, their sum.

    Raises
    ------
    SettingsError
        If a parameter is out of its range.
    StructureError
        If an electrode has no fixed site.

    Examples
    --------
    >>> import numpy as np
    >>> from nanogap.device.lattice import build_lattice
    >>> from nanogap.device.potential import PotentialField
    >>> lattice = build_lattice(4.09, 12.0, 12.0, 11)
    >>> fixed = (lattice.layer == 0) | (lattice.layer == 10)
    >>> field = PotentialField(lattice, fixed)
    >>> field.update(fixed.astype(np.uint8)).solved
    True
    >>> round(float(field.medium[lattice.layer == 5].mean()), 3)
    0.5
    """

    def __init__(
        self,
        lattice: Lattice,
        fixed: BoolArray,
        *,
        largest_jump: float = 0.02,
        local_error: float = 0.01,
        tolerance: float = 1e-3,
        screening_length: float = math.inf,
        bulk_level: float | None = None,
    ) -> None:
        if not 0.0 <= largest_jump <= 1.0:
            raise SettingsError(
                f"a largest jump of {largest_jump:g} is no share of the gap voltage: choose 0 to 1"
            )
        if not 0.0 <= local_error <= 1.0:
            raise SettingsError(
                f"a local error of {local_error:g} is no share of the gap voltage: choose 0 to 1"
            )
        if not 0.0 < tolerance <= 1e-2:
            raise SettingsError(f"a tolerance of {tolerance:g} must lie above 0 and up to 0.01")
        if not screening_length > 0.0:
            raise SettingsError(f"a screening length of {screening_length:g} Å must lie above 0")
        if bulk_level is not None and not 0.0 <= bulk_level <= 1.0:
            raise SettingsError(
                f"a level of the medium of {bulk_level:g} is no share of the gap voltage: choose "
                "0 to 1"
            )
        self._lattice = lattice
        self._fixed = fixed
        self._lower, self._upper = electrodes(lattice, fixed)
        self._everywhere = np.ones(len(lattice), dtype=np.bool_)
        self._nobody = np.full(len(lattice), -1, dtype=np.int32)
        self._largest_jump, self._local_error = largest_jump, local_error
        self._tolerance = tolerance
        self._strength = (lattice.lattice_constant / screening_length) ** 2
        height = lattice.positions[:, 2]
        share = (height - height.min()) / (height.max() - height.min())
        self._potential = np.asarray(share, dtype=np.float64)
        self._solved_labels: SiteStates | None = None
        self._solved = self._potential, self._potential
        self.metal, self.medium = self._solved
        self._bulk_level = bulk_level
        self.level = 0.5 if bulk_level is None else bulk_level
        self.conductance = 0.0
        self.neglected = 0.0

    @property
    def potential(self) -> FloatArray:
        """Solution that the next one starts from, u, shape (n_sites,): what `restore` needs."""
        return self._potential

    @property
    def solved_labels(self) -> SiteStates | None:
        """Labels of the metal at the last solution, shape (n_sites,): what `restore` needs."""
        return self._solved_labels

    def restore(
        self,
        potential: FloatArray,
        solved_labels: SiteStates,
        conductance: float,
        neglected: float,
    ) -> None:
        """Go on from a stored solution as if it had just been made, to the bit.

        An `update` with the states of the moment must follow.

        Parameters
        ----------
        potential : ndarray, shape (n_sites,)
        solved_labels : ndarray of uint8, shape (n_sites,)
        conductance, neglected : float
        """
        self._keep(potential.copy(), solved_labels.copy())
        self.conductance, self.neglected = conductance, neglected

    def update(self, states: SiteStates) -> PotentialUpdate:
        """Follow the metal: solve the equations if it has changed enough, else patch the changes.

        A site that became metal takes the potential of its electrode, one that became medium the
        potential foreseen for it, which is the one that its oxidation was weighed with.

        Parameters
        ----------
        states : ndarray of uint8, shape (n_sites,)
            Ions count as medium.

        Returns
        -------
        PotentialUpdate
        """
        self.clusters = label_metal(self._lattice, states, self._lower, self._upper)
        if self._solved_labels is None:
            return self._solve(states, len(states), float("nan"))
        before, labels = self._solved_labels, self.clusters.labels
        came, went = (labels > 0) & (before == 0), (labels == 0) & (before > 0)
        changed = int(came.sum() + went.sum())
        stayed = (labels > 0) & (before > 0)
        if (labels != before)[stayed].any() or ((labels == FLOATING) & came).any():
            return self._solve(states, changed, float("nan"))
        metal, medium = self._solved
        patched = self._potential.copy()
        patched[went] = medium[went]
        patched[came] = np.select(
            [labels[came] == LOWER, labels[came] == UPPER], [0.0, 1.0], metal[came]
        )
        jump = max(
            float(np.abs(patched - self._potential).max(initial=0.0)),
            self._largest_drop(np.flatnonzero(came | went), stayed),
        )
        if changed and jump >= self._largest_jump:
            near = self._solve_near(np.flatnonzero(came | went), states, patched)
            if near:
                return PotentialUpdate(True, False, changed, jump, near)
            return self._solve(states, changed, jump)
        self.metal, self.medium = (
            self._at_surface(states == METAL, patched) if changed else self._solved
        )
        return PotentialUpdate(False, False, changed, jump, 0)

    def voltages(self, lower: float, gap: float) -> tuple[FloatArray, FloatArray]:
        """Potential of metal and of medium.

        Parameters
        ----------
        lower : float
            Potential of the lower electrode, V.
        gap : float
            Potential of the upper electrode against it, V.

        Returns
        -------
        metal, medium : ndarray, shape (n_sites,)
            V.
        """
        return lower + gap * self.metal, lower + gap * self.medium

    def carrying(self) -> BoolArray:
        """Find the atoms of a bridge that its current flows through.

        Returns
        -------
        ndarray of bool, shape (n_sites,)
            Atoms with more than a thousandth of the current of the bridge; dead ends have none.
        """
        bridge = self.clusters.labels == BRIDGED
        through = _through_currents(self._lattice.neighbours, bridge, self.metal)
        return np.asarray(through > _LEAST_CURRENT * self.conductance)

    def _solve(self, states: SiteStates, changed: int, jump: float) -> PotentialUpdate:
        """Solve network and medium, starting from the last solution."""
        labels, floating = self.clusters.labels, self.clusters.floating
        potential = self._potential.copy()
        potential[(labels == LOWER) | self._lower] = 0.0
        potential[(labels == UPPER) | self._upper] = 1.0
        iterations = 0
        self.conductance = 0.0
        if self.clusters.bridged:
            iterations += self._solve_network(labels == BRIDGED, potential)
        medium = states != METAL
        unknown = number_unknown(medium, floating)
        iterations += self._solve_medium(
            unknown, potential, self._screening(medium, self._bulk_level)
        )
        self.neglected = 0.0
        self._keep(potential, labels.copy())
        return PotentialUpdate(True, True, changed, jump, iterations)

    def _solve_near(self, sites: IntArray, states: SiteStates, potential: FloatArray) -> int:
        """Solve near some sites if that is exact enough; return the iterations, else 0."""
        if self.clusters.bridged or self.neglected >= self._local_error:
            return 0
        near, rim = _surroundings(self._lattice.neighbours, sites, _REACH)
        medium = states != METAL
        if (self.clusters.labels[near] == FLOATING).any():
            return 0
        unknown = number_unknown(near & medium, self._nobody)
        iterations = self._solve_medium(unknown, potential, self._screening(medium, self.level))
        change = np.abs(potential - self._potential)[rim & medium].max(initial=0.0)
        neglected = self.neglected + _RIM_FACTOR * float(change) + self._shift(potential, medium)
        if neglected > self._local_error:
            return 0
        self.neglected = neglected
        self._keep(potential, self.clusters.labels.copy())
        return max(iterations, 1)

    def _screening(self, medium: BoolArray, level: float | None) -> Screening | None:
        """Screening by the medium, if there is one, with a given level or that of neutrality."""
        return Screening(medium, self._strength, level) if self._strength else None

    def _solve_medium(
        self, unknown: SiteIndices, potential: FloatArray, screening: Screening | None
    ) -> int:
        """Solve for the medium and floating clusters; return the iterations."""
        neighbours, everywhere = self._lattice.neighbours, self._everywhere
        return solve_sites(
            neighbours, everywhere, unknown, potential, self._tolerance, screening=screening
        )

    def _shift(self, potential: FloatArray, medium: BoolArray) -> float:
        """Estimate by how much the level would have to change for the medium to be neutral."""
        if not self._strength or self._bulk_level is not None:
            return 0.0
        excess = float((potential[medium] - self.level).sum())
        capacity = layer_capacity(self._lattice.neighbours, ~medium, self._strength)
        return abs(excess) / min(capacity, float(medium.sum()))

    def _keep(self, potential: FloatArray, labels: SiteStates) -> None:
        """Make a solution the one that later changes are judged by."""
        metal = labels > 0
        self._potential, self._solved_labels = potential, labels
        if self._bulk_level is None:
            self.level = float(potential[~metal].mean()) if not metal.all() else 0.5
        self._solved = self._at_surface(metal, potential)
        self.metal, self.medium = self._solved

    def _solve_network(self, members: BoolArray, potential: FloatArray) -> int:
        """Solve the network of the metal between the electrodes; return the iterations."""
        unknown = number_unknown(members & ~self._fixed, self._nobody)
        tolerance = _NETWORK_TOLERANCE * self._tolerance
        neighbours = self._lattice.neighbours
        iterations = solve_sites(neighbours, members, unknown, potential, tolerance)
        ends = neighbours[self._lower & members]
        linked = (ends >= 0) & members[ends]
        self.conductance = float(potential[ends][linked].sum())
        return iterations

    def _largest_drop(self, sites: IntArray, metal: BoolArray) -> float:
        """Largest difference of the potentials of the metal neighbours of one site."""
        ends = self._lattice.neighbours[sites]
        linked = (ends >= 0) & metal[ends]
        values = self._potential[ends]
        highest = np.where(linked, values, -np.inf).max(axis=1, initial=-np.inf)
        lowest = np.where(linked, values, np.inf).min(axis=1, initial=np.inf)
        return float(np.where(linked.any(axis=1), highest - lowest, 0.0).max(initial=0.0))

    def _at_surface(self, metal: BoolArray, potential: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Potential of every site as metal and as medium."""
        neighbours = self._lattice.neighbours
        return potentials_at_surface(neighbours, metal, potential, self._strength, self.level)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _through_currents(
    neighbours: SiteIndices, members: BoolArray, potential: FloatArray
) -> FloatArray:
    """Return the current through each member of a network of equal bonds."""
    through = np.zeros(len(neighbours))
    for site in range(len(neighbours)):
        if members[site]:
            for direction in range(12):
                end = neighbours[site, direction]
                if end >= 0 and members[end]:
                    through[site] += abs(potential[end] - potential[site]) / 2.0
    return through


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _surroundings(
    neighbours: SiteIndices, sites: IntArray, reach: int
) -> tuple[BoolArray, BoolArray]:
    """Return the sites within some bonds of given ones, and those exactly as far."""
    near = np.zeros(len(neighbours), dtype=np.bool_)
    rim = np.zeros(len(neighbours), dtype=np.bool_)
    queue = np.empty(len(neighbours), dtype=np.int32)
    found = len(sites)
    for index in range(found):
        queue[index] = sites[index]
        near[sites[index]] = True
    begin = 0
    for _ in range(reach):
        end = found
        for index in range(begin, end):
            for direction in range(12):
                site = neighbours[queue[index], direction]
                if site >= 0 and not near[site]:
                    near[site] = True
                    queue[found] = site
                    found += 1
        begin = end
    rim[queue[begin:found]] = True
    return near, rim
