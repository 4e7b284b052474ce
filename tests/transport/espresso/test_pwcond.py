"""PWCOND as a backend: the real programs on a monatomic wire, and all the ways it can fail."""

import json
import shutil
from dataclasses import asdict

import numpy as np
import pytest
from ase.io import read
from tests.transport.espresso_programs import need, stand_in
from tests.transport.junctions import chain, slab_junction

from nanogap.errors import EngineError, SettingsError, StructureError
from nanogap.settings import load_accuracy
from nanogap.transport.backends.pwcond import compute_transmission
from nanogap.transport.dataset import transmission_summary
from nanogap.transport.espresso.pw import BOHR, read_result

DISTANCES = (2.65, 2.94)
ENERGIES = (0.0, -0.5)


@pytest.fixture(scope="module")
def wires(tmp_path_factory):
    """Two wires, computed once: the dataset, and its work folder."""
    need("pw.x", "pwcond.x", "ld1.x")
    work = tmp_path_factory.mktemp("work")
    dataset = compute_transmission(
        [chain(distance, n_channel=1) for distance in DISTANCES],
        ENERGIES,
        # so that tests of pwcond.x alone need no densities of their own
        settings=load_accuracy("coarse", {"keep_states": True}),
        work=work,
    )
    return dataset, work


@pytest.mark.engine
@pytest.mark.validation
def test_a_monatomic_wire_carries_one_quantum(wires):
    """One s band crosses E_F: T = 1, as the trial with the same programs found."""
    dataset, _ = wires
    np.testing.assert_allclose(dataset["transmission_average"][:, 0], 1.0, atol=0.01)
    assert (dataset["state"] == "ok").all()
    assert (dataset["open_channels"] == 1.0).all()


@pytest.mark.engine
def test_two_processes_give_what_one_gives(wires, tmp_path, monkeypatch):
    # tests may run as root, and on a single core
    for name in ("ALLOW_RUN_AS_ROOT", "ALLOW_RUN_AS_ROOT_CONFIRM", "MCA_rmaps_base_oversubscribe"):
        monkeypatch.setenv(f"OMPI_{name}", "1")
    alone, _ = wires
    dataset = compute_transmission(
        [chain(DISTANCES[0], n_channel=1)],
        ENERGIES,
        settings=load_accuracy("coarse", {"processes": 2}),
        work=tmp_path,
    )
    np.testing.assert_allclose(dataset["transmission"][0], alone["transmission"][0], atol=1e-4)
    assert "running on     2 processors" in next(tmp_path.glob("lead-*/lead.out")).read_text()


@pytest.mark.engine
def test_the_dataset_names_the_engine(wires):
    dataset, _ = wires
    assert dataset.attrs["engine_version"].startswith("Quantum ESPRESSO 6")
    accuracy = json.loads(dataset.attrs["accuracy"])
    assert (accuracy["wave_cutoff"], accuracy["density_cutoff"]) == (20.0, 120.0)
    assert dataset["wave_cutoff"].to_numpy().tolist() == [20.0] * len(DISTANCES)


@pytest.mark.engine
def test_what_is_finished_is_not_computed_again(wires, tmp_path):
    dataset, work = wires
    nothing = stand_in(tmp_path / "bin", "pw.x", "exit 1")
    settings = load_accuracy("coarse", {"programs": nothing, "keep_states": True})
    estimates = []
    again = compute_transmission(
        [chain(d, n_channel=1) for d in DISTANCES], ENERGIES, settings=settings, work=work,
        confirm=lambda seconds: estimates.append(seconds) or True,
    )  # fmt: skip
    np.testing.assert_array_equal(again["transmission"], dataset["transmission"])
    assert estimates == []


