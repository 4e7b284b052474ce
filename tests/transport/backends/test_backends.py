"""What every backend must obey, whatever it computes with: one suite for all of them.

The everyday number of examples is small; with ``--hypothesis-profile validation`` it is 200, of
slow backends 20.
"""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transport.espresso_programs import need
from tests.transport.junctions import chain, disordered, mirrored, turned_and_moved, with_lead_layer

from nanogap.errors import EngineError, SettingsError
from nanogap.settings import load_accuracy
from nanogap.transport.backends import LOCAL, backend_names, get_backend
from nanogap.transport.backends import sisl as sisl_backend
from nanogap.transport.tight_binding.files import load_model

#: A model whose interactions reach over five layers, as one with a tail for tunnelling does.
FAR = replace(load_model(), inner_cutoff=7.0, cutoff=12.0)
ORTHOGONAL = replace(load_model(), overlap=np.zeros_like(load_model().overlap))
MODELS = {"near": load_model(), "far": FAR, "orthogonal": ORTHOGONAL}
FAST, REFERENCE = "tight-binding", "dense"


@dataclass(frozen=True)
class Declared:
    """How exact a backend is, and which Hamiltonians it takes; none: it has its own.

    exact: sums and bounds of channels, and one direction against the other; moved: the same
    structure elsewhere, in another order, or with its leads cut elsewhere.
    """

    exact: float
    moved: float
    models: tuple = ()
    slow: bool = True


#: Every backend: a new one must declare itself here.
BACKENDS = {
    FAST: Declared(1e-9, 1e-8, ("near", "far"), slow=False),
    REFERENCE: Declared(1e-9, 1e-8, ("near",)),
    # the imaginary part of its energies takes some 1e-6 from every open channel
    "sisl": Declared(3e-5, 3e-5, ("near",)),
    # at low cut-offs; the place on the grid in real space alone makes 2e-3
    "pwcond": Declared(5e-3, 5e-3),
}

