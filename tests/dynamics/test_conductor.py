"""A metal under voltage: charges of plates and spheres, forces, balance, and what a run asks."""

import re

import numba
import numpy as np
import pytest
from scipy.optimize import brentq
from tests.dynamics.native.frames import shaken
from tests.dynamics.plates import Plates, discs

from nanogap.dynamics.constant_potential import WIDTH_PER_BOND, ChargedEmbeddedAtoms, charge_width
from nanogap.dynamics.embedded_atom import load_embedded_atom
from nanogap.dynamics.embedded_functions import load_functions
from nanogap.dynamics.engine import Engine
from nanogap.dynamics.native.conductor import Conductor
from nanogap.dynamics.native_engine import NativeEngine
from nanogap.dynamics.simulation import Simulation
from nanogap.dynamics.start import build_tips
from nanogap.errors import SettingsError
from nanogap.settings import DynamicsSettings, load_settings, settings_from_text
from nanogap.structure import build_pyramids
from nanogap.units import COULOMB

SILVER = load_functions("Ag")
WIDTH = charge_width(SILVER)
VOLTAGE = 8.0
EAM = DynamicsSettings(engine="eam", temperature=800.0, time_step=4.0)
SMALL = {
    "dynamics.engine": "eam",
    "voltage.mode": "constant-potential",
    "structure.base_width": 12.0,
    "structure.height": 5.0,
    "structure.apex_width": 6.0,
}


def tips(gap):
    """Two tips of about 130 atoms."""
    return build_pyramids(
        lattice_constant=4.09,
        base_width=12.0,
        height=5.0,
        apex_width=6.0,
        gap=gap,
        fixed_layers=1,
        vacuum=12.0,
        element="Ag",
    )


def potential_of(atoms, voltage=VOLTAGE):
    return np.where(atoms.positions[:, 2] > atoms.cell[2, 2] / 2.0, voltage / 2, -voltage / 2)


def engine_of(atoms, voltage=VOLTAGE, **changes):
    settings = EAM.model_copy(update=changes)
    engine = NativeEngine(atoms, settings, load_embedded_atom("Ag"), seed=3)
    engine.set_potential(potential_of(atoms, voltage))
    return engine


def metal_of(atoms, potential, tolerance=1e-11):
    metal = ChargedEmbeddedAtoms(SILVER, len(atoms), 0, tolerance)
    metal.potential = potential
    metal.compute(atoms.positions, again=True)
    return metal


def test_the_width_puts_the_charge_into_the_outermost_plane():
    """Of any fcc metal: there is one length."""

    def offset(width_per_bond, lattice_constant, gap=10.0):
        width = width_per_bond * lattice_constant / np.sqrt(2.0)
        plates = Plates(lattice_constant, width, gap)
        charge = plates.charges(VOLTAGE)[plates.layers :].sum()
        return plates.ideal_charge(VOLTAGE) * gap / charge - gap

    for lattice_constant in (4.09, 3.615):
        found = brentq(offset, 0.12, 0.15, args=(lattice_constant,))
        assert found == pytest.approx(WIDTH_PER_BOND, abs=1e-6)


@pytest.mark.parametrize("gap", [5.0, 8.3, 20.0])
@pytest.mark.parametrize("strain", [1.0, 1.02])
def test_infinite_plates_are_a_capacitor(gap, strain):
    """With the width of the metal at rest, and thermal expansion: charge, layer, force."""
    plates = Plates(4.09 * strain, WIDTH, gap)
    charges = plates.charges(VOLTAGE)
    total = charges[plates.layers :].sum()
    assert total == pytest.approx(plates.ideal_charge(VOLTAGE), rel=0.007)
    assert charges[plates.layers] / total == pytest.approx(1.0, abs=0.01)
    step = 1e-3
    energies = [
        0.5 * VOLTAGE * moved.charges(VOLTAGE)[moved.layers :].sum()
        for moved in (Plates(4.09 * strain, WIDTH, gap + shift) for shift in (-step, step))
    ]
    # at constant voltage the force is the derivative of the energy, and half of the source's work
    force = (energies[0] - energies[1]) / (2.0 * step)
    assert force == pytest.approx(plates.ideal_force(VOLTAGE), rel=0.014)


@pytest.mark.parametrize(("gap", "radius"), [(5.0, 25.0), (10.0, 35.0), (20.0, 45.0)])
def test_the_middle_of_wide_plates_in_an_open_box_is_that_of_infinite_ones(gap, radius):
    positions, planes = discs(4.09, gap, radius)
    conductor = Conductor(len(positions), 0, WIDTH, 1e-9)
    conductor.potential = np.where(planes > 1, VOLTAGE / 2, -VOLTAGE / 2)
    conductor.compute(positions, again=True)
    forces = conductor.forces(positions, 0)
    middle = np.hypot(positions[:, 0], positions[:, 1]) < radius / 4.0
    plates = Plates(4.09, WIDTH, gap, layers=2)
    for plane, sign in ((1, -1.0), (2, 1.0)):
        chosen = middle & (planes == plane)
        charge = conductor.charges[chosen].mean()
        assert charge == pytest.approx(plates.charges(VOLTAGE)[plane], rel=5e-4)
        assert charge == pytest.approx(sign * plates.ideal_charge(VOLTAGE), rel=1e-3)
        pull = forces[chosen, 2].mean()
        assert pull == pytest.approx(-sign * plates.ideal_force(VOLTAGE), rel=3e-3)
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-11)