@pytest.mark.engine
def test_the_xml_file_is_read_with_its_units(wires):
    _, work = wires
    result = read_result(job_of(work, "lead", 2.65) / "lead.xml")
    assert result.weights.sum() == pytest.approx(1.0)
    assert result.kpoints.shape == (len(result.bands), 3)
    np.testing.assert_allclose(result.kpoints[:, :2], 0.0, atol=1e-9)
    assert np.abs(result.kpoints[:, 2]).max() == pytest.approx(0.5, abs=0.06)
    # six bands hold eleven electrons of one atom; the sixth, s, is half filled
    occupied = (result.bands < result.fermi_energy).mean(axis=0)
    assert occupied[:5].min() == 1.0
    assert 0.3 < result.weights @ (result.bands[:, 5] < result.fermi_energy) < 0.7
    assert result.dense_grid[0] >= result.smooth_grid[0]
    assert result.dense_grid[0] * np.pi / (8.0 / BOHR) >= np.sqrt(120.0) * 0.95


@pytest.mark.engine
def test_a_killed_program_loses_nothing_that_was_finished(tmp_path, wires):
    dataset, work = wires
    # the lead of the finished wire is there; its scattering region is killed once
    for folder in work.glob("lead-*"):
        shutil.copytree(folder, tmp_path / "work" / folder.name)
    once = f'if [ ! -e "{tmp_path}/killed" ]; then touch "{tmp_path}/killed"; kill -KILL $$; fi'
    # it then comes to the density that the real one came to
    finished = job_of(work, "ag3", 3 * 2.65)
    again = f'cp -r "{finished}/state/scattering.save" state/ && cat "{finished}/scattering.out"'
    programs = stand_in(tmp_path / "bin", "pw.x", f"{once}\nmkdir -p state && {again}")
    for name in ("pwcond.x", "ld1.x"):
        (tmp_path / "bin" / name).symlink_to(shutil.which(name))
    settings = load_accuracy("coarse", {"programs": programs})

    def compute():
        return compute_transmission(
            [chain(2.65, n_channel=1)], ENERGIES, settings=settings, work=tmp_path / "work"
        )

    with pytest.raises(EngineError, match=r"pw\.x .* was killed \(SIGKILL"):
        compute()
    resumed = compute()
    np.testing.assert_allclose(resumed["transmission"], dataset["transmission"][:1], atol=1e-6)


@pytest.mark.engine
def test_blocks_that_a_killed_pwcond_had_finished_are_kept(tmp_path, wires):
    """The second energy is cut off: the first is not computed again."""
    _, work = wires
    shutil.copytree(work, tmp_path / "work", symlinks=True)
    job = job_of(tmp_path / "work", "ag3", 3 * 2.65)
    printed = (job / "transmission.out").read_text()
    for path in job.glob("points-*/k_*.json"):
        path.unlink()
    cut = printed[: printed.index("Nchannels", printed.rindex("---  E-Ef")) + 40]
    (tmp_path / "cut.out").write_text(cut)
    programs = stand_in(tmp_path / "bin", "pwcond.x", f'cat "{tmp_path}/cut.out"; kill -KILL $$')
    (tmp_path / "bin" / "pw.x").symlink_to(shutil.which("pw.x"))
    settings = load_accuracy("coarse", {"programs": programs})
    with pytest.raises(EngineError, match=r"pwcond\.x .* was killed"):
        compute_transmission(
            [chain(2.65, n_channel=1)], ENERGIES, settings=settings, work=tmp_path / "work"
        )
    (path,) = job.glob("points-*/k_*.json")
    kept = json.loads(path.read_text())
    assert [point["state"] for point in kept.values()] == ["ok"]


def job_of(work, kind, distance):
    """Find the folder of a wire's calculation."""
    return next(
        path.parent
        for path in work.glob(f"{kind}-*/cell.extxyz")
        if read(path).cell.array[2, 2] == pytest.approx(distance)
    )


