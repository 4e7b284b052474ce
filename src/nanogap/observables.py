"""The scalars of a snapshot: name, unit and meaning of each, once for the whole package.

`nanogap.dynamics.simulation.Simulation.atoms` computes them, the trajectory store keeps them,
and the stages, the report and the datasets of campaigns take their names and units from here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

#: Kinds of atoms in the array ``kind`` of a frame of a device: metal by the electrode that it is
#: joined to (in a bridge, by the electrode that fewer bonds lead to), metal joined to none, ions.
LOWER, UPPER, FLOATING, ION = range(4)


@dataclass(frozen=True)
class Observable:
    """A scalar that is known of every snapshot.

    Attributes
    ----------
    name : str
        Its key in ``info`` of a frame, in ``snapshots.jsonl`` and in datasets.
    unit : str
        As in the attribute ``units`` of a dataset; ``1`` for a count or a truth value.
    meaning : str
        As in the attribute ``long_name`` of a dataset.
    dtype : str
        Of its array over snapshots: ``float64``, ``int64`` or ``bool``.
    source : str
        What it is computed from: the ``moment`` in the protocol, the ``engine`` that moves the
        atoms, the ``network`` of connected metal, the ``connection`` between the bases
        (`nanogap.structure.Connection`), or the ``gap`` between the tips
        (`nanogap.structure.Gap`).
    """

    name: str
    unit: str
    meaning: str
    dtype: Literal["float64", "int64", "bool"]
    source: Literal["moment", "engine", "network", "connection", "gap"]


_ALL = (
    Observable("time", "fs", "time since the voltage was applied", "float64", "moment"),
    Observable("step", "1", "time steps since the start", "int64", "moment"),
    Observable(
        "applied_voltage",
        "V",
        "voltage of the top electrode against the bottom one",
        "float64",
        "moment",
    ),
    Observable("temperature", "K", "temperature of the mobile atoms", "float64", "engine"),
    Observable("potential_energy", "eV", "potential energy", "float64", "engine"),
    Observable(
        "connected", "1", "whether connected metal leads from base to base", "bool", "connection"
    ),
    Observable(
        "minimax_gap",
        "angstrom",
        "longest step of the path from base to base whose longest step is shortest",
        "float64",
        "connection",
    ),
    Observable(
        "network_conductance",
        "bonds",
        "classical conductance of the metal network, in nearest-neighbour bonds",
        "float64",
        "network",
    ),
    Observable("atoms_in_gap", "1", "atoms between the terraces", "int64", "gap"),
    Observable(
        "bottleneck_atoms", "1", "fewest atoms whose removal parts the tips", "int64", "connection"
    ),
    Observable("charge_bottom", "e", "charge of the bottom half", "float64", "engine"),
    Observable("charge_top", "e", "charge of the top half", "float64", "engine"),
    Observable("kinetic_energy", "eV", "kinetic energy", "float64", "engine"),
    Observable(
        "bias_work", "eV", "work of the voltage source since the start", "float64", "engine"
    ),
    Observable(
        "energy_balance",
        "eV",
        "kinetic and potential energy less the work of the source",
        "float64",
        "engine",
    ),
    Observable(
        "thermostat_energy",
        "eV",
        "energy that the thermostat has taken since the start",
        "float64",
        "engine",
    ),
    Observable(
        "flux_top",
        "V bonds",
        "classical current from the top base into the metal",
        "float64",
        "network",
    ),
    Observable(
        "flux_bottom",
        "V bonds",
        "classical current from the metal into the bottom base",
        "float64",
        "network",
    ),
    Observable("adatoms_bottom", "1", "adatoms of the bottom terrace", "int64", "gap"),
    Observable("adatoms_top", "1", "adatoms of the top terrace", "int64", "gap"),
    Observable(
        "islands_bottom", "1", "islands of bonded adatoms on the bottom terrace", "int64", "gap"
    ),
    Observable("islands_top", "1", "islands of bonded adatoms on the top terrace", "int64", "gap"),
    Observable("largest_island", "1", "adatoms of the largest cluster", "int64", "gap"),
    Observable("tip_distance", "angstrom", "shortest distance between the tips", "float64", "gap"),
    Observable(
        "bridge_atoms", "1", "adatoms of clusters that are bonded to both tips", "int64", "gap"
    ),
    Observable(
        "cross_section",
        "angstrom2",
        "area that the bottleneck covers, seen along the axis",
        "float64",
        "gap",
    ),
    Observable(
        "bottleneck_coordination",
        "1",
        "mean number of bonds of the atoms of the bottleneck",
        "float64",
        "gap",
    ),
    Observable(
        "constriction_x",
        "angstrom",
        "in-plane position of the constriction, x",
        "float64",
        "connection",
    ),
    Observable(
        "constriction_y",
        "angstrom",
        "in-plane position of the constriction, y",
        "float64",
        "connection",
    ),
    Observable(
        "constriction_height",
        "angstrom",
        "height of the constriction over the middle of the gap",
        "float64",
        "gap",
    ),
)

#: Every observable by its name, in the order of datasets and of the index of a trajectory.
OBSERVABLES: Mapping[str, Observable] = {one.name: one for one in _ALL}

#: Names of those that describe what lies between the tips.
GAP_OBSERVABLES = tuple(one.name for one in _ALL if one.source == "gap")

#: Names of those that tell the stages of a filament apart.
STAGE_OBSERVABLES = ("connected", "bottleneck_atoms", *GAP_OBSERVABLES)
