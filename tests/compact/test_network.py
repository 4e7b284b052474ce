"""Networks of fitted junctions obey Kirchhoff's laws, and the page says what its data say."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from nanogap.compact import FittedModel, PointContact
from nanogap.units import CONDUCTANCE_QUANTUM

if not os.environ.get("CI"):
    pytest.importorskip("mnns")

import mnns
from docs.build import (
    network_demo,
    network_drive,
    network_findings,
    network_stand_in,
    network_wires,
    page_tables,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"
DATA = json.loads((DOCS / "data" / "network-demo.json").read_text(encoding="utf-8"))
PAGE = (DOCS / "compact-network.md").read_text(encoding="utf-8")
RAMP = network_drive.Ramp(rate=1e-6, duration=100.0, readings=100, limit=20.0)
POTENTIATION = network_stand_in.MODELS[1]


def driven(model, wires, ramp=RAMP, tolerance=network_drive.TOLERANCE):
    network = network_demo.network_of(FittedModel.of(model), wires, 0, drawn=False)
    return network_drive.drive(network, ramp, tolerance)


def effective_resistance(wires, conductance):
    """Klein and Randić, J. Math. Chem. 12, 81 (1993), doi:10.1007/BF01164627."""
    inverse = np.linalg.pinv(wires.laplacian(conductance))
    apart = np.zeros(len(inverse))
    apart[[wires.source, wires.drain]] = [1.0, -1.0]
    return apart @ inverse @ apart


@pytest.mark.parametrize("seed", [1, 2])
def test_a_network_conducts_as_its_laplacian_and_memnnetsim_say(seed):
    """The junctions of any state, and all of them closed; all currents add up to nothing."""
    wires = network_wires.between_electrodes(seed)
    network = network_wires.thrown(seed)
    drawn = 10.0 ** np.random.default_rng(seed).uniform(-7.0, -4.0, len(wires.ends))
    for conductance in (drawn, np.full(len(wires.ends), CONDUCTANCE_QUANTUM)):
        potential = wires.potentials(conductance)
        resistance = potential[wires.source]
        assert wires.imbalance(conductance, potential) < 1e-9
        assert resistance == pytest.approx(effective_resistance(wires, conductance), rel=1e-8)
        kept = [pair for pair in network.wire_junctions if pair[0] in joined(network)]
        for pair, one in zip(kept, conductance, strict=True):
            network.edges[pair]["conductance"] = one * network.units["Ron"]
        theirs = mnns.solve_drain_current(network, *network.electrodes, 1.0)
        assert theirs / network.units["Ron"] == pytest.approx(1.0 / resistance, rel=1e-6)


def joined(network):
    return mnns.get_connected_nodes(network, network.electrodes)


def test_a_chain_is_its_junction_times_their_number():
    """The same current closes each as it would alone: m times its voltage, G/m."""
    found = driven(POTENTIATION, network_wires.chain(3), tolerance=0.01)
    time = np.concatenate([[0.0], RAMP.time])
    alone = POTENTIATION.simulate(
        time, np.full(len(time), 20.0 / 3.0), limit=RAMP.rate * time + 1e-15, tolerance=1e-5
    )
    np.testing.assert_allclose(found.voltage, 3.0 * alone.voltage[1:], rtol=2e-3)
    through = alone.current[1:] / alone.voltage[1:] / CONDUCTANCE_QUANTUM
    np.testing.assert_allclose(found.conductance, through / 3.0, rtol=2e-3)


def test_parallel_chains_add_and_one_junction_short_of_them_is_all():
    """Two paths of two junctions have the conductance of one; a wire has no way round itself."""
    ends = np.array([[2, 0], [0, 3], [2, 1], [1, 3]])
    wires = network_wires.Wires(ends, np.zeros((4, 2, 2)), np.zeros((4, 2)))
    assert wires.potentials(np.full(4, 1e-4))[wires.source] == pytest.approx(1e4)
    assert wires.path(np.array([True, False, True, True])) == [2, 3]
    assert wires.path(np.array([True, False, False, True])) == []


def test_smaller_steps_change_nothing():
    """Each junction's ln G is followed within the tolerance of a step."""
    wires = network_wires.between_wires(1, 2)
    ramp = network_drive.Ramp(rate=5e-6, duration=10.0, readings=10, limit=20.0)
    once, finer = (driven(PointContact(), wires, ramp, tolerance) for tolerance in (0.02, 0.002))
    np.testing.assert_allclose(once.conductance, finer.conductance, rtol=5e-3)


