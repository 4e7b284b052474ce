"""Redox and ions: detailed balance, Butler-Volmer, Nernst, Mott-Gurney, counts of charge."""

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
from nanogap.device.engine import LatticeKMC
from nanogap.device.kernels import arrays
from nanogap.device.lattice import EMPTY, ION, METAL, OPPOSITE, build_lattice
from nanogap.device.medium import ROOM_TEMPERATURE, Medium, load_medium, media
from nanogap.device.state import Caps
from nanogap.errors import SettingsError
from nanogap.units import BOLTZMANN
from tests.device.plain_kinetics import (
    coordination,
    energy,
    free_metal,
    made_up_metal,
    random_states,
)

SMALL = build_lattice(4.09, 14.0, 14.0, 7)
REFERENCE = 0.2
#: Concentration of one site in five, mol/L.
DENSE = REFERENCE / (6.02214076e-4 * SMALL.site_volume)
MEDIUM = Medium(
    name="test",
    ion_barrier=0.3,
    ion_prefactor=1e12,
    exchange_rate=1e6,
    transfer_coefficient=0.4,
    reference_concentration=DENSE,
    concentration=DENSE,
)
HOT = 900.0
BETA = 1.0 / (BOLTZMANN * HOT)
FEW = settings(max_examples=12, deadline=None)


def engine_of(states, fixed, metal, medium=MEDIUM, lattice=SMALL, **options):
    return LatticeKMC(lattice, states == METAL, fixed, metal, medium, ions=states == ION, **options)


def potentials(seed, states):
    random = np.random.default_rng(seed)
    metal = np.where(random.random(len(states)) < 0.5, 0.0, 0.3)
    return metal, random.uniform(0.0, 0.3, len(states))


@FEW
@given(seed=st.integers(0, 2**31), cap=st.sampled_from([math.inf, 1e6, 1e3]))
def test_every_redox_pair_obeys_detailed_balance(seed, cap):
    states, fixed = random_states(SMALL, seed, ions=0.2)
    metal = made_up_metal(seed)
    engine = engine_of(states, fixed, metal, temperature=HOT, caps=Caps(redox=cap))
    random = np.random.default_rng(seed)
    for site in random.choice(np.flatnonzero(states == ION), 4, replace=False):
        reduction = engine.rates_of_site(site)[arrays.REDOX_SLOT]
        around = SMALL.neighbours[site]
        count = coordination(SMALL, states, site)
        if count == 0 or count == (around >= 0).sum():
            assert reduction == 0.0
            continue
        reduced = states.copy()
        reduced[site] = METAL
        other = engine_of(reduced, fixed, metal, temperature=HOT, caps=Caps(redox=cap))
        oxidation = other.rates_of_site(site)[arrays.REDOX_SLOT]
        gain = energy(SMALL, reduced, metal.phi) - energy(SMALL, states, metal.phi)
        ratio = REFERENCE * math.exp(BETA * (gain - metal.phi[12]))
        assert oxidation / reduction == pytest.approx(ratio, rel=1e-9)
        slower = min(1e6 * math.exp(BETA * (gain - metal.phi[12])), 1e6 / REFERENCE)
        fastest = max(1e6 * math.exp(BETA * (gain - metal.phi[12])), 1e6 / REFERENCE)
        slower *= min(1.0, 1e12 / fastest)
        assert min(oxidation, reduction) == pytest.approx(min(slower, cap), rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    sigma=st.floats(0.0, 1.0),
    cap=st.sampled_from([math.inf, 1e6, 1e3]),
    uniform=st.booleans(),
    activation=st.sampled_from([0.0, 0.4]),
)
def test_the_site_transfer_coefficient_shares_the_sites_energy_and_keeps_the_balance(
    seed, sigma, cap, uniform, activation
):
    """k_ox ~ exp((1-a) e eta + (1-s) D), k_red ~ exp(-(a e eta + s D)), in kT, D above a kink."""
    states, fixed = random_states(SMALL, seed, ions=0.2)
    metal = made_up_metal(seed)
    medium = replace(
        MEDIUM,
        site_transfer_coefficient=sigma,
        exchange_rate=1e2,
        exchange_barrier=activation,
    )
    random = np.random.default_rng(seed)
    heat = HOT if uniform else random.uniform(500.0, HOT, len(SMALL))
    levels = random.uniform(-0.3, 0.3, len(SMALL))
    options = {"temperature": heat, "caps": Caps(redox=cap)}

    def redox(occupation, site):
        engine = engine_of(occupation, fixed, metal, medium, **options)
        engine.set_potential(np.full(len(SMALL), 0.1), levels)
        return engine.rates_of_site(site)[arrays.REDOX_SLOT]

    tried = 0
    for site in random.permutation(np.flatnonzero(states == ION)):
        around = SMALL.neighbours[site]
        if not 0 < coordination(SMALL, states, site) < (around >= 0).sum():
            continue
        reduced = states.copy()
        reduced[site] = METAL
        above = energy(SMALL, reduced, metal.phi) - energy(SMALL, states, metal.phi) - metal.phi[12]
        beta = 1.0 / (BOLTZMANN * (heat if uniform else heat[site]))
        eta = 0.1 - levels[site]
        exchange = 1e2 * math.exp(activation * (1.0 / (BOLTZMANN * ROOM_TEMPERATURE) - beta))
        oxidation = exchange * math.exp(beta * (0.6 * eta + (1.0 - sigma) * above))
        reduction = exchange / REFERENCE * math.exp(-beta * (0.4 * eta + sigma * above))
        scale = min(1.0, 1e12 / max(oxidation, reduction))
        scale *= min(1.0, cap / (scale * min(oxidation, reduction)))
        found = redox(reduced, site), redox(states, site)
        assert found == pytest.approx((scale * oxidation, scale * reduction), rel=1e-9)
        assert found[0] / found[1] == pytest.approx(
            REFERENCE * math.exp(beta * (eta + above)), rel=1e-9
        )
        tried += 1
        if tried == 3:
            break


