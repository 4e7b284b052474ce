"""The engine against plain references: rates, energies, labels, waiting times, saved states."""

# ruff: noqa: SLF001 the tables that the engine follows are private

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from nanogap.device.advance import Reason
from nanogap.device.energetics import load_energetics
from nanogap.device.engine import LatticeKMC
from nanogap.device.kernels import arrays
from nanogap.device.lattice import EMPTY, METAL, OPPOSITE, build_lattice
from nanogap.device.needles import build_needles
from nanogap.device.state import Caps
from nanogap.errors import DataFormatError, SettingsError
from nanogap.units import BOLTZMANN
from tests.device.plain_kinetics import (
    energy,
    free_metal,
    hop_rate,
    made_up_metal,
    random_states,
)

SMALL = build_lattice(4.09, 14.0, 14.0, 7)
HOT = 900.0
FEW = settings(max_examples=12, deadline=None)


def engine_of(states, fixed, lattice=SMALL, metal=None, **options):
    metal = made_up_metal() if metal is None else metal
    return LatticeKMC(lattice, states == METAL, fixed, metal, **options)


def adatom(metal, **options):
    """An atom on a terrace with nothing else that moves."""
    lattice = build_lattice(4.09, 24.0, 24.0, 8)
    states = (lattice.layer < 3) * METAL
    site = int(np.flatnonzero(lattice.layer == 3)[40])
    states[site] = METAL
    return LatticeKMC(lattice, states == METAL, lattice.layer < 3, metal, **options), site


@FEW
@given(seed=st.integers(0, 2**31), cap=st.sampled_from([math.inf, 1e9, 1e5]))
def test_every_hop_has_the_rate_that_whole_energies_say(seed, cap):
    states, fixed = random_states(SMALL, seed)
    metal = made_up_metal(seed)
    engine = engine_of(states, fixed, metal=metal, temperature=HOT, caps=Caps(metal=cap))
    random = np.random.default_rng(seed)
    for site in random.choice(np.flatnonzero((states == METAL) & ~fixed), 6, replace=False):
        rates = engine.rates_of_site(site)
        for direction in range(12):
            wanted = hop_rate(SMALL, states, site, direction, metal, HOT, cap)
            # a cap is rounded to half a meV
            assert rates[direction] == pytest.approx(wanted, rel=1e-9 if cap == math.inf else 7e-3)


@FEW
@given(seed=st.integers(0, 2**31), cap=st.sampled_from([math.inf, 1e7]))
def test_forward_and_back_differ_by_the_energy(seed, cap):
    states, fixed = random_states(SMALL, seed, filling=0.5)
    metal = made_up_metal(seed)
    options = {"metal": metal, "temperature": HOT, "caps": Caps(metal=cap)}
    before = engine_of(states, fixed, **options)
    random = np.random.default_rng(seed)
    for site in random.choice(np.flatnonzero((states == METAL) & ~fixed), 4, replace=False):
        rates = before.rates_of_site(site)[:12]
        for direction in np.flatnonzero(rates)[:2]:
            end = SMALL.neighbours[site, direction]
            hopped = states.copy()
            hopped[site], hopped[end] = EMPTY, METAL
            back = engine_of(hopped, fixed, **options).rates_of_site(end)[OPPOSITE[direction]]
            change = energy(SMALL, hopped, metal.phi) - energy(SMALL, states, metal.phi)
            ratio = math.exp(-change / (BOLTZMANN * HOT))
            assert rates[direction] / back == pytest.approx(ratio, rel=1e-9)


def everything(engine):
    """All that an engine derives from its occupation."""
    return [
        engine._sites.grid[:-1].copy(),
        engine._sites.masks[:-1].copy(),
        engine._sites.flags[:-1].copy(),
        engine._tree.sums.copy(),
        engine._counts.numbers[[arrays.N_EMPTY, arrays.IS_BRIDGED]].copy(),
    ]


@FEW
@given(seed=st.integers(0, 2**31))
def test_after_thousands_of_events_all_tables_are_as_made_anew(seed):
    states, fixed = random_states(SMALL, seed)
    engine = engine_of(states, fixed, temperature=HOT, seed=seed)
    engine.advance(1.0, max_events=3000, stop_on_contact=False)
    followed = everything(engine)
    engine._refresh()
    for one, other in zip(followed, everything(engine), strict=True):
        np.testing.assert_array_equal(one, other)
    assert engine.state.n_atoms == (states == METAL).sum()
    assert engine.state.events["metal hop"] == 3000


