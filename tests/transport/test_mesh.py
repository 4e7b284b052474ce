"""Meshes of wave vectors do not depend on how the cell is written, and know their error."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transport.junctions import chain, disordered, slab_junction

from nanogap.errors import StructureError
from nanogap.transport.compute import compute_transmission
from nanogap.transport.mesh import common_mesh, plane_mesh


def skewed(junction, turns, *, swapped=False):
    """The same crystal, its second cell vector a2 + turns * a1; or the two exchanged."""
    changed = junction.copy()
    changed.cell[1] += turns * changed.cell[0]
    if swapped:
        changed.cell[:2] = changed.cell.array[[1, 0]]
    return changed


@settings(deadline=None)
@given(turns=st.integers(-9, 9), swapped=st.booleans(), mesh=st.sampled_from(["auto", "paper"]))
def test_named_meshes_do_not_depend_on_the_cell_vectors(turns, swapped, mesh):
    junction = slab_junction(3)
    other = skewed(junction, turns, swapped=swapped)
    found = common_mesh([other], mesh)
    assert sorted(found.counts) == sorted(common_mesh([junction], mesh).counts)
    # as fractions of the plain cell they are a mesh of so many rows in three directions
    plain = found.points @ np.linalg.inv(other.cell.array[:2, :2]).T
    fractions = plain @ junction.cell.array[:2, :2].T % 1.0
    for vector in ((1, 0), (0, 1), (1, -1)):
        rows = np.unique(np.round(fractions @ vector % 1.0, 6) % 1.0)
        assert len(rows) >= min(found.counts)


@pytest.mark.parametrize("turns", [5])
def test_the_transmission_does_not_depend_on_the_cell_vectors(turns):
    """Found with a2 + N a1 of the documented contact: 0.76 to 1.11 where 0.98 is right."""
    junction = disordered(2, width=1, size=1, gap_layers=2)
    plain = compute_transmission(junction, kpoints="auto")
    other = compute_transmission(skewed(junction, turns), kpoints="auto")
    assert plain.sizes["k"] == other.sizes["k"] == 289
    apart = abs(plain["transmission_average"] - other["transmission_average"]).item()
    assert apart < 0.01
    assert apart <= plain["kpoint_error"].item()
    np.testing.assert_allclose(plain["kpoint_error"], other["kpoint_error"], rtol=0.5)


@pytest.mark.parametrize("turns", [-4])
def test_even_turns_leave_every_point_the_same(turns):
    junction = disordered(2, width=1, size=1, gap_layers=2)
    values = [
        compute_transmission(skewed(junction, n), kpoints="auto")["transmission"].values.ravel()
        for n in (0, turns)
    ]
    np.testing.assert_allclose(*values, atol=1e-9)


def test_cells_that_are_skewed_differently_share_no_mesh():
    junction = slab_junction(2)
    with pytest.raises(StructureError, match="skewed differently: split the file"):
        common_mesh([junction, skewed(junction, 3)], "auto")
    assert common_mesh([junction, skewed(junction, 3)], (2, 2)).counts == (2, 2)


def sampled(values, counts):
    """A function of the zone, given on a fine shifted mesh, on a coarser one by its waves."""
    fine = len(values)
    places = np.rint(np.fft.fftfreq(fine, 1.0 / fine))
    half = np.exp(-1j * np.pi * places / fine)
    waves = np.fft.fft2(values) / fine**2 * half[:, None] * half
    kept = np.abs(places) < fine / 2
    one, two = (
        np.exp(2j * np.pi * np.outer((np.arange(count) + 0.5) / count, places[kept]))
        for count in counts
    )
    return (one @ waves[np.ix_(kept, kept)] @ two.T).real


#: T(k) at the Fermi energy of twelve junctions on 18 x 18 to 36 x 36 points, half a step off Γ:
#: ``d2_N`` is disordered(N, width=2, size=4), ``d3_N`` disordered(N, width=3, size=9), ``slab1``
#: and ``slab1gap`` one atom per plane, without and with a plane missing, ``doc`` the contact of
#: docs/junction-format.md, ``tips3`` two tips of three and one atoms.
FINE = Path(__file__).with_name("transmission_of_k.npz")
WIDTHS = {"slab1": 2.98, "slab1gap": 2.98, "doc": 8.82, "tips3": 8.68}


def test_the_estimate_is_above_the_true_error():
    """Of meshes that span 20 Å and more, square or not, in 98 of 100 cases."""
    above, ratios = [], []
    with np.load(FINE) as content:
        tables = {name: content[name].astype(np.float64) for name in content}
    for name, values in tables.items():
        width = WIDTHS.get(name, 5.96 if name.startswith("d2") else 8.94)
        cell = width * np.array([[1.0, 0.0], [0.5, np.sqrt(0.75)]])
        for less in np.ndindex(len(values) // 2, len(values) // 2):
            counts = (less[0] + 1, less[1] + 1)
            if min(counts) * width < 20.0:
                continue
            mesh = replace(plane_mesh(counts, periodic=(True, True)), cell=cell)
            points = sampled(values, counts).ravel()
            error, estimate = abs(points.mean() - values.mean()), mesh.error(points)
            above.append(estimate >= error)
            ratios.append(estimate / max(error, 1e-4))
    assert len(above) > 500
    assert np.mean(above) > 0.98
    assert np.median(ratios) < 12.0


@pytest.mark.validation
def test_the_tables_are_those_of_the_engine():
    with np.load(FINE) as content:
        values = content["d2_1"]
    dataset = compute_transmission(disordered(1, width=2, size=4), kpoints=(24, 24))
    np.testing.assert_allclose(dataset["transmission"].values.ravel(), values.ravel(), atol=1e-5)


def test_a_single_point_is_trusted_less_than_its_neighbours():
    """Of a cell wider than 50 Å the automatic mesh has one point: its error was not a number."""
    wide = common_mesh([slab_junction(1)], (1, 1))
    assert wide.error(np.array([0.8])) == pytest.approx(0.8)
    cell = np.diag([60.0, 60.0])
    error = replace(wide, cell=cell).error(np.array([0.8]))
    assert error == pytest.approx(0.08)


def test_the_documented_contact_is_no_longer_trusted_too_much():
    """Six points a side, half a step off Γ, do not see the waves that they get wrong."""
    mesh = plane_mesh((6, 6), periodic=(True, True))
    k1, k2 = mesh.points.T
    hidden = 1.0 + 0.1 * np.cos(2 * np.pi * 3 * k1)  # vanishes on the points
    assert np.ptp(hidden) == pytest.approx(0.0, abs=1e-9)
    assert mesh.error(hidden + 0.05 * np.cos(2 * np.pi * 2 * k2)) > 0.015


@settings(deadline=None)
@given(
    counts=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    turns=st.integers(-5, 5),
    centred=st.booleans(),
    seed=st.integers(0, 99),
)
def test_an_error_is_a_number_wherever_a_mean_is(counts, turns, centred, seed):
    junction = skewed(slab_junction(2), turns)
    for mesh in (
        common_mesh([junction], counts, gamma_centred=centred),
        common_mesh([chain(2.9)], counts),
    ):
        error = mesh.error(np.random.default_rng(seed).uniform(0.0, 2.0, len(mesh.points)))
        assert np.isfinite(error)
        assert (error > 0.0) == any(mesh.periodic)