@pytest.mark.parametrize(("radius", "shortfall"), [(9.0, 0.13), (16.0, 0.07)])
def test_a_charged_ball_is_a_charged_sphere(radius, shortfall):
    """Its capacitance is that of its surface; its own repulsion is below that of a sphere."""
    steps = np.arange(-8, 9)
    sites = np.array([(i, j, k) for i in steps for j in steps for k in steps])
    sites = sites[sites.sum(axis=1) % 2 == 0] * 4.09 / 2.0
    positions = sites[np.linalg.norm(sites, axis=1) < radius]
    conductor = Conductor(len(positions), 0, WIDTH, 1e-10)
    conductor.history = np.full((1, len(positions)), 3.0 / len(positions))
    conductor.compute(positions, again=True)
    charges, distances = conductor.charges, np.linalg.norm(positions, axis=1)
    assert charges.sum() == pytest.approx(3.0, abs=1e-12)
    effective = COULOMB * 3.0**2 / (2.0 * conductor.energy())
    assert effective == pytest.approx(charges @ distances / 3.0, rel=0.01)
    assert abs(charges[distances < radius - 3.0].sum()) < 0.03
    # of a sphere the sum of forces times places is the energy
    virial = (conductor.forces(positions, 0) * positions).sum() / conductor.energy()
    assert 1.0 - shortfall < virial < 1.0


