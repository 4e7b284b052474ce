"""Rough needles: atoms moved at the start, by the seed."""

import numpy as np
import pytest

from nanogap.device.device import Device
from nanogap.device.labels import electrodes, label_metal
from nanogap.device.lattice import FLOATING, LOWER, METAL, UPPER
from nanogap.device.needles import build_needles
from nanogap.device.parts import make_tips
from nanogap.device.roughness import coordination, roughen
from nanogap.errors import StructureError
from nanogap.settings.device import load_device_settings

CONSTANT = 4.09
NEEDLES = {
    "lattice_constant": CONSTANT,
    "base_width": 24.0,
    "height": 12.0,
    "apex_width": 6.0,
    "fixed_layers": 2,
    "margin": 6.0,
}


def labels_of(tips, metal):
    states = np.where(metal, METAL, 0).astype(np.uint8)
    return label_metal(tips.lattice, states, *electrodes(tips.lattice, tips.fixed)).labels


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
def test_each_needle_keeps_its_atoms_and_the_gap_stays_open(seed, share):
    # the narrowest gap there is: one empty layer, whose sites touch both needles
    tips = build_needles(gap=4.8, **NEEDLES)
    metal = roughen(tips, share, np.random.default_rng(seed))
    before, after = labels_of(tips, tips.metal), labels_of(tips, metal)
    for electrode in (LOWER, UPPER):
        assert (after == electrode).sum() == (before == electrode).sum()
    assert not (after == FLOATING).any()
    assert metal[tips.fixed].all()
    surface = tips.metal & ~tips.fixed & (coordination(tips.lattice, tips.metal) < 12)
    left = tips.metal & ~metal
    # a site that one atom left may be taken by another
    assert 0.5 * share * surface.sum() < left.sum() <= round(share * surface.sum())
    assert not (left & ~surface).any()


def test_the_seed_alone_decides():
    settings = load_device_settings("device-quick", ["geometry.roughness=0.05"])
    first, again = (make_tips(settings, CONSTANT).metal for _ in range(2))
    np.testing.assert_array_equal(first, again)
    other = make_tips(settings.model_copy(update={"seed": 99}), CONSTANT).metal
    assert (first != other).any()
    one, two = (
        make_tips(member, CONSTANT).metal
        for member in load_device_settings(settings, ["devices.number=2"]).members()
    )
    assert (one != two).any()


def test_other_random_streams_are_as_without_roughness():
    smooth, rough = (
        Device(
            load_device_settings(
                "device-quick",
                {
                    "geometry.roughness": share,
                    "conductance.cache": "none",
                    "conductance.kpoints": 1,
                    "conductance.cell_widths": [4],
                },
            )
        )
        for share in (0.0, 0.1)
    )
    assert [s.generate_state(2).tolist() for s in smooth.meter_seeds()] == [
        s.generate_state(2).tolist() for s in rough.meter_seeds()
    ]
    assert (smooth.tips.metal != rough.tips.metal).any()
    np.testing.assert_array_equal(rough.engine.state.occupation == METAL, rough.tips.metal)


def test_more_moves_than_there_are_is_refused():
    # apexes of three atoms and nothing else: one of them always holds on to the base
    tips = build_needles(gap=9.4, **NEEDLES | {"height": 2.4, "base_width": 6.0, "margin": 6.0})
    with pytest.raises(StructureError, match="smaller"):
        roughen(tips, 1.5, np.random.default_rng(1))