#: Few junctions every day, the profile's number otherwise.
PROMISED = settings.get_current_profile_name() == "validation"
EXAMPLES = settings() if PROMISED else settings(max_examples=4, deadline=None)
SLOW_EXAMPLES = settings(max_examples=20 if PROMISED else 2, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def cases(*, slow):
    return [
        (name, model)
        for name, declared in BACKENDS.items()
        for model in declared.models
        if declared.slow == slow
    ]


def per_k(dataset):
    return dataset["transmission"].to_numpy()[0]


def channels_are_between_zero_and_one_and_add_up(compute, junction, declared, _):
    dataset = compute(junction)
    assert per_k(dataset).max() > 10.0 * declared.exact  # nothing holds for nothing
    channels = dataset["eigenchannels_k"].to_numpy()[0]
    assert channels.min() >= -declared.exact
    assert channels.max() <= 1.0 + declared.exact
    np.testing.assert_allclose(channels.sum(axis=1), per_k(dataset)[:, 0], atol=declared.exact)
    most = dataset["open_channels"].to_numpy().min()
    assert dataset["transmission_average"].to_numpy()[0, 0] <= most + declared.exact
    fano = dataset["fano_factor"].item()
    assert 0.0 <= fano <= 1.0 or (np.isnan(fano) and not per_k(dataset)[:, 0].any())


def both_directions_conduct_alike(compute, junction, declared, _):
    there, back = compute(junction), compute(mirrored(junction))
    # from the right at k is from the left at -k, which has the same transmission
    np.testing.assert_allclose(per_k(there), per_k(back), atol=declared.exact)


def place_direction_and_numbering_do_not_matter(compute, junction, declared, seed):
    expected, found = compute(junction), compute(turned_and_moved(junction, seed))
    np.testing.assert_allclose(per_k(found), per_k(expected), atol=declared.moved)


def where_the_channel_is_cut_does_not_matter(compute, junction, declared, seed):
    side = ("left", "right")[seed % 2]
    expected, found = compute(junction), compute(with_lead_layer(junction, side))
    np.testing.assert_allclose(per_k(found), per_k(expected), atol=declared.moved)


ALWAYS = [
    channels_are_between_zero_and_one_and_add_up,
    both_directions_conduct_alike,
]
#: What PWCOND promises for large cells only: it puts the atoms on a grid, and the potential of
#: the leads where the junction puts it.
EXACT = [place_direction_and_numbering_do_not_matter, where_the_channel_is_cut_does_not_matter]
named = {"ids": lambda value: getattr(value, "__name__", value)}


def with_model(backend, model):
    def compute(junction):
        energies = [0.0, 0.2]
        return get_backend(backend)([junction], energies, kpoints=(1, 2), model=MODELS[model])

    return compute


@pytest.mark.parametrize("invariant", ALWAYS + EXACT, **named)
@pytest.mark.parametrize(("backend", "model"), cases(slow=False))
@EXAMPLES
@given(seed=SEEDS)
def test_random_junctions(invariant, backend, model, seed):
    invariant(with_model(backend, model), disordered(seed), BACKENDS[backend], seed)


@pytest.mark.parametrize("invariant", ALWAYS + EXACT, **named)
@pytest.mark.parametrize(("backend", "model"), cases(slow=True))
@SLOW_EXAMPLES
@given(seed=SEEDS)
def test_small_random_junctions(invariant, backend, model, seed):
    junction = disordered(seed, width=1, size=1, gap_layers=2)
    invariant(with_model(backend, model), junction, BACKENDS[backend], seed)


def check_dataset(compute, junction):
    """The same variables, dimensions, units and attributes as the engine of this project."""
    ours, theirs = with_model(FAST, "near")(junction), compute(junction)
    assert set(ours.data_vars) <= set(theirs.data_vars)
    assert set(ours.attrs) <= set(theirs.attrs)
    for name in ours.variables:
        assert theirs[name].dims == ours[name].dims
        assert theirs[name].attrs == ours[name].attrs


@pytest.mark.parametrize(("backend", "model"), cases(slow=True))
def test_the_dataset_is_that_of_every_backend(backend, model):
    check_dataset(with_model(backend, model), disordered(0, width=1, size=1, gap_layers=2))


def kinked_wire():
    """Three atoms, the middle one beside the line and nearer to the left lead."""
    junction = chain(2.65, n_channel=1)
    junction.positions[1] += (0.6, 0.0, -0.2)
    return junction


@pytest.fixture(scope="module")
def with_pwcond(tmp_path_factory):
    """Real runs of pw.x and pwcond.x, about 10 s for each structure, which is computed once."""
    need("pw.x", "pwcond.x", "ld1.x")
    work = tmp_path_factory.mktemp("work")
    accuracy = load_accuracy("coarse", {"vacuum": 5.0})
    return lambda junction: get_backend("pwcond")([junction], settings=accuracy, work=work)


@pytest.mark.engine
@pytest.mark.parametrize("invariant", ALWAYS, **named)
def test_a_kinked_wire_of_first_principles(with_pwcond, invariant):
    invariant(with_pwcond, kinked_wire(), BACKENDS["pwcond"], 0)


@pytest.mark.engine
def test_the_dataset_of_first_principles_is_that_of_every_backend(with_pwcond):
    check_dataset(with_pwcond, kinked_wire())
    assert with_pwcond(kinked_wire()).attrs["backend"] == "pwcond"


@pytest.mark.engine
def test_the_place_of_a_first_principles_wire_does_not_matter(with_pwcond):
    moved = kinked_wire()
    moved.positions += (0.731, 0.419, 5.3)  # by no step of its grid
    found, expected = per_k(with_pwcond(moved)), per_k(with_pwcond(kinked_wire()))
    assert expected.max() < 0.98  # a straight wire has 1.00
    np.testing.assert_allclose(found, expected, atol=BACKENDS["pwcond"].moved)


@pytest.mark.parametrize("model", list(MODELS))
@pytest.mark.parametrize("backend", [name for name, _ in cases(slow=True)[1:]] + [FAST])
@SLOW_EXAMPLES
@given(seed=SEEDS)
def test_backends_agree_with_one_dense_inversion(backend, model, seed):
    junction = disordered(seed, width=1, size=1, gap_layers=2)
    expected, found = (with_model(name, model)(junction) for name in (REFERENCE, backend))
    within = BACKENDS[backend].exact
    np.testing.assert_allclose(per_k(found), per_k(expected), atol=within)
    shared = min(found.sizes["channel"], expected.sizes["channel"])
    np.testing.assert_allclose(
        found["eigenchannels_k"][0, :, :shared],
        expected["eigenchannels_k"][0, :, :shared],
        atol=10.0 * within,
    )
    assert found.attrs["backend"] != expected.attrs["backend"]
    np.testing.assert_array_equal(found["open_channels"], expected["open_channels"])


def test_every_backend_is_in_this_suite():
    assert backend_names() == [FAST, *sorted(BACKENDS.keys() - {FAST})]
    assert set(LOCAL) == {name for name, declared in BACKENDS.items() if declared.models}


def test_an_unknown_backend_is_refused_with_the_names_of_all():
    with pytest.raises(SettingsError, match="'magic': choose tight-binding, dense, pwcond or sisl"):
        get_backend("magic")


def test_without_sisl_the_remedy_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(sisl_backend, "import_module", missing)
    with pytest.raises(EngineError, match=r"needs the program sisl .*nanogap\[cross-check\]"):
        get_backend("sisl")([chain(2.7)])