def test_forces_are_the_negative_gradient_of_the_energy_that_the_charges_minimise():
    atoms = shaken(tips(4.5), 0.15)
    potential = potential_of(atoms) + 0.1 * np.sin(np.arange(len(atoms)))
    forces = metal_of(atoms, potential).all_forces(atoms.positions)
    for atom, axis in ((0, 2), (40, 0), (len(atoms) // 2, 1), (len(atoms) - 1, 2)):
        energies = []
        for shift in (-1e-4, 1e-4):
            moved = atoms.copy()
            moved.positions[atom, axis] += shift
            metal = metal_of(moved, potential)
            energies.append(metal.energy(moved.positions) - potential @ metal.charges)
        slope = (energies[1] - energies[0]) / 2e-4
        assert forces[atom, axis] == pytest.approx(-slope, abs=2e-6)


def test_a_bridge_has_the_potential_that_falls_along_it():
    atoms = shaken(tips(3.1), 0.1)
    height = atoms.positions[:, 2]
    potential = np.interp(height, [height.min() + 6.0, height.max() - 6.0], [-4.0, 4.0])
    metal = metal_of(atoms, potential)
    found = metal.conductor._times(metal.charges)  # noqa: SLF001
    np.testing.assert_allclose(found - found[0], potential - potential[0], atol=1e-8)


def test_without_voltage_it_is_the_embedded_atom_method(tmp_path):
    atoms = shaken(tips(4.0), 0.1)
    ours = engine_of(atoms, voltage=0.0, temperature=0.0)
    theirs = Engine(
        atoms, EAM.model_copy(update={"temperature": 0.0}), load_embedded_atom("Ag"), tmp_path, 1
    )
    for engine in (ours, theirs):
        engine.advance(0)
    np.testing.assert_allclose(ours.forces, theirs.forces, atol=3e-7)
    assert ours.potential_energy == pytest.approx(theirs.potential_energy, rel=1e-7)
    for engine in (ours, theirs):
        engine.advance(40)
    np.testing.assert_allclose(ours.positions, theirs.positions, atol=2e-5)
    assert (ours.charges == 0.0).all()
    theirs.close()


def test_energy_less_the_work_of_the_source_is_conserved():
    """Bounded by 1 ueV/atom/ps, that is 1 meV/atom/ns, and the noise of so short a run."""
    atoms = tips(9.0)
    engine, potential = engine_of(atoms), potential_of(atoms)
    engine.advance(400)
    engine.free_motion()
    times, energies = [], []
    for _ in range(125):
        engine.advance(8)
        times.append(engine.step * 0.004)
        energy = engine.kinetic_energy + engine.potential_energy - potential @ engine.charges
        energies.append(energy / len(atoms) * 1e6)
    drift, offset = np.polyfit(times, energies, 1)
    fluctuation = np.std(energies - np.polyval((drift, offset), times))
    assert abs(drift) < 1.0 + 3.0 * fluctuation / np.ptp(times) / np.sqrt(len(times) / 12.0)
    assert fluctuation < 60.0
    assert np.abs(engine.charges).max() > 0.05


def test_a_piece_that_floats_keeps_its_charge_and_the_balance_closes_when_it_is_wired():
    atoms = tips(9.0)
    atoms.positions[-1] = atoms.cell.lengths() / 2.0 + [0.0, 0.0, 1.0]
    engine, wired = engine_of(atoms, charge_tolerance=1e-12), potential_of(atoms)
    pieces = np.zeros(len(atoms), dtype=np.int64)
    pieces[-1] = 1
    engine.set_potential(wired, pieces)
    engine.advance(0)
    assert engine.charges[-1] == 0.0
    before = engine.charges, engine.potential_energy, wired + engine.potential_shift
    # between the tips, nearer to the upper one
    assert 0.0 < before[2][-1] < VOLTAGE / 2
    assert (engine.potential_shift[:-1] == 0.0).all()
    again = engine_of(atoms, charge_tolerance=1e-12)
    again._metal.history = engine._metal.history  # noqa: SLF001
    again.advance(0)
    gained = again.charges - before[0]
    assert gained[-1] > 0.1
    work = (before[2] + wired) / 2.0 @ gained
    assert again.potential_energy - before[1] == pytest.approx(work, abs=1e-9)


def test_an_atom_alone_in_the_gap_of_a_run_stays_neutral_and_floats():
    settings = load_settings(
        "quick",
        SMALL
        | {
            "dynamics.equilibration_time": 0.0,
            "dynamics.sampling_interval": 40.0,
            "dynamics.contact_sampling_interval": 0.0,
        },
    )
    atoms = tips(10.0)
    alone = np.flatnonzero(atoms.arrays["electrode"] == "mobile")[0]
    atoms.positions[alone] = atoms.cell.lengths() / 2.0
    with Simulation(atoms, settings) as simulation:
        frame = simulation.run(20)[-1]
    assert frame.get_charges()[alone] == pytest.approx(0.0, abs=1e-12)
    assert 0.0 < abs(frame.arrays["potential"][alone]) < 2.0
    assert frame.info["charge_top"] > 0.5


def test_the_balance_of_a_run_closes_while_a_bridge_forms():
    settings = load_settings(
        "quick",
        SMALL
        | {
            "structure.gap": 4.2,
            "dynamics.equilibration_time": 0.0,
            "dynamics.sampling_interval": 40.0,
            "dynamics.contact_sampling_interval": 0.0,
        },
    )
    with Simulation(build_tips(settings, lattice_constant=4.09), settings) as simulation:
        frames = simulation.run(120)
    balance = [frame.info["energy_balance"] + frame.info["thermostat_energy"] for frame in frames]
    assert not frames[0].info["connected"]
    assert frames[-1].info["connected"]
    assert np.ptp([frame.info["bias_work"] for frame in frames]) > 0.5
    assert np.ptp(balance) < 2e-4 * len(frames[0])


def test_an_interrupted_simulation_goes_on_to_the_same_bits_with_any_number_of_threads(tmp_path):
    settings = load_settings(
        "quick",
        SMALL
        | {
            "dynamics.equilibration_time": 40.0,
            "dynamics.sampling_interval": 40.0,
            "dynamics.contact_sampling_interval": 0.0,
        },
    )
    atoms = build_tips(settings, lattice_constant=4.09)
    with Simulation(atoms, settings) as whole:
        frames = whole.run(40, checkpoints=tmp_path)
        assert whole.engine_version.startswith("native ")
    (middle,) = tmp_path.glob("step-20")
    threads = min(2, numba.config.NUMBA_NUM_THREADS)
    shared = load_settings(settings, {"dynamics.threads": threads})
    with Simulation(atoms, shared, seed=5) as resumed:
        resumed.load(middle)
        again = resumed.run(20)
    for one, another in zip(frames[-len(again) :], again, strict=True):
        np.testing.assert_array_equal(one.positions, another.positions)
        np.testing.assert_array_equal(one.get_charges(), another.get_charges())
        assert one.info["potential_energy"] == another.info["potential_energy"]
        assert one.info["bias_work"] == another.info["bias_work"]
    assert (frames[0].get_charges() == 0.0).all()
    assert frames[-1].info["charge_top"] > 0.1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[voltage]\nmode = "constant-potential"', "is for dynamics.engine = 'eam', and 'reaxff'"),
        (
            '[dynamics]\nengine = "native"\n[voltage]\nmode = "constant-potential"',
            "is for dynamics.engine = 'eam', and 'native' has charges of its own",
        ),
        (
            '[dynamics]\nengine = "eam"\nprocesses = 2\n[voltage]\nmode = "constant-potential"',
            "dynamics.processes = 2 is for LAMMPS, which voltage.mode = 'constant-potential' does",
        ),
        (
            '[dynamics]\nengine = "eam"\n[voltage]\napplied = 2.0',
            "set voltage.applied = 0, voltage.mode = 'constant-potential', or",
        ),
        ('[dynamics]\nengine = "eam"\nthreads = 2\n[voltage]\napplied = 0.0', "threads = 2 is for"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(text, sentence):
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        settings_from_text(text, "mine.toml")