@FEW
@given(seed=st.integers(0, 2**31), cap=st.sampled_from([math.inf, 1e9]))
def test_every_hop_of_an_ion_takes_half_the_work_each_way(seed, cap):
    states, fixed = random_states(SMALL, seed, filling=0.2, ions=0.2)
    engine = engine_of(states, fixed, made_up_metal(), temperature=HOT, caps=Caps(ion=cap))
    _, medium = potentials(seed, states)
    engine.set_potential(np.zeros(len(SMALL)), medium)
    field = engine._sites.fields[:, arrays.MEDIUM_POTENTIAL].copy()
    for site in np.flatnonzero(states == ION)[:4]:
        rates = engine.rates_of_site(site)
        for direction, end in enumerate(SMALL.neighbours[site]):
            if end < 0 or states[end] != EMPTY:
                assert rates[direction] == 0.0
                continue
            rise = field[end] - field[site]
            both = [1e12 * math.exp(-BETA * (0.3 + sign * rise / 2)) for sign in (1, -1)]
            wanted = both[0] * min(1.0, cap / min(both))
            assert rates[direction] == pytest.approx(wanted, rel=1e-9)


def test_each_electrode_is_a_reservoir_of_its_own():
    """A site between metal at two potentials has the mean of what each would do."""
    states, fixed = random_states(SMALL, 5, ions=0.2)
    # so slow that no rate meets the limit of the prefactor
    slow = replace(MEDIUM, exchange_rate=1e-6)
    engine = engine_of(states, fixed, made_up_metal(), slow, temperature=HOT)
    metal, medium = potentials(5, states)

    def rates():
        return np.array([engine.rates_of_site(s)[arrays.REDOX_SLOT] for s in ions])

    ions = np.flatnonzero(states == ION)
    engine.set_potential(metal, medium)
    mixed = rates()
    alone = []
    for value in (0.0, 0.3):
        engine.set_potential(np.full(len(SMALL), value), medium)
        alone.append(rates())
    for place, site in enumerate(ions):
        around = [s for s in SMALL.neighbours[site] if s >= 0 and states[s] == METAL]
        if mixed[place] > 0.0:
            share = np.mean([metal[s] == 0.0 for s in around])
            wanted = share * alone[0][place] + (1 - share) * alone[1][place]
            assert mixed[place] == pytest.approx(wanted, rel=1e-9)


