import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from tests.transport.junctions import chain

from nanogap.errors import EngineError
from nanogap.settings import load_accuracy
from nanogap.transport.espresso import pwcond_job
from nanogap.transport.espresso.pseudopotential import Pseudopotential, generation_input
from nanogap.transport.espresso.pwcond_job import PwcondJob
from nanogap.transport.espresso.pwcond_output import (
    check_boundaries,
    check_grids,
    parse_points,
    pwcond_input,
)
from nanogap.transport.mesh import common_mesh

CHAIN = (Path(__file__).parent / "pwcond_outputs" / "chain.out").read_text()
GAMMA = np.zeros((1, 2))
TOTAL = "E-Ef(ev), T(x2 spins) =    0.0000000   2.0000000"


def test_a_chain_has_one_open_channel_and_half_of_the_printed_transmission():
    fermi, below = parse_points(CHAIN, GAMMA)[0]
    assert (fermi.energy, below.energy) == (0.0, -1.0)
    assert fermi.channels == below.channels == 1
    assert fermi.transmission == pytest.approx(1.0)  # printed: T(x2 spins) = 2
    assert fermi.by_channel == [1.0]
    assert fermi.eigenchannels == [1.0]
    assert fermi.state == below.state == "ok"


def test_a_transmission_without_open_channel_is_zero_and_says_so():
    head, _, tail = CHAIN.partition("Nchannels of the left tip =            1")
    closed = "Nchannels of the left tip =            0\n Right moving states:\n"
    closed += "   k1(2pi/a)   k2(2pi/a)   E-Ef (eV)\n Left moving states:\n"
    closed += "   k1(2pi/a)   k2(2pi/a)   E-Ef (eV)\n\n to transmit\n"
    point = parse_points(head + closed + tail[tail.index("---  E-Ef") :], GAMMA)[0][0]
    assert (point.transmission, point.state, point.believed) == (0.0, "no open channel", True)


def test_a_missing_line_of_open_channels_is_no_zero():
    point = parse_points(CHAIN.replace(TOTAL, ""), GAMMA)[0][0]
    assert np.isnan(point.transmission)
    assert not point.believed


@pytest.mark.parametrize(
    ("old", "new", "state"),
    [
        ("   0.2499931   0.0000000   0.0000000\n", "", "matched bands missing"),
        ("Total T_j, R_j =    1.00000  0.00000", "Total T_j, R_j =    1.00000  0.31000", None),
        ("Total T_j, R_j =    1.00000  0.00000", "Total T_j, R_j =    *******  0.00000", None),
        (TOTAL, TOTAL.replace("2.0000000", "1.2000000"), "flux not conserved"),
    ],
)
def test_results_that_contradict_themselves_are_not_believed(old, new, state):
    assert old in CHAIN
    point = parse_points(CHAIN.replace(old, new, 1), GAMMA)[0][0]
    assert not point.believed
    assert state in {None, point.state}


def test_of_a_run_that_was_cut_off_the_finished_blocks_are_kept():
    second = CHAIN.index("---  E-Ef =   -1.0000000")
    for end in (second + 200, len(CHAIN) - 900):
        points = parse_points(CHAIN[:end], GAMMA).get(0, [])
        assert [point.energy for point in points] in ([0.0], [0.0, -1.0])
    assert parse_points(CHAIN[: second - 10], GAMMA) == {}  # the only block may not be whole
    assert parse_points(CHAIN[: CHAIN.index("---  E-Ef")], GAMMA) == {}
    assert parse_points("", GAMMA) == {}


def test_other_wave_vectors_than_asked_for_are_refused():
    with pytest.raises(EngineError, match="was not asked for"):
        parse_points(CHAIN, np.array([[0.25, 0.0]]))


def test_different_grids_in_the_plane_are_refused():
    check_grids(CHAIN)
    place = CHAIN.rindex("nr1s                      =           45")
    with pytest.raises(EngineError, match=r"45 x 45.*48 x 45.*wrong numbers"):
        check_grids(CHAIN[:place] + CHAIN[place:].replace("45", "48", 1))


def orbitals(atoms):
    """Print atoms as PWCOND lists its projectors; one each."""
    return "\n".join(
        f"{n:10d}        1       1        0        1   taunew({n:4d})=({x:8.4f}{y:8.4f}{z:8.4f})"
        for n, (x, y, z) in enumerate(atoms, 1)
    )


def test_projectors_that_would_be_joined_to_other_atoms_are_refused():
    plane, inner = [(0.3059, 0.1235, 0.0), (0.5559, 0.5566, 0.0)], (0.1, 0.2, 2.0)
    last = [(x, y, 4.0) for x, y, _ in plane]
    head = "----- Information about left/right lead -----\n     nocros    =    2\n"
    head += orbitals([*plane, inner, *last]) + "\n----- Information about scattering region -----\n"
    check_boundaries(head + orbitals([*plane, inner, inner, *last]))
    with pytest.raises(EngineError, match=r"lower boundary .* different orders"):
        check_boundaries(head + orbitals([*plane[::-1], inner, inner, *last]))
    with pytest.raises(EngineError, match=r"upper boundary .* different orders"):
        check_boundaries(head + orbitals([*plane, inner, inner, *last[::-1]]))