def test_the_plateaus_of_a_chain_are_the_levels_parted_by_its_length():
    """Three junctions in a row, of 1, 2 and 3 G0; a model without levels has its top alone."""
    ramp = network_drive.Ramp(rate=2e-6, duration=100.0, readings=250, limit=20.0)
    wires = network_wires.chain(3)
    found = network_findings.flat_parts(driven(PointContact(), wires, ramp).conductance, 0)
    levels = {round(3.0 * one["level"]) for one in found}
    assert levels >= {2, 3}  # the first is passed within some readings
    for one in found:
        assert 3.0 * one["level"] == pytest.approx(round(3.0 * one["level"]), abs=0.1)
    none = network_findings.flat_parts(driven(POTENTIATION, wires, ramp).conductance, 0)
    assert all(one["level"] > 0.9 for one in none)


def test_a_network_of_the_page_can_be_driven_again():
    """Its first readings, with the devices of its seed."""
    for model in DATA["models"]:
        run = next(
            one
            for one in DATA["runs"]
            if (one["model"], one["way"], one["drawn"], one["seed"]) == (model, "wires", True, 2)
        )
        fitted = network_demo.read_model(DOCS / "data" / DATA["models"][model]["file"])
        wires = network_demo.wires_of("wires", 2)
        assert len(wires.ends) == run["junctions"]
        network = network_demo.network_of(fitted, wires, 2, drawn=True)
        found = network_drive.drive(network, network_demo.RAMP, until=12)
        np.testing.assert_allclose(found.conductance, run["conductance"][:12], rtol=2e-3)
        assert found.closed[9] == run["closed"][0]


def test_currents_add_up_at_every_reading_of_the_page():
    assert max(run["imbalance"] for run in DATA["runs"]) < 1e-9
    ways = {(run["way"], run["drawn"], run["seed"]) for run in DATA["runs"]}
    assert len(ways) * len(DATA["models"]) == len(DATA["runs"])


def test_plateaus_and_tables_of_the_page_are_those_of_the_data():
    assert DATA["peaks"] == network_findings.conductance_peaks(DATA["runs"])
    assert PAGE.count("<!-- table ") == len(network_findings.TABLES)
    assert page_tables.filled(PAGE, network_findings.TABLES, DATA) == PAGE


def test_the_findings_of_the_page_are_those_of_the_data():
    """Numbers of its sentences; a fit of another device changes them, and so the sentences."""
    words = " ".join(PAGE.split())
    peaks = {(p["model"], p["way"], p["drawn"]): p["positions"] for p in DATA["peaks"]}

    def told(way, drawn):
        return " and ".join(f"{one:.2f}" for one in peaks["point-contact", way, drawn])

    def share(way, drawn):
        runs = network_findings.chosen(DATA, model="point-contact", way=way, drawn=drawn)
        return f"{100 * np.mean([network_findings.flat_share(run) for run in runs]):.0f} %"

    assert f"peaks at {told('wires', False)} G₀ and {share('wires', False)} of the ramp" in words
    assert f"A chain of two has peaks at {told('chain', False)} G₀" in words
    assert f"on {share('wires', True)} of the ramp, and one peak at {told('wires', True)}" in words
    assert f"{share('electrodes', True)} of the ramp is a plateau" in words
    assert f"conducts {100 * DATA['wires_cost']:.1f} % less" in words
    fitted = "wire-statistics-potentiation"
    for way, counts, told_share in (("electrodes", (3, 6), "22 %"), ("wires", (1, 7), "30 %")):
        runs = network_findings.chosen(DATA, model=fitted, way=way, drawn=True)
        assert (
            told_share == f"{100 * np.mean([network_findings.flat_share(r) for r in runs]):.0f} %"
        )
        found = [len(run["plateaus"]) for run in runs]
        assert (min(found), max(found)) == counts
        steps = [np.diff([one["level"] for one in run["plateaus"]]) for run in runs]
        assert np.concatenate(steps).min() > 0.005
        assert np.concatenate(steps).max() < 0.155
    assert DATA["models"][fitted]["ends"] == pytest.approx([0.08, 0.99], abs=5e-3)
    for run in network_findings.chosen(DATA, model="potentiation"):
        assert run["way"] == "chain" or not run["plateaus"]
