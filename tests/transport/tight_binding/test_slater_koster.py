import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from nanogap.transport.tight_binding.slater_koster import (
    INTEGRALS,
    angular_blocks,
    onsite_blocks,
    two_centre_blocks,
)

SEEDS = st.integers(0, 2**32 - 1)


def directions(rng, n):
    vectors = rng.normal(size=(n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def real_harmonics(u):
    """s, p and d orbitals normalised alike, at unit vectors (n, 3) -> (n, 9)."""
    x, y, z = u.T
    p = np.sqrt(3.0) * u
    d = np.sqrt(15.0) * np.stack(
        [x * y, y * z, (3 * z**2 - 1) / np.sqrt(12.0), z * x, (x**2 - y**2) / 2.0], axis=1
    )
    return np.concatenate([np.ones((len(u), 1)), p, d], axis=1)


def orbital_rotation(matrix, rng):
    """How the nine orbitals turn when space does, from their values on a sphere, (9, 9)."""
    u = directions(rng, 200)
    return np.linalg.lstsq(real_harmonics(u), real_harmonics(u @ matrix), rcond=None)[0]


def test_bond_along_z_is_diagonal_in_angular_momentum():
    integrals = np.arange(1.0, 11.0)[None]
    ss, sp, pps, ppp, sd, pds, pdp, dds, ddp, ddd = integrals[0]
    expected = np.diag([ss, ppp, ppp, pps, ddd, ddp, dds, ddp, ddd])
    for row, column, value in ((0, 3, sp), (3, 6, pds), (1, 7, pdp), (2, 5, pdp)):
        expected[row, column], expected[column, row] = value, -value
    expected[0, 6] = expected[6, 0] = sd
    block = two_centre_blocks(np.array([[0.0, 0.0, 1.0]]), integrals)[0]
    np.testing.assert_allclose(block, expected, atol=1e-14)


@pytest.mark.validation
def test_matches_the_published_table():
    # entries of table I of Slater & Koster, doi:10.1103/PhysRev.94.1498
    direction = np.array([0.48, -0.6, 0.64])
    k, m, n = direction
    V = dict(zip(INTEGRALS, np.random.default_rng(0).normal(size=10), strict=True))
    block = two_centre_blocks(direction[None], np.array([list(V.values())]))[0]
    s, x, y, xy, yz, z2, x2 = 0, 1, 2, 4, 5, 6, 8
    root3 = np.sqrt(3.0)
    expected = {
        (s, x): k * V["sp_sigma"],
        (s, xy): root3 * k * m * V["sd_sigma"],
        (s, z2): (n**2 - (k**2 + m**2) / 2) * V["sd_sigma"],
        (x, y): k * m * (V["pp_sigma"] - V["pp_pi"]),
        (x, xy): root3 * k**2 * m * V["pd_sigma"] + m * (1 - 2 * k**2) * V["pd_pi"],
        (x, x2): root3 / 2 * k * (k**2 - m**2) * V["pd_sigma"] + k * (1 - k**2 + m**2) * V["pd_pi"],
        (xy, xy): 3 * k**2 * m**2 * V["dd_sigma"]
        + (k**2 + m**2 - 4 * k**2 * m**2) * V["dd_pi"]
        + (n**2 + k**2 * m**2) * V["dd_delta"],
        (xy, yz): 3 * k * m**2 * n * V["dd_sigma"]
        + k * n * (1 - 4 * m**2) * V["dd_pi"]
        + k * n * (m**2 - 1) * V["dd_delta"],
    }
    for (row, column), value in expected.items():
        assert block[row, column] == pytest.approx(value, abs=1e-14)


@given(SEEDS)
def test_blocks_turn_with_the_bond(seed):
    rng = np.random.default_rng(seed)
    u, integrals = directions(rng, 3), rng.normal(size=(3, 10))
    matrix = Rotation.random(random_state=seed).as_matrix()
    turn = orbital_rotation(matrix, rng)
    turned = two_centre_blocks(u @ matrix.T, integrals)
    expected = turn @ two_centre_blocks(u, integrals) @ turn.T
    np.testing.assert_allclose(turned, expected, atol=1e-11)


@given(SEEDS)
def test_the_bond_seen_from_the_other_atom_is_the_transpose(seed):
    rng = np.random.default_rng(seed)
    u, integrals = directions(rng, 4), rng.normal(size=(2, 4, 10))
    there, back = two_centre_blocks(u, integrals), two_centre_blocks(-u, integrals)
    np.testing.assert_allclose(back, there.swapaxes(-1, -2), atol=1e-14)


def test_angular_blocks_are_the_parts_of_a_block():
    rng = np.random.default_rng(1)
    u, integrals = directions(rng, 5), rng.normal(size=(5, 10))
    total = np.einsum("nm,nmab->nab", integrals, angular_blocks(u))
    np.testing.assert_allclose(total, two_centre_blocks(u, integrals), atol=1e-14)


def test_a_neighbour_along_z_splits_the_levels_of_an_atom_by_angular_momentum():
    integrals = np.arange(1.0, 11.0)[None]
    block = onsite_blocks(np.array([[0.0, 0.0, 1.0]]), integrals)[0]
    seen = two_centre_blocks(np.array([[0.0, 0.0, 1.0]]), integrals)[0]
    # both orbitals are of one atom: what a bond has with opposite signs has one here
    np.testing.assert_allclose(block, np.triu(seen) + np.triu(seen, 1).T)


@given(SEEDS)
def test_the_crystal_field_turns_with_the_neighbour_and_is_symmetric(seed):
    rng = np.random.default_rng(seed)
    matrix = Rotation.random(random_state=seed).as_matrix()
    turn = orbital_rotation(matrix, rng)
    u, integrals = directions(rng, 3), rng.normal(size=(3, 10))
    blocks = onsite_blocks(u, integrals)
    np.testing.assert_allclose(blocks, blocks.swapaxes(1, 2), atol=1e-13)
    np.testing.assert_allclose(
        onsite_blocks(u @ matrix.T, integrals), turn @ blocks @ turn.T, atol=1e-9
    )


def test_a_cube_of_neighbours_splits_d_levels_into_three_and_two():
    """And leaves those of p together: t2g and e_g of a cubic crystal field."""
    u = np.array([(1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0), (0, 0, 1), (0, 0, -1)], dtype=float)
    integrals = np.tile(np.random.default_rng(0).normal(size=10), (6, 1))
    total = onsite_blocks(u, integrals).sum(axis=0)
    np.testing.assert_allclose(total, np.diag(np.diag(total)), atol=1e-12)
    s, *p = np.diag(total)[:4]
    xy, yz, z2, zx, x2 = np.diag(total)[4:]
    ss, _, pp_sigma, pp_pi, *_, dd_sigma, dd_pi, dd_delta = integrals[0]
    assert s == pytest.approx(6 * ss)
    assert p == pytest.approx([2 * pp_sigma + 4 * pp_pi] * 3)
    assert [xy, yz, zx] == pytest.approx([4 * dd_pi + 2 * dd_delta] * 3)
    assert [z2, x2] == pytest.approx([3 * dd_sigma + 3 * dd_delta] * 2)
