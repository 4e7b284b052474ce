"""Frame of a moment of the dynamics: the atoms, and what is observed of them.

What only the engine knows is read at that moment. What follows from the positions takes several
times as long as a time step, and most moments that are looked at for a first contact are never
written: so it is computed by itself, of those that are.
"""

from ase import Atoms, units
from ase.calculators.singlepoint import SinglePointCalculator

from nanogap.dynamics.electrochemistry import MetalNetwork, reference_bond
from nanogap.dynamics.engines import DynamicsEngine
from nanogap.dynamics.work import BiasWork
from nanogap.frames import freed_when_dropped
from nanogap.settings import VoltageSettings
from nanogap.structure import analyse_connection, analyse_gap
from nanogap.typing import FloatArray


def frame_of(
    tips: Atoms,
    engine: DynamicsEngine,
    *,
    electrochemical: FloatArray,
    work: BiasWork,
    voltage: VoltageSettings,
    step: int,
    time: float,
) -> Atoms:
    """Read the present moment of an engine; `describe_geometry` adds the rest.

    Parameters
    ----------
    tips : ase.Atoms
        Starting structure, whose cell, arrays and ``info`` the frame has.
    engine : DynamicsEngine
        Prepared.
    electrochemical : ndarray, shape (n_atoms,)
        Electrochemical potential, V.
    work : BiasWork
        Of the source so far.
    voltage : VoltageSettings
    step : int
        Time steps since the start of the equilibration.
    time : float
        Since the voltage came on, fs.

    Returns
    -------
    ase.Atoms
    """
    atoms = tips.copy()
    atoms.positions = engine.positions
    charges = engine.charges
    atoms.set_velocities(engine.velocities / units.fs)
    atoms.new_array("potential", electrochemical.copy())
    upper = atoms.positions[:, 2] > atoms.cell[2, 2] / 2.0
    kinetic, potential = engine.kinetic_energy, engine.potential_energy
    atoms.info.update(
        time=time,
        step=step,
        applied_voltage=voltage.applied,
        temperature=engine.temperature,
        potential_energy=potential,
        kinetic_energy=kinetic,
        bias_work=work.total,
        energy_balance=kinetic + potential - work.total,
        thermostat_energy=engine.thermostat_energy,
        charge_bottom=float(charges[~upper].sum()),
        charge_top=float(charges[upper].sum()),
    )
    atoms.calc = SinglePointCalculator(atoms, energy=potential, charges=charges)
    return freed_when_dropped(atoms)


def describe_geometry(atoms: Atoms, cutoff: float) -> Atoms:
    """Add to a frame what follows from its positions and potentials, if it is not there yet.

    Parameters
    ----------
    atoms : ase.Atoms
        From `frame_of`.
    cutoff : float
        Of connected metal, angstrom.

    Returns
    -------
    ase.Atoms
        The same, as `nanogap.dynamics.simulation.Simulation.atoms` says.
    """
    if "connected" in atoms.info:
        return atoms
    electrochemical = atoms.arrays["potential"]
    connection = analyse_connection(atoms, cutoff)
    network = MetalNetwork.from_positions(atoms.positions, atoms.arrays["electrode"], cutoff)
    bond = reference_bond(atoms.info["lattice_constant"], cutoff)
    flux_top, flux_bottom = network.base_fluxes(electrochemical)
    atoms.info.update(
        connected=connection.connected,
        minimax_gap=connection.minimax_gap,
        network_conductance=network.conductance() / bond,
        flux_top=flux_top / bond,
        flux_bottom=flux_bottom / bond,
        bottleneck_atoms=len(connection.bottleneck),
        axis=connection.axis,
        constriction_x=float(connection.axis[0]),
        constriction_y=float(connection.axis[1]),
        **analyse_gap(atoms, connection).observables,
    )
    return atoms
