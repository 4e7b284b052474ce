"""The work that a voltage source does on the charges of a metal, and the energy balance.

The charges minimize E(q) - sum_i phi_i q_i at fixed positions and zero total charge, so that
dE/dq_i = phi_i up to a constant, and forces are -dE/dx at fixed q. Along a trajectory then
d(E_kin + E) = sum_i phi_i dq_i: what the source does. E is quadratic in q, so across a sudden
change of the potential from phi to phi' the work is exactly sum_i (phi_i + phi'_i)/2 times the
change of q_i, and E_kin + E - work is conserved.
"""

from nanogap.typing import FloatArray


class BiasWork:
    """Work of the source, summed along a trajectory.

    Parameters
    ----------
    charges : ndarray, shape (n_atoms,)
        Now, elementary charges.
    charged_at : ndarray, shape (n_atoms,)
        Potential that these charges are in equilibrium with, V.
    potential : ndarray, shape (n_atoms,)
        Potential that the next charges will be in equilibrium with, V.
    total : float
        Work up to now, eV.
    """

    def __init__(
        self, charges: FloatArray, charged_at: FloatArray, potential: FloatArray, total: float
    ) -> None:
        self._charges = charges
        self._charged_at = charged_at
        self._potential = potential
        self.total = total

    @property
    def charged_at(self) -> FloatArray:
        """Potential that the last charges were in equilibrium with, shape (n_atoms,), V."""
        return self._charged_at

    @property
    def switched(self) -> bool:
        """Whether the potential has changed since the last charges."""
        return self._charged_at is not self._potential

    def settle(self, potential: FloatArray) -> None:
        """Take note of the potential that pieces that float have taken on with the last charges.

        Their charge has not changed, so no work was done.
        """
        self._charged_at = self._potential = potential

    def switch(self, potential: FloatArray) -> None:
        """Take note of a new potential, V, that the charges have not followed yet."""
        self._potential = potential

    def follow(self, charges: FloatArray) -> None:
        """Add the work since the last charges, shape (n_atoms,), elementary charges.

        Exact if the potential was constant in between, or if it changed and atoms did not move.
        """
        mean = (self._charged_at + self._potential) / 2.0
        self.total += float(mean @ (charges - self._charges))
        self._charges, self._charged_at = charges, self._potential