@FEW
@given(seed=st.integers(0, 2**31), rate=st.sampled_from([0.0, 1e9]))
def test_another_potential_changes_what_depends_on_it_and_nothing_else(seed, rate):
    states, fixed = random_states(SMALL, seed, ions=0.1)
    medium = replace(MEDIUM, exchange_rate=rate)
    engine = engine_of(states, fixed, made_up_metal(), medium, temperature=HOT, seed=seed)
    engine.set_potential(*potentials(seed, states))
    engine.advance(1.0, max_events=500, stop_on_contact=False)
    rng = np.random.default_rng(seed)
    for _ in range(2):
        engine.set_potential(rng.choice([0.0, 0.1], len(SMALL)), rng.uniform(0.0, 0.3, len(SMALL)))
        followed = engine._tree.sums.copy(), engine._sites.fields.copy()
        engine._refresh()
        np.testing.assert_array_equal(followed[0], engine._tree.sums)
        np.testing.assert_array_equal(followed[1], engine._sites.fields)
    metal, above = (engine._sites.fields[:, column] for column in (0, 1))
    factors = engine._sites.fields[:, arrays.OXIDATION_METAL :].T
    share = MEDIUM.transfer_coefficient
    zero = above + MEDIUM.equilibrium_potential
    wanted = [
        np.exp((1.0 - share) * BETA * metal),
        np.exp(-share * BETA * metal),
        rate * np.exp(-(1.0 - share) * BETA * zero),
        rate / REFERENCE * np.exp(share * BETA * zero),
        np.exp(0.5 * BETA * above),
        np.exp(-0.5 * BETA * above),
    ]
    np.testing.assert_allclose(factors, wanted, rtol=1e-12)


@FEW
@given(seed=st.integers(0, 2**31), bath=st.sampled_from([0.0, 1e7]))
def test_after_thousands_of_events_all_tables_are_as_made_anew(seed, bath):
    states, fixed = random_states(SMALL, seed, ions=0.1)
    medium = replace(MEDIUM, bath_rate=bath, exchange_rate=1e9)
    engine = engine_of(states, fixed, made_up_metal(), medium, temperature=HOT, seed=seed)
    metal = np.where(SMALL.layer < 3, 0.0, 0.2)
    engine.set_potential(metal, np.linspace(0.0, 0.2, 7)[SMALL.layer])
    start = engine.state
    engine.advance(1.0, max_events=3000, stop_on_contact=False)
    end = engine.state
    followed = [
        engine._sites.grid[:-1].copy(),
        engine._sites.masks[:-1].copy(),
        engine._sites.flags.copy(),
        engine._tree.sums.copy(),
    ]
    empty = int(engine._counts.numbers[arrays.N_EMPTY])
    engine._refresh()
    made = [
        engine._sites.grid[:-1],
        engine._sites.masks[:-1],
        engine._sites.flags,
        engine._tree.sums,
    ]
    for one, other in zip(followed, made, strict=True):
        np.testing.assert_array_equal(one, other)
    assert empty == (end.occupation == EMPTY).sum()
    from_bath = end.events["insertion"] - end.events["removal"]
    assert end.n_atoms + end.n_ions == start.n_atoms + start.n_ions + from_bath
    assert sum(end.charge.values()) == start.n_atoms - end.n_atoms
    assert end.events["oxidation"] - end.events["reduction"] == start.n_atoms - end.n_atoms
    assert end.events["oxidation"] > 0


def test_a_remembered_hop_gives_the_bits_of_one_that_is_worked_out():
    """Ions move, and atoms of both potentials come and go, between the hops."""
    states, fixed = random_states(SMALL, 5, ions=0.1)
    medium = replace(MEDIUM, bath_rate=1e7, exchange_rate=1e9)
    engine = engine_of(states, fixed, made_up_metal(), medium, temperature=HOT, seed=5)
    engine.set_potential(np.where(SMALL.layer < 3, 0.0, 0.2), np.full(len(SMALL), 0.1))
    other = engine.copy()
    for _ in range(3000):
        engine.advance(1.0, max_events=1, stop_on_contact=False)
        other._work.memory.keys[:] = -1
        other.advance(1.0, max_events=1, stop_on_contact=False)
    np.testing.assert_array_equal(engine._tree.sums, other._tree.sums)
    np.testing.assert_array_equal(engine._sites.grid[:-1], other._sites.grid[:-1])
    assert engine.time == other.time
    worked_out = [int(each._work.numbers[arrays.GENERATION]) for each in (engine, other)]
    assert 0 < worked_out[0] < worked_out[1]