def test_one_hop_has_its_arrhenius_rate_and_exponential_times():
    engine, site = adatom(free_metal(barrier=0.2), temperature=300.0, seed=4)
    one = 1e12 * math.exp(-0.2 / (BOLTZMANN * 300.0))
    rates = engine.rates_of_site(site)
    assert rates[rates > 0.0] == pytest.approx(one, rel=1e-12)
    times = np.array([engine.advance(1.0, max_events=1).time for _ in range(2000)])
    assert stats.kstest(times, "expon", args=(0.0, 1.0 / (6.0 * one))).pvalue > 1e-3


def test_what_sticks_out_of_a_window_is_drawn_anew_without_bias():
    engine, _ = adatom(free_metal(barrier=0.2), temperature=300.0, seed=5)
    window = 0.3 / engine.total_rate
    events = sum(engine.advance(window).events for _ in range(20_000))
    assert events == pytest.approx(0.3 * 20_000, abs=4.0 * math.sqrt(0.3 * 20_000))
    assert engine.time == pytest.approx(20_000 * window)


@pytest.mark.parametrize("cap", [math.inf, 1e10])
def test_a_cavity_is_in_equilibrium(cap):
    """Three atoms in a cavity of seven sites: all 35 states enumerated."""
    lattice = build_lattice(4.09, 14.0, 14.0, 6)
    metal = made_up_metal(3)
    middle = int(np.flatnonzero(lattice.layer == 3)[12])
    cavity = [middle, *(int(lattice.neighbours[middle, k]) for k in (0, 1, 4, 6, 7, 10))]
    fixed = np.ones(len(lattice), dtype=bool)
    fixed[cavity] = False
    states = np.where(fixed, METAL, EMPTY)
    states[cavity[:3]] = METAL
    hot = 2500.0
    engine = engine_of(states, fixed, lattice, metal, temperature=hot, seed=7, caps=Caps(metal=cap))
    keys = list(itertools.combinations(sorted(cavity), 3))
    weights = np.zeros(len(keys))
    for place, key in enumerate(keys):
        occupied = np.where(fixed, METAL, EMPTY)
        occupied[list(key)] = METAL
        weights[place] = -energy(lattice, occupied, metal.phi) / (BOLTZMANN * hot)
    weights = np.exp(weights - weights.max())
    seen = np.zeros(len(keys))
    window = 40.0 / engine.total_rate
    for _ in range(12_000):
        engine.advance(window)
        occupation = engine.state.occupation
        seen[keys.index(tuple(s for s in sorted(cavity) if occupation[s] == METAL))] += 1
    wanted = weights / weights.sum() * seen.sum()
    often = wanted > 5.0
    assert often.sum() > 10
    # forty events between looks, so that they are independent
    seen, wanted = (np.append(v[often], v[~often].sum()) for v in (seen, wanted))
    assert stats.chisquare(seen, wanted).pvalue > 1e-3


def neck():
    """Two small needles joined by a row of atoms."""
    tips = build_needles(
        lattice_constant=4.09,
        base_width=20.0,
        height=7.0,
        apex_width=6.0,
        gap=7.1,
        fixed_layers=2,
        margin=6.0,
    )
    metal = tips.metal.copy()
    site = int(np.flatnonzero(metal & (tips.lattice.layer == tips.bottom_terrace))[0])
    while tips.lattice.layer[site] < tips.top_terrace - 1:
        site = int(tips.lattice.neighbours[site, 6 + tips.lattice.layer[site] % 3])
        metal[site] = True
    return tips, metal


def test_a_contact_that_opens_and_a_gap_that_closes_stop_the_clock():
    tips, metal = neck()
    engine = LatticeKMC(tips.lattice, metal, tips.fixed, made_up_metal(), temperature=500.0)
    assert engine.state.bridged
    opened = engine.advance(1e3, max_events=200_000)
    assert opened.reason is Reason.OPENED
    assert not engine.state.bridged
    labels = engine.state.labels
    assert set(np.unique(labels)) >= {1, 2}
    closed = engine.advance(1e3, max_events=200_000)
    if closed.reason is Reason.CONTACT:
        assert engine.state.bridged


