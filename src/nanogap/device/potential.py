"""Potential of metal and medium as the share u of the gap voltage: V = V_lower + V_gap u.

The electrodes hold u = 0 and u = 1. A floating cluster is an equipotential without net flux; metal
that joins the electrodes is a network of equal resistors, one per bond; the medium, of uniform
permittivity, obeys the Laplace equation on the sites (`nanogap.device.laplace`). Charges of ions
are left out of the field: the medium screens them, or they are few.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from nanogap.device.labels import (
    BRIDGED,
    FLOATING,
    LOWER,
    UPPER,
    electrodes,
    label_metal,
)
from nanogap.device.laplace import number_unknown, solve_sites
from nanogap.device.lattice import METAL, Lattice, SiteIndices, SiteStates
from nanogap.errors import SettingsError
from nanogap.typing import BoolArray, FloatArray, IntArray

#: Change of the potential of a metal site that becomes medium, against that with its neighbours'
#: potentials fixed, by the number of its metal neighbours: mean over surfaces of rough needles
#: (`docs/device-fields.md`); with none, 12 times the lattice's Green's function at the origin.
RELEASE: FloatArray = np.array(
    [1.345, 1.200, 1.150, 1.135, 1.114, 1.094, 1.073, 1.057, 1.042, 1.029, 1.017, 1.008, 1.0]
)

#: The network's currents are differences of potentials: it is solved this much more exactly.
_NETWORK_TOLERANCE = 0.01

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

    Attributes
    ----------
    metal : ndarray, shape (n_sites,)
        u of the metal; next to metal, the mean over the metal neighbours, which is what an ion
        meets that is reduced there; elsewhere u of the medium.
    medium : ndarray, shape (n_sites,)
        u of the medium; on metal sites, u that the site would have as medium (`RELEASE`).
    clusters : MetalClusters
        Of the last update.
    conductance : float
        Of the metal between the electrodes at the last solution, bonds; 0 while it is open.
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
        self._lattice = lattice
        self._fixed = fixed
        self._lower, self._upper = electrodes(lattice, fixed)
        self._everywhere = np.ones(len(lattice), dtype=np.bool_)
        self._nobody = np.full(len(lattice), -1, dtype=np.int32)
        self._largest_jump, self._local_error = largest_jump, local_error
        self._tolerance = tolerance
        height = lattice.positions[:, 2]
        share = (height - height.min()) / (height.max() - height.min())
        self._potential = np.asarray(share, dtype=np.float64)
        self._solved_labels: SiteStates | None = None
        self._solved = self._potential, self._potential
        self.metal, self.medium = self._solved
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
        self._potential = potential.copy()
        self._solved_labels = solved_labels.copy()
        self._solved = self._on_metal_and_medium(solved_labels > 0, potential)
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
            self._on_metal_and_medium(states == METAL, patched) if changed else self._solved
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
        metal = states == METAL
        unknown = number_unknown(~metal, floating)
        iterations += solve_sites(
            self._lattice.neighbours, self._everywhere, unknown, potential, self._tolerance
        )
        self.neglected = 0.0
        self._keep(potential, metal)
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
        neighbours, everywhere = self._lattice.neighbours, self._everywhere
        iterations = solve_sites(neighbours, everywhere, unknown, potential, self._tolerance)
        change = np.abs(potential - self._potential)[rim & medium].max(initial=0.0)
        neglected = self.neglected + _RIM_FACTOR * float(change)
        if neglected > self._local_error:
            return 0
        self.neglected = neglected
        self._keep(potential, ~medium)
        return max(iterations, 1)

    def _keep(self, potential: FloatArray, metal: BoolArray) -> None:
        """Make a solution the one that later changes are judged by."""
        self._potential, self._solved_labels = potential, self.clusters.labels.copy()
        self._solved = self._on_metal_and_medium(metal, potential)
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

    def _on_metal_and_medium(
        self, metal: BoolArray, potential: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        on_metal, in_medium = _metal_and_medium(self._lattice.neighbours, metal, potential, RELEASE)
        return np.asarray(on_metal), np.asarray(in_medium)


def medium_potential_at_surface(
    lattice: Lattice, metal: BoolArray, potential: FloatArray
) -> FloatArray:
    """Foresee the potential that metal sites would have as medium.

    The site's own equation, the mean over its neighbours with their potentials fixed, gives the
    change that `RELEASE` then corrects for their giving way.

    Parameters
    ----------
    lattice : Lattice
    metal : ndarray of bool, shape (n_sites,)
    potential : ndarray, shape (n_sites,)
        u or V of metal and medium.

    Returns
    -------
    ndarray, shape (n_sites,)
        The potential itself on sites of the medium.
    """
    return np.asarray(_metal_and_medium(lattice.neighbours, metal, potential, RELEASE)[1])


@njit(cache=True)  # type: ignore[untyped-decorator]
def _metal_and_medium(
    neighbours: SiteIndices, metal: BoolArray, potential: FloatArray, release: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the potential of the metal at every site, and that of the medium."""
    on_metal, in_medium = potential.copy(), potential.copy()
    for site in range(len(potential)):
        linked, existing, total, of_metal = 0, 0, 0.0, 0.0
        for direction in range(12):
            end = neighbours[site, direction]
            if end < 0:
                continue
            existing += 1
            total += potential[end]
            if metal[end]:
                linked += 1
                of_metal += potential[end]
        if metal[site]:
            change = total / existing - potential[site]
            in_medium[site] = potential[site] + release[linked] * change
        elif linked:
            on_metal[site] = of_metal / linked
    return on_metal, in_medium


@njit(cache=True)  # type: ignore[untyped-decorator]
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