@pytest.mark.parametrize(
    ("cap", "sigma"), [(math.inf, 0.0), (1e8, 0.0), (math.inf, 0.5), (1e8, 0.5)]
)
def test_a_cavity_with_atoms_and_ions_is_in_equilibrium(cap, sigma):
    """Four sites, each empty, metal or ion: 81 states, with hops, redox and a bath."""
    metal = made_up_metal(3)
    metal.saddle += 1.0
    hot = 2500.0
    beta = 1.0 / (BOLTZMANN * hot)
    middle = int(np.flatnonzero(SMALL.layer == 3)[12])
    cavity = [middle, *(int(SMALL.neighbours[middle, k]) for k in (0, 6, 9))]
    fixed = np.ones(len(SMALL), dtype=bool)
    fixed[cavity] = False
    states = np.where(fixed, METAL, EMPTY)
    medium = replace(
        MEDIUM,
        bath_rate=1e9,
        exchange_rate=1e9,
        concentration=1.5 * DENSE,
        equilibrium_potential=-1.6,
        ion_barrier=1.3,
        site_transfer_coefficient=sigma,
    )
    engine = engine_of(
        states, fixed, metal, medium, temperature=hot, seed=7, caps=Caps(cap, cap, cap)
    )
    activity = 1.5 * REFERENCE / (1.0 - 1.5 * REFERENCE)
    keys = list(itertools.product((EMPTY, METAL, ION), repeat=4))
    weights = np.zeros(len(keys))
    for place, key in enumerate(keys):
        occupied = np.where(fixed, METAL, EMPTY)
        occupied[cavity] = key
        atoms, ions = key.count(METAL), key.count(ION)
        weights[place] = -beta * (energy(SMALL, occupied, metal.phi) - atoms * metal.phi[12])
        weights[place] += ions * math.log(activity)
        weights[place] += atoms * (math.log(activity / REFERENCE) - 1.6 * beta)
    weights = np.exp(weights - weights.max())
    seen = np.zeros(len(keys))
    window = 1e-8 if cap > 1e9 else 4e-8
    for _ in range(5_000):
        engine.advance(window)
        seen[keys.index(tuple(engine.state.occupation[cavity]))] += 1
    # all four metal: the last one would leave no room for the ion that it comes from
    assert seen[keys.index((METAL,) * 4)] == 0
    weights[keys.index((METAL,) * 4)] = 0.0
    wanted = weights / weights.sum() * seen.sum()
    often = wanted > 5.0
    assert often.sum() > 10
    seen, wanted = (np.append(v[often], v[~often].sum()) for v in (seen, wanted))
    assert stats.chisquare(seen, wanted).pvalue > 1e-3


#: Site fraction of ions at the reference concentration: many, so that currents are precise.
CROWDED = 0.4


def flat_electrode(overpotential, seed, concentration=DENSE):
    """Half a layer of atoms on a flat base, each bound like a kink; nothing hops."""
    lattice = build_lattice(4.09, 400.0, 400.0, 3)
    random = np.random.default_rng(seed)
    metal = lattice.layer < 2
    metal |= random.random(len(lattice)) < 0.5
    medium = replace(
        MEDIUM,
        ion_barrier=3.0,
        reference_concentration=CROWDED / REFERENCE * DENSE,
        concentration=CROWDED / REFERENCE * concentration,
    )
    engine = LatticeKMC(
        lattice, metal, lattice.layer < 2, free_metal(barrier=3.0), medium, seed=seed
    )
    engine.set_potential(np.full(len(lattice), overpotential), np.zeros(len(lattice)))
    return engine


def electrode_counts(engine):
    """Atoms and ions of the open layer that are not shut in by metal, and its sites."""
    states, lattice = engine.state.occupation, engine.lattice
    sites = np.flatnonzero(lattice.layer == 2)
    around = lattice.neighbours[sites, :6]  # in the layer
    is_open = (states[around] != METAL).any(axis=1)
    atoms = (states[sites] == METAL) & is_open
    return int(atoms.sum()), int(((states[sites] == ION) & is_open).sum()), len(sites)