def fake_pwcond(tmp_path, wires, old, new):
    """Run the finished wire again with a pwcond.x that prints something else."""
    _, work = wires
    shutil.copytree(work, tmp_path / "work", symlinks=True)
    job = job_of(tmp_path / "work", "ag3", 3 * 2.65)
    printed = (job / "transmission.out").read_text()
    assert old in printed
    for path in job.glob("points-*/k_*.json"):
        path.unlink()
    (tmp_path / "other.out").write_text(printed.replace(old, new))
    programs = stand_in(tmp_path / "bin", "pwcond.x", f'cat "{tmp_path}/other.out"')
    (tmp_path / "bin" / "pw.x").symlink_to(shutil.which("pw.x"))
    settings = load_accuracy("coarse", {"programs": programs})
    return compute_transmission(
        [chain(2.65, n_channel=1)], ENERGIES, settings=settings, work=tmp_path / "work"
    )


@pytest.mark.engine
def test_other_channels_than_the_lead_alone_has_are_refused(tmp_path, wires):
    """Found in a trial with unlike grids: 1 channel instead of 3, flux conserved, T wrong."""
    with pytest.raises(EngineError, match=r"2 channels of the lead at E_F.*lead alone has 1"):
        fake_pwcond(tmp_path, wires, "left tip =            1", "left tip =            2")


@pytest.mark.engine
def test_a_value_that_is_not_believed_is_no_zero(tmp_path, wires):
    dataset = fake_pwcond(tmp_path, wires, "T_j, R_j =    1.0", "T_j, R_j =    1.4")
    assert np.isnan(dataset["transmission"]).all()
    assert (dataset["state"] == "flux not conserved").all()
    summary = transmission_summary(dataset)
    assert summary.transmission == [[None, None]]
    assert summary.states == [[["flux not conserved"] * 2]]
    json.dumps(asdict(summary), allow_nan=False)


def test_energies_outside_the_window_are_refused(tmp_path):
    with pytest.raises(SettingsError, match="energy -4 eV: PWCOND is trusted from -3 to 3 eV"):
        compute_transmission(
            [chain(2.65, n_channel=1)], [-4.0], settings=load_accuracy("coarse"), work=tmp_path
        )


def test_a_cell_that_does_not_match_is_refused_before_anything_runs(tmp_path):
    need("ld1.x")
    junction = slab_junction(1, gap_layers=2)
    junction.positions[junction.positions[:, 2] > 15.0, 0] += 0.5
    with pytest.raises(StructureError, match=r"junction 0: the leads .* not in register"):
        compute_transmission([junction], settings=load_accuracy("coarse"), work=tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_long_work_can_be_declined_before_it_begins(tmp_path):
    need("ld1.x")
    asked = []
    with pytest.raises(EngineError, match="was not begun"):
        compute_transmission(
            [slab_junction(3, gap_layers=2)],
            settings=load_accuracy("paper"),
            work=tmp_path / "work",
            confirm=asked.append,
        )
    assert asked[0] > 3600.0
    assert not (tmp_path / "work").exists()


def test_a_density_that_does_not_converge_is_told_with_the_remedy(tmp_path):
    need("ld1.x")
    words = "     estimated scf accuracy    <       0.5 Ry\n     convergence NOT achieved after 1\n"
    programs = stand_in(tmp_path / "bin", "pw.x", f"printf '{words}JOB DONE.'")
    (tmp_path / "bin" / "ld1.x").symlink_to(shutil.which("ld1.x"))
    settings = load_accuracy("coarse", {"programs": programs})
    with pytest.raises(EngineError, match=r"did not converge .*reached 0\.5 Ry.*mixing"):
        compute_transmission([chain(2.65, n_channel=1)], settings=settings, work=tmp_path / "work")


def test_a_truncated_xml_file_is_an_error(tmp_path):
    path = tmp_path / "pw.xml"
    path.write_text("<espresso><output>")
    with pytest.raises(EngineError, match=r"pw\.xml is not the XML file of a finished"):
        read_result(path)
