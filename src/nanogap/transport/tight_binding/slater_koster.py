"""Two-centre integrals of s, p and d orbitals in any direction.

Slater & Koster, Phys. Rev. 94, 1498 (1954), doi:10.1103/PhysRev.94.1498. Their table of direction
cosines is written here without cases: with the unit vector u along the bond and the d orbitals as
traceless symmetric tensors T_a (tr T_a T_b = delta_ab),

    sigma part of d orbital a    D_a  = sqrt(3/2) u.T_a.u
    pi part of d orbital a       P_ai = sqrt(2) [(T_a.u)_i - u_i (u.T_a.u)]

so that every block is made of u, D, P and unit matrices, for instance
dd = dd_sigma D D^T + dd_pi P P^T + dd_delta (1 - D D^T - P P^T).

Orbitals of an atom, in order: s; x, y, z; xy, yz, 3z^2 - r^2, zx, x^2 - y^2.
"""

import numpy as np

from nanogap.typing import FloatArray, IntArray

N_ORBITALS = 9

#: The two-centre integrals, in the order of every array of them.
INTEGRALS = (
    "ss_sigma",
    "sp_sigma",
    "pp_sigma",
    "pp_pi",
    "sd_sigma",
    "pd_sigma",
    "pd_pi",
    "dd_sigma",
    "dd_pi",
    "dd_delta",
)

_S, _P, _D = 0, slice(1, 4), slice(4, 9)


def _d_tensors() -> FloatArray:
    """Write the d orbitals as orthonormal traceless symmetric tensors, shape (5, 3, 3)."""
    tensors = np.zeros((5, 3, 3))
    for orbital, (i, j) in ((0, (0, 1)), (1, (1, 2)), (3, (2, 0))):
        tensors[orbital, i, j] = tensors[orbital, j, i] = np.sqrt(0.5)
    tensors[2] = np.diag([-1.0, -1.0, 2.0]) / np.sqrt(6.0)
    tensors[4] = np.diag([1.0, -1.0, 0.0]) / np.sqrt(2.0)
    return tensors


_TENSORS = _d_tensors()


def orbitals_of(atoms: IntArray) -> IntArray:
    """Return the numbers of the orbitals of atoms, in the atoms' order."""
    return np.asarray((atoms[:, None] * N_ORBITALS + np.arange(N_ORBITALS)).ravel())


def two_centre_blocks(directions: FloatArray, integrals: FloatArray) -> FloatArray:
    """Compute the blocks between pairs of atoms.

    Parameters
    ----------
    directions : ndarray, shape (n, 3)
        Unit vectors from the first atom of a pair to the second.
    integrals : ndarray, shape (..., n, 10)
        Two-centre integrals in the order of `INTEGRALS`; leading axes are for several operators
        (Hamiltonian, overlap) on the same pairs.

    Returns
    -------
    ndarray, shape (..., n, 9, 9)
        Rows are orbitals of the first atom; same unit as the integrals.
    """
    u = directions
    tensor_u = np.einsum("aij,nj->nai", _TENSORS, u)
    along = np.einsum("nai,ni->na", tensor_u, u)
    D = np.sqrt(1.5) * along
    P = np.sqrt(2.0) * (tensor_u - along[:, :, None] * u[:, None, :])
    DD = D[:, :, None] * D[:, None, :]
    PP = P @ P.swapaxes(1, 2)
    ss, sp, pp_sigma, pp_pi, sd, pd_sigma, pd_pi, dd_sigma, dd_pi, dd_delta = (
        integrals[..., number, None, None] for number in range(len(INTEGRALS))
    )
    blocks = np.empty((*integrals.shape[:-1], N_ORBITALS, N_ORBITALS))
    blocks[..., _S, _S] = ss[..., 0, 0]
    blocks[..., _S, _P] = sp[..., 0] * u
    blocks[..., _P, _S] = -blocks[..., _S, _P]
    blocks[..., _S, _D] = sd[..., 0] * D
    blocks[..., _D, _S] = blocks[..., _S, _D]
    blocks[..., _P, _P] = (pp_sigma - pp_pi) * (u[:, :, None] * u[:, None, :]) + pp_pi * np.eye(3)
    # seen from the other atom the bond points backwards, and p orbitals change sign
    blocks[..., _P, _D] = pd_sigma * (u[:, :, None] * D[:, None, :]) + pd_pi * P.swapaxes(1, 2)
    blocks[..., _D, _P] = -blocks[..., _P, _D].swapaxes(-1, -2)
    blocks[..., _D, _D] = (dd_sigma - dd_delta) * DD + (dd_pi - dd_delta) * PP
    blocks[..., _D, _D] += dd_delta * np.eye(5)
    return blocks


def angular_blocks(directions: FloatArray, *, onsite: bool = False) -> FloatArray:
    """Split the block between two atoms into what each two-centre integral contributes.

    Parameters
    ----------
    directions : ndarray, shape (n, 3)
        Unit vectors from the first atom to the second.
    onsite : bool
        Split the block of `onsite_blocks` instead.

    Returns
    -------
    ndarray, shape (n, 10, 9, 9)
        Block of each integral of `INTEGRALS` when it is 1 and the others are 0.
    """
    n_integrals = len(INTEGRALS)
    each = np.broadcast_to(
        np.eye(n_integrals)[:, None, :], (n_integrals, len(directions), n_integrals)
    )
    blocks = onsite_blocks if onsite else two_centre_blocks
    return np.ascontiguousarray(blocks(directions, each).swapaxes(0, 1))


def onsite_blocks(directions: FloatArray, integrals: FloatArray) -> FloatArray:
    """Compute what the potential of a neighbour adds to the block of an atom with itself.

    The angular parts are those of two-centre integrals, but for the parity: both orbitals are of
    the same atom.

    Parameters
    ----------
    directions : ndarray, shape (n, 3)
        Unit vectors from the atom to the neighbour.
    integrals : ndarray, shape (..., n, 10)
        In the order of `INTEGRALS`.

    Returns
    -------
    ndarray, shape (..., n, 9, 9)
        Symmetric; same unit as the integrals.
    """
    blocks = two_centre_blocks(directions, integrals)
    blocks[..., _P, _S] *= -1.0
    blocks[..., _D, _P] *= -1.0
    return blocks