@pytest.mark.parametrize("reduced", [-3.0, -2.0, 2.0, 4.0])
def test_a_flat_electrode_lies_on_the_butler_volmer_curve(reduced):
    alpha, rate, thermal = 0.4, 1e6, BOLTZMANN * 300.0
    forward = rate * math.exp((1.0 - alpha) * reduced)
    back = rate * math.exp(-alpha * reduced) / CROWDED
    net, wanted = 0.0, 0.0
    # each site relaxes by itself, exactly as exp(-(forward + back) t)
    window = 0.5 / (forward + back)
    for seed in range(6):
        engine = flat_electrode(reduced * thermal, seed)
        atoms, ions, sites = electrode_counts(engine)
        found = engine.advance(window)
        net += sum(found.charge.values()) * (forward + back) / -math.expm1(-0.5)
        wanted += atoms * forward - ions * back
        # with the mean number of ions, this is the Butler-Volmer equation
        butler_volmer = math.exp((1.0 - alpha) * reduced) - math.exp(-alpha * reduced)
        assert atoms * forward - ions * back == pytest.approx(
            sites / 2 * rate * butler_volmer, rel=0.1
        )
    assert net == pytest.approx(wanted, rel=0.02)


def test_the_exchange_rate_follows_the_temperature_by_its_activation_energy():
    states, fixed = random_states(SMALL, 5, ions=0.2)
    # so slow that no rate meets the limit of the prefactor
    slow = replace(MEDIUM, exchange_rate=1e-60, exchange_barrier=0.4)
    ions = np.flatnonzero(states == ION)
    found = []
    for temperature in (300.0, 600.0, np.full(len(SMALL), 600.0)):
        engine = engine_of(states, fixed, made_up_metal(), slow, temperature=temperature)
        engine.set_potential(np.zeros(len(SMALL)), np.zeros(len(SMALL)))
        found.append([engine.rates_of_site(site)[arrays.REDOX_SLOT] for site in ions])
    cold, warm, field = np.array(found)
    # without overpotential and with the site's energy in the oxidation, a reduction is k0 alone
    factor = math.exp(0.4 / BOLTZMANN * (1.0 / 300.0 - 1.0 / 600.0))
    assert warm[cold > 0.0] == pytest.approx(factor * cold[cold > 0.0], rel=1e-9)
    assert field == pytest.approx(warm, rel=1e-9)


def test_the_equilibrium_potential_moves_with_concentration_as_nernst_says():
    """Where net current vanishes: e V = kT ln(c/c_reference)."""
    for concentration in (0.25 * DENSE, DENSE, 2.0 * DENSE):
        shift = BOLTZMANN * 300.0 * math.log(concentration / DENSE)
        engine = flat_electrode(shift, 1, concentration)
        atoms, ions, sites = electrode_counts(engine)
        states = engine.state.occupation
        rates = np.array([engine.rates_of_site(s)[arrays.REDOX_SLOT] for s in range(len(states))])
        oxidation = rates[states == METAL].sum() / atoms
        reduction = rates[states == ION].sum() / ions
        # a kink that is dissolved as often as an ion comes to it
        assert reduction * CROWDED * concentration / DENSE == pytest.approx(oxidation, rel=1e-9)
        assert ions / (sites - atoms) == pytest.approx(CROWDED * concentration / DENSE, rel=0.05)


@pytest.mark.parametrize("strength", [1.5, 3.0])
def test_ions_in_a_uniform_field_follow_mott_and_gurney(strength):
    lattice = build_lattice(4.09, 40.0, 40.0, 250)
    thermal = BOLTZMANN * 300.0
    field = strength * thermal  # V per layer
    one = 1e12 * math.exp(-0.3 / thermal)
    # three neighbours a layer down, three up
    velocity = 3.0 * one * 2.0 * math.sinh(strength / 2.0)
    nothing = np.zeros(len(lattice), dtype=bool)
    drift = []
    for seed in range(4):
        ions = nothing.copy()
        ions[np.flatnonzero((lattice.layer > 205) & (lattice.layer < 226))[::128]] = True
        engine = LatticeKMC(lattice, nothing, nothing, free_metal(), MEDIUM, ions=ions, seed=seed)
        engine.set_potential(np.zeros(len(lattice)), field * lattice.layer)
        engine.advance(150.0 / velocity)
        drift.append(lattice.layer[ions].mean())
        drift[-1] -= lattice.layer[engine.state.occupation == ION].mean()
    assert np.mean(drift) == pytest.approx(150.0, rel=0.02)


