"""From a parted wire to needles of atoms: sizes, resistances, and what is refused."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanogap.errors import SettingsError
from nanogap.settings import load_settings
from nanogap.settings.device import load_device_settings
from nanogap.wire.hand_over import hand_over_to_device, hand_over_to_dynamics, tip_radius
from nanogap.wire.result import WireResult

PARTED = WireResult(
    name="made", parted=True, melted=False, length=5000.0, diameter=60.0, contact_resistance=50.0,
    resistance=38.4, breakdown_voltage=0.54, breakdown_current=3e-3, current_density=1e12,
    breakdown_time=30.0, gap=1.5, position=2600.0, tip_radii=[1.0, 3.0], tip_bases=[0.8, 2.0],
    half_angles=[20.0, 31.0], neck_temperature=900.0, hottest=900.0, volume_change=0.0,
)  # fmt: skip
sizes = st.floats(0.1, 1e5)


@given(radius=sizes, share=st.floats(0.01, 1.0), angle=st.floats(0.0, 89.0))
def test_a_tip_begins_at_a_point_and_is_continuous_where_the_cap_ends(radius, share, angle):
    base = share * radius
    tip = (radius, base, angle)
    height = radius - math.sqrt(radius**2 - base**2)
    assert tip_radius(0.0, *tip) == 0.0
    assert tip_radius(height * (1 - 1e-9), *tip) == pytest.approx(base, rel=1e-3)
    assert tip_radius(height * (1 + 1e-9), *tip) == pytest.approx(base, rel=1e-3)
    depths = [height * part for part in (0.1, 0.5, 1.0, 2.0)]
    radii = [tip_radius(depth, *tip) for depth in depths]
    assert radii == sorted(radii)


def test_a_cone_and_a_plane_behind_the_cap():
    assert tip_radius(10.0, 1.0, 1.0, 45.0) == pytest.approx(10.0)
    assert tip_radius(10.0, 1.0, 1.0, 0.0) == pytest.approx(1.0)
    assert math.isinf(tip_radius(10.0, 1.0, 1.0, 90.0))


def test_a_device_has_the_needles_gap_and_resistances_of_the_wire():
    settings = load_device_settings("wire-current-sweep")
    made = hand_over_to_device(PARTED, settings)
    changes = made.changes
    (note,) = made.notes  # a cone that is wider than the atoms may be
    assert note.startswith("2.4 nm behind its front the wire is 5.97 nm wide; of it the middle 4.2")
    assert changes["geometry.gap"] == 15.0
    # half a layer of 2.36 Å behind the front of spheres of 10 and 30 Å
    depth = 4.09 / math.sqrt(3.0) / 2.0
    for key, radius in (("apex_width", 10.0), ("upper_apex_width", 30.0)):
        expected = 2.0 * math.sqrt(depth * (2.0 * radius - depth))
        assert changes[f"geometry.{key}"] == pytest.approx(expected, rel=1e-3)
    # 24 Å behind, the wider one is a cone that began at 20 Å
    begins = 30.0 - math.sqrt(30.0**2 - 20.0**2)
    cone = 20.0 + (24.0 - begins) * math.tan(math.radians(31.0))
    assert changes["geometry.base_width"] == 42.0
    wide = hand_over_to_device(
        PARTED, load_device_settings(settings, {"geometry.base_width": 80.0})
    )
    assert wide.changes["geometry.base_width"] == pytest.approx(2.0 * cone, rel=1e-3)
    assert wide.notes == ()
    loaded = load_device_settings(settings, changes)
    assert loaded.circuit.series.pristine == pytest.approx(2 * 50.0 + 38.4)
    assert loaded.geometry.upper_apex > loaded.geometry.apex_width


def test_what_is_not_the_wires_is_said():
    blunt = replace(PARTED, tip_radii=[5000.0, 3.0], tip_bases=[4.9, 2.0], half_angles=[90.0, 31.0])
    made = hand_over_to_device(blunt, load_device_settings("wire-current-sweep"), gap=0.7)
    assert made.changes["geometry.gap"] == 7.0
    assert made.changes["geometry.apex_width"] == made.changes["geometry.base_width"] == 42.0
    assert made.changes["geometry.upper_apex_width"] < 20.0
    yours, wide = made.notes
    assert yours == "the gap of 0.7 nm is yours; the wire left 1.5 nm"
    assert "the wire is a plane" in wide or "nm wide" in wide


@pytest.mark.parametrize(
    ("changes", "gap", "words"),
    [
        ({"gap": 0.06}, None, "narrower than atoms"),
        ({"gap": 400.0}, None, "wider than a device of atoms spans"),
        ({}, 9.0, "--gap = 9: must be from 0.4 to 5 nm"),
        ({"gap": None, "tip_radii": [], "tip_bases": [], "half_angles": []}, None, "not parted"),
    ],
)
def test_what_no_needles_span_is_refused(changes, gap, words):
    wire = replace(PARTED, **changes)
    for hand_over, settings in (
        (hand_over_to_device, load_device_settings("device-quick")),
        (hand_over_to_dynamics, load_settings("quick")),
    ):
        with pytest.raises(SettingsError, match=words):
            hand_over(wire, settings, gap)


def test_the_tips_of_dynamics_are_the_sharper_one():
    settings = load_settings("quick")
    made = hand_over_to_dynamics(PARTED, settings, gap=0.65)
    assert any("alike" in one for one in made.notes)
    loaded = load_settings(settings, made.changes)
    assert loaded.structure.gap == 6.5
    device = hand_over_to_device(PARTED, load_device_settings("wire-current-sweep"))
    assert loaded.structure.apex_width == device.changes["geometry.apex_width"]