def test_wave_vectors_are_written_as_fractions_of_the_reciprocal_cell():
    cell = [[2.0, 0.0, 0.0], [1.0, np.sqrt(3.0), 0.0], [0.0, 0.0, 6.0]]
    lead = Atoms("Ag", cell=cell, pbc=True)
    text = pwcond_input(
        lead, lead, np.array([[0.5, 0.0], [0.0, 0.25]]), [0.0, -0.5],
        projection=1e-5, subslabs=3, window=1.0, state="./state",
    )  # fmt: skip
    lines = text.splitlines()
    assert [line.split() for line in lines[-5:-3]] == [
        ["0.500000000000", "0.000000000000", "1.0"],
        ["0.000000000000", "0.250000000000", "1.0"],
    ]
    assert "bdl=3.000000000000" in text
    assert lines[-2:] == ["0.000000000", "-0.500000000"]


def test_without_scattering_region_only_the_lead_is_asked_for():
    lead = Atoms("Ag", cell=[8.0, 8.0, 2.65], pbc=True)
    text = pwcond_input(
        lead, None, GAMMA, [0.0], projection=1e-5, subslabs=3, window=1.0, state="./state"
    )
    assert "ikind=0" in text
    assert "prefixs" not in text


@pytest.fixture
def stopped_job(tmp_path, monkeypatch):
    """Return a function that ends a job's pwcond.x with an output; it returns what is kept."""
    silver = Pseudopotential(
        tmp_path / "Ag.UPF", "Ag", "ultrasoft", 11.0, "PBE", 28.0, 280.0, "", 1.0
    )
    silver.path.write_text("")
    monkeypatch.setattr(pwcond_job, "find_pseudopotentials", lambda *_: {"Ag": silver})
    monkeypatch.setattr(PwcondJob, "_self_consistent", lambda *_: None)
    wire = chain(2.65, n_channel=1)

    def stop(printed):
        def run(job, scattering, *_):
            if scattering is None:
                return CHAIN
            (job.folder / "transmission.out").write_text(printed)
            raise EngineError("pwcond.x was killed")

        monkeypatch.setattr(PwcondJob, "_run", run)
        job = PwcondJob(wire, load_accuracy("coarse"), tmp_path)
        with pytest.raises(EngineError) as stopped:
            job.run(common_mesh([wire], (1, 1)), np.array([0.0, -1.0]), print)
        kept = [json.loads(file.read_text()) for file in tmp_path.rglob("k_*.json")]
        return str(stopped.value), [energy for points in kept for energy in points]

    return stop


def test_the_window_is_what_the_pseudopotential_needs(tmp_path, monkeypatch):
    """Found with copper: with 1 Ry its wires had a d band at the Fermi energy, and T = 2."""
    assert [generation_input(one).plane_window for one in ("Ag", "Au", "Cu")] == [1.0, 1.0, 2.0]
    place = tmp_path / "Ag.UPF"
    place.write_text("")
    monkeypatch.setattr(PwcondJob, "_self_consistent", lambda *_: None)
    for needed, asked, taken in ((2.0, None, 2.0), (1.0, None, 1.0), (2.0, 5.0, 5.0)):
        metal = Pseudopotential(place, "Ag", "ultrasoft", 11.0, "PBE", 28.0, 280.0, "", needed)
        monkeypatch.setattr(pwcond_job, "find_pseudopotentials", lambda *_, one=metal: {"Ag": one})
        accuracy = load_accuracy("validation", {"window": asked})
        job = PwcondJob(chain(2.65, n_channel=1), accuracy, tmp_path)
        assert job.window == taken
        windows = []

        def write(*_, window, to=windows, **__):
            to.append(window)
            raise EngineError("enough")

        monkeypatch.setattr(pwcond_job, "pwcond_input", write)
        with pytest.raises(EngineError, match="enough"):
            job.run(common_mesh([chain(2.65, n_channel=1)], (1, 1)), np.array([0.0]), print)
        assert windows == [taken]


def test_a_killed_run_leaves_its_finished_blocks(stopped_job):
    message, kept = stopped_job(CHAIN[: CHAIN.index("     PWCOND       :")])
    assert message == "pwcond.x was killed"
    assert kept == ["0.000000"]


def test_a_killed_run_on_different_grids_leaves_nothing(stopped_job):
    """Its numbers are wrong, and would be taken for results at the next start."""
    head, line, tail = CHAIN.rpartition("     nr1s                      =           45")
    message, kept = stopped_job(head + line.replace("45", "40") + tail)
    assert "the lead's grid in the plane is 45 x 45" in message
    assert kept == []