def test_a_saved_state_goes_on_to_the_same_bits(tmp_path):
    tips, metal = neck()
    options = {"temperature": 400.0, "seed": 11, "caps": Caps(metal=1e9)}
    whole = LatticeKMC(tips.lattice, metal, tips.fixed, made_up_metal(), **options)
    whole.advance(1.0, max_events=5000, stop_on_contact=False)
    whole.save(tmp_path / "state")
    whole.advance(1.0, max_events=5000, stop_on_contact=False)
    again = LatticeKMC(tips.lattice, metal, tips.fixed, made_up_metal(), temperature=300.0)
    again.load(tmp_path / "state")
    again.advance(1.0, max_events=5000, stop_on_contact=False)
    assert again.time == whole.time
    assert again.state.events == whole.state.events
    for one, other in zip(everything(whole), everything(again), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(whole._counts.random, again._counts.random)


def test_how_often_python_has_its_turn_changes_no_bit():
    states, fixed = random_states(SMALL, 1)
    one, other = (engine_of(states, fixed, temperature=HOT, seed=2) for _ in range(2))
    other._pace = lambda *_: None
    other._turn = 7
    window = 2000.0 / one.total_rate
    one.advance(window, stop_on_contact=False)
    other.advance(window, stop_on_contact=False)
    assert (one.time, one.state.events) == (other.time, other.state.events)
    np.testing.assert_array_equal(one.state.occupation, other.state.occupation)


def test_a_force_shifts_forward_and_back_by_half_its_work():
    engine, site = adatom(free_metal(barrier=0.2), temperature=300.0)
    force = np.zeros((len(engine.lattice), 3))
    force[:, 0] = 0.01
    free = engine.rates_of_site(site)
    engine.set_force(force)
    pushed = engine.rates_of_site(site)
    work = 0.01 * engine.lattice.bond
    assert pushed[0] / free[0] == pytest.approx(math.exp(work / 2 / (BOLTZMANN * 300.0)))
    assert pushed[0] / pushed[3] == pytest.approx(math.exp(work / (BOLTZMANN * 300.0)))
    engine.set_force(None)
    np.testing.assert_array_equal(engine.rates_of_site(site), free)


def test_a_field_of_one_temperature_is_that_temperature():
    states, fixed = random_states(SMALL, 8)
    engine = engine_of(states, fixed, temperature=HOT, caps=Caps(metal=1e8))
    uniform = [engine.rates_of_site(site) for site in range(len(SMALL))]
    engine.set_temperature(np.full(len(SMALL), HOT))
    local = [engine.rates_of_site(site) for site in range(len(SMALL))]
    np.testing.assert_allclose(local, uniform, rtol=7e-3)  # a cap is rounded to half a meV


def test_a_damaged_state_or_that_of_another_device_is_refused(tmp_path):
    engine, _ = adatom(free_metal())
    engine.save(tmp_path / "state")
    other, _ = adatom(free_metal(barrier=0.3))
    with pytest.raises(DataFormatError, match="another device"):
        other.load(tmp_path / "state")
    content = bytearray((tmp_path / "state").read_bytes())
    content[-100] ^= 1
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(DataFormatError, match="damaged"):
        engine.load(tmp_path / "state")
    with pytest.raises(DataFormatError, match="cannot be read"):
        engine.load(tmp_path / "none")
    (tmp_path / "text").write_text("no state")
    with pytest.raises(DataFormatError, match="no saved state"):
        engine.load(tmp_path / "text")


def test_what_cannot_be_is_refused_in_a_sentence():
    states, fixed = random_states(SMALL, 1)
    with pytest.raises(SettingsError, match="0 K"):
        engine_of(states, fixed, temperature=0.0)
    with pytest.raises(SettingsError, match="do not fit"):
        engine_of(states, fixed, temperature=np.ones(3))
    with pytest.raises(SettingsError, match="cap"):
        Caps(metal=0.0)
    with pytest.raises(SettingsError, match="fixed site"):
        engine_of(np.where(fixed, EMPTY, states), fixed)
    crooked = made_up_metal()
    crooked.saddle[1, 2, 0] += 0.1
    with pytest.raises(SettingsError, match="detailed balance"):
        engine_of(states, fixed, metal=crooked)
    engine = engine_of(states, fixed)
    with pytest.raises(SettingsError, match="duration"):
        engine.advance(-1.0)
    with pytest.raises(SettingsError, match="force"):
        engine.set_force(np.zeros(3))
    with pytest.raises(SettingsError, match="potential of the medium"):
        engine.set_potential(np.zeros(len(SMALL)), np.zeros(3))
    # exponentials of 20 V at 77 K are no numbers
    engine.set_temperature(77.0)
    here, there = np.full(len(SMALL), 3.1), np.full(len(SMALL), -3.1)
    with pytest.raises(SettingsError, match=r"6\.2 V at 77 K are beyond"):
        engine.set_potential(here, there)
    engine.set_potential(0.9 * here, 0.9 * there)
    assert np.isfinite(engine.total_rate)


@FEW
@given(seed=st.integers(0, 2**31), value=st.sampled_from([0.05, 0.2]))
def test_the_surface_condition_slows_every_hop_by_its_boltzmann_factor(seed, value):
    """Barriers that the energy alone keeps up, S + dE/2 below dE, are none of these rates."""
    states, fixed = random_states(SMALL, seed)
    metal = load_energetics("Ag")
    # so that S + |dE|/2 is never below |dE|
    metal = replace(metal, phi=0.1 * metal.phi, saddle=metal.saddle + 1.0)
    raised = replace(metal, saddle=metal.saddle + value)
    free, slowed = (engine_of(states, fixed, metal=one, temperature=HOT) for one in (metal, raised))
    before, after = (
        np.array([engine.rates_of_site(site)[:12] for site in np.flatnonzero(states == METAL)])
        for engine in (free, slowed)
    )
    hops = before > 0.0
    assert hops.any()
    np.testing.assert_array_equal(hops, after > 0.0)
    factor = math.exp(-value / (BOLTZMANN * HOT))
    np.testing.assert_allclose(after[hops] / before[hops], factor, rtol=1e-9)


def test_caps_slow_only_what_is_faster():
    states, fixed = random_states(SMALL, 5)
    free = engine_of(states, fixed, temperature=HOT)
    capped = engine_of(states, fixed, temperature=HOT, caps=Caps(metal=1e9))
    for site in np.flatnonzero(states == METAL):
        before, after = free.rates_of_site(site), capped.rates_of_site(site)
        assert (after <= before * (1 + 1e-12)).all()
    assert replace(capped.caps, metal=math.inf) == free.caps
    capped.set_caps(Caps())
    assert capped.total_rate == free.total_rate


def ends_of(engine, events, forget=False):
    """Advance event by event; return all that follows, to the bit."""
    for _ in range(events):
        if forget:
            engine._work.memory.keys[:] = -1
        engine.advance(1e9, max_events=1, stop_on_contact=False)
    return engine.time, engine._counts.events.copy(), *everything(engine)


@pytest.mark.parametrize("cap", [math.inf, 1e5])
def test_a_remembered_hop_gives_the_bits_of_one_that_is_worked_out(cap):
    tips, metal = neck()
    engine = engine_of(
        metal * METAL, tips.fixed, tips.lattice, temperature=300.0, caps=Caps(metal=cap)
    )
    other = engine.copy()
    found = ends_of(engine, 3000)
    hops_worked_out = int(engine._work.numbers[arrays.GENERATION])
    assert 0 < hops_worked_out < 2500
    for one, two in zip(found, ends_of(other, 3000, forget=True), strict=True):
        np.testing.assert_array_equal(one, two)
    assert int(other._work.numbers[arrays.GENERATION]) == 3000


def test_marks_of_lists_begin_anew_when_they_are_used_up():
    tips, metal = neck()
    engine = engine_of(metal * METAL, tips.fixed, tips.lattice, temperature=HOT)
    other = engine.copy()
    engine._work.numbers[arrays.GENERATION] = np.iinfo(np.int32).max - 20
    for one, two in zip(ends_of(engine, 500), ends_of(other, 500), strict=True):
        np.testing.assert_array_equal(one, two)
    assert engine._work.numbers[arrays.GENERATION] < 500