def test_watched_sites_alone_stop_the_clock():
    """Half of an electrode is watched; each half dissolves and grows."""
    engine = flat_electrode(0.0, 3)
    lattice = engine.lattice
    watched = lattice.positions[:, 0] < lattice.cell[0] / 2.0
    engine.watch(watched)
    before = engine.state
    found = engine.advance(1.0, redox_events=100)
    after = engine.state
    assert found.reason is Reason.SURFACE
    assert found.events == sum(after.events.values())
    changed = before.occupation != after.occupation
    # nothing hops; a site that changes twice is as before
    assert 90 <= (changed & watched).sum() <= 100
    assert found.events - 100 == pytest.approx(100, abs=60)
    again = engine.advance(1.0, redox_events=7)
    assert again.reason is Reason.SURFACE
    assert ((engine.state.occupation != after.occupation) & watched).sum() == 7
    engine.watch(np.zeros(len(lattice), dtype=bool))
    window = 10.0 / engine.total_rate
    assert engine.advance(window, redox_events=1).reason is Reason.DURATION


def test_what_is_watched_is_saved(tmp_path):
    engine = flat_electrode(0.0, 3)
    engine.watch(engine.lattice.layer == 2)
    engine.advance(1.0, redox_events=10)
    engine.save(tmp_path / "state")
    other = flat_electrode(0.0, 3)
    other.load(tmp_path / "state")
    for one in (engine, other):
        assert one.advance(1.0, redox_events=10).reason is Reason.SURFACE
    assert other.time == engine.time
    np.testing.assert_array_equal(other.state.occupation, engine.state.occupation)


def test_media_are_data_with_ranges_and_sources():
    assert media()[0] == "vacuum"
    for name in media()[1:]:
        medium = load_medium(name)
        assert {"exchange_rate", "concentration"} <= {p.name for p in medium.parameters if p.fit}
        for parameter in medium.parameters:
            assert parameter.least <= parameter.value <= parameter.most
            assert parameter.source


def test_what_cannot_be_is_refused_in_a_sentence():
    with pytest.raises(SettingsError, match="unknown medium 'milk': choose one of vacuum"):
        load_medium("milk")
    with pytest.raises(SettingsError, match="concentration -1 mol/L is not possible"):
        replace(MEDIUM, concentration=-1.0)
    with pytest.raises(SettingsError, match="more ions than sites"):
        replace(MEDIUM, concentration=89.0).site_fraction(89.0, 20.0)
    with pytest.raises(SettingsError, match="vacuum holds no ions"):
        engine_of(*random_states(SMALL, 1, ions=0.2), free_metal(), None)
    states, fixed = random_states(SMALL, 1)
    with pytest.raises(SettingsError, match="empty sites"):
        LatticeKMC(SMALL, states == METAL, fixed, free_metal(), MEDIUM, ions=states == METAL)


def test_directions_back_are_those_of_the_lattice():
    site = int(np.flatnonzero(SMALL.layer == 3)[5])
    for direction, end in enumerate(SMALL.neighbours[site]):
        assert SMALL.neighbours[end, OPPOSITE[direction]] == site


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_remembered_hop_gives_the_same_bits_among_ions_and_many_potentials(seed):
    """Also where potentials differ in their last digit, and where atoms change places."""
    states, fixed = random_states(SMALL, seed)
    random = np.random.default_rng(seed)
    metal = random.choice([0.0, 0.1, 0.1 + 1e-16, 0.1 + 1e-15, 0.3], len(states))
    engines = []
    for forgets in (False, True):
        engine = engine_of(states, fixed, made_up_metal(seed), temperature=HOT, seed=seed)
        random = np.random.default_rng(seed)  # the same medium for both
        engine.set_potential(metal, random.uniform(0.0, 0.3, len(states)))
        other = engine.copy() if forgets else engine
        for _ in range(4000):
            if forgets:
                other._work.memory.keys[:] = -1
            other.advance(1e9, max_events=1, stop_on_contact=False)
        engines.append(other)
    one, two = engines
    assert one._work.numbers[arrays.GENERATION] < two._work.numbers[arrays.GENERATION]
    assert one.time == two.time
    for name in ("grid", "fields"):  # the last row is the outside, which nothing reads
        first, second = getattr(one._sites, name)[:-1], getattr(two._sites, name)[:-1]
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(one._tree.sums, two._tree.sums)
    np.testing.assert_array_equal(one._counts.events, two._counts.events)
