"""What every backend must obey, whatever it computes with: one suite for all of them.

The everyday number of examples is small; with ``--hypothesis-profile validation`` it is 200, of
slow backends 20.
"""

import inspect
from dataclasses import dataclass, replace
from typing import get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.transport.espresso_programs import need
from tests.transport.junctions import chain, disordered, mirrored, turned_and_moved, with_lead_layer

from nanogap.cli.transmission import transmission as transmission_command
from nanogap.errors import EngineError, NanogapError, SettingsError, StructureError
from nanogap.settings import load_accuracy
from nanogap.transport import backends
from nanogap.transport.backends import Backend, backend_names, get_backend
from nanogap.transport.backends import _contract as contract
from nanogap.transport.backends import sisl as sisl_backend
from nanogap.transport.compute import compute_transmission
from nanogap.transport.tight_binding.files import load_model, packaged_elements

#: A model whose interactions reach over five layers, as one with a tail for tunnelling does.
FAR = replace(load_model(), inner_cutoff=7.0, cutoff=12.0)
ORTHOGONAL = replace(load_model(), overlap=np.zeros_like(load_model().overlap))
#: A model whose levels split by the directions of the neighbours, larger than in any metal.
FIELD = np.column_stack([np.linspace(-0.1, 0.1, 10), np.linspace(0.1, 0.2, 10), [0.1] * 10])
SPLIT = replace(
    load_model(),
    crystal_field=np.column_stack([FIELD, [1.7] * 10]),
    neighbour_potential=np.array([0.1, -0.1, 0.1, 1.4]),
)
MODELS = {"near": load_model(), "far": FAR, "orthogonal": ORTHOGONAL, "split": SPLIT}
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
    FAST: Declared(1e-9, 1e-8, ("near", "far", "split"), slow=False),
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
        function = get_backend(backend).with_options(model=MODELS[model])
        return function([junction], energies, kpoints=(1, 2))

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
    compute = get_backend("pwcond").with_options(settings=accuracy, work=work)
    return lambda junction: compute([junction])


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
    for name, declared in BACKENDS.items():
        # every backend that takes a Hamiltonian is tried with one
        assert get_backend(name).capabilities.takes_model == bool(declared.models), name


@pytest.mark.parametrize("name", list(BACKENDS))
def test_a_backend_has_the_signature_of_all(name):
    backend = get_backend(name)
    assert isinstance(backend, Backend)
    found = inspect.signature(backend.compute_transmission).parameters
    wanted = dict(inspect.signature(contract.ComputeTransmission.__call__).parameters)
    del wanted["self"]
    types, wanted_types = (
        get_type_hints(function)
        for function in (backend.compute_transmission, contract.ComputeTransmission.__call__)
    )
    assert list(found)[:2] == list(wanted)[:2]
    for argument, parameter in wanted.items():
        assert found[argument].kind == parameter.kind
        accepted = get_args(types[argument]) or (types[argument],)
        needed = get_args(wanted_types[argument]) or (wanted_types[argument],)
        assert set(needed) <= set(accepted), argument
        if argument not in {"junctions", "kpoints"}:
            assert found[argument].default == parameter.default
    assert types["return"] == wanted_types["return"]


@pytest.mark.parametrize("name", list(BACKENDS))
def test_what_a_backend_takes_besides_is_typed_and_has_a_default(name):
    backend = get_backend(name)
    for option in backend.options.values():
        assert option.type is not None
        assert option.default is not inspect.Parameter.empty, option
    assert ("model" in backend.options) == backend.capabilities.takes_model
    with pytest.raises(SettingsError, match=f"magic: backend '{name}' has no such argument; it"):
        backend.with_options(magic=1)


@pytest.mark.parametrize("name", list(BACKENDS))
def test_capabilities_say_what_is_there(name):
    capabilities = get_backend(name).capabilities
    if capabilities.elements is not None:
        assert capabilities.elements == packaged_elements()
        with pytest.raises(SettingsError, match="no tight-binding Hamiltonian for element 'W'"):
            get_backend(name).compute_transmission([tungsten()])
    if capabilities.energy_window is not None:
        for energy in (capabilities.energy_window[0] - 0.1, capabilities.energy_window[1] + 0.1):
            with pytest.raises(SettingsError, match=r"is trusted from .* eV only"):
                get_backend(name).compute_transmission([chain(2.7)], [energy])
    local = get_backend(name).compute_local
    if local is not None:
        found = local(chain(2.7))["transmission"].item()
        assert found == pytest.approx(1.0, abs=1e-6)


def tungsten():
    wire = chain(2.7)
    wire.symbols[:] = "W"
    return wire


@pytest.mark.parametrize("element", ["W", "S"])
@pytest.mark.parametrize("place", [0, 2, 4])
@pytest.mark.parametrize("name", list(BACKENDS))
def test_another_atom_is_not_taken_for_silver(name, place, element, tmp_path):
    """Found with dense, sisl and pwcond: T to the last digit that of silver, whatever the atom."""
    wire = chain(2.7)
    wire.symbols[place] = element
    options = {"work": tmp_path, "settings": load_accuracy("coarse")} if name == "pwcond" else {}
    with pytest.raises(NanogapError, match=rf"{element}\b") as caught:
        get_backend(name).with_options(**options)([wire], names=["frame 3"])
    assert str(caught.value).startswith("frame 3")
    compute_local = get_backend(name).compute_local
    if compute_local is not None:
        both = " and ".join(sorted(["Ag", element]))
        sentence = f"frame 3: the junction has {both} atoms, and tight binding takes one element"
        assert str(caught.value).startswith(sentence)
        with pytest.raises(StructureError, match=sentence):
            compute_local(wire, name="frame 3")
    if get_backend(name).capabilities.onsite_shifts:
        with pytest.raises(StructureError, match=r"backend 'pwcond' takes several elements"):
            compute_transmission(wire, backend=name, neutrality="coordination")


SHIFTED = [name for name in BACKENDS if get_backend(name).capabilities.onsite_shifts]


@pytest.mark.parametrize("name", SHIFTED)
def test_shifts_of_the_levels_are_taken_where_the_backend_says_so(name):
    junction = chain(2.7, n_channel=3)
    plain = get_backend(name).compute_transmission([junction])["transmission"].item()
    junction.set_array("onsite_shift", np.array([0.0, 0.0, 1.0, 0.0, 0.0]))
    shifted = get_backend(name).compute_transmission([junction])["transmission"].item()
    assert shifted < plain - 0.05


def test_a_backend_is_one_file_found_by_its_name(tmp_path, monkeypatch):
    (tmp_path / "one_more.py").write_text(
        "from nanogap.transport.backends import Backend, Capabilities\n"
        "from nanogap.transport.backends.dense import compute_transmission\n"
        "BACKEND = Backend(compute_transmission, Capabilities(True, False))\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(backends, "__path__", [*backends.__path__, str(tmp_path)])
    assert "one-more" in backend_names()
    assert get_backend("one-more").name == "one-more"
    assert get_backend("one-more").compute_local is None
    dataset = compute_transmission(chain(2.7), backend="one-more")
    assert dataset["transmission"].item() == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(SettingsError, match="one-more is self-consistent already"):
        compute_transmission(chain(2.7), backend="one-more", neutrality="coordination")


def test_the_command_line_names_every_backend():
    parameters = inspect.signature(transmission_command).parameters
    (option,) = parameters["backend"].annotation.__metadata__
    assert set(option.help.split(": ")[1].split(", ")) == set(backend_names())


def test_an_unknown_backend_is_refused_with_the_names_of_all():
    with pytest.raises(SettingsError, match="'magic': choose tight-binding, dense, pwcond or sisl"):
        get_backend("magic")


def test_without_sisl_the_remedy_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(sisl_backend, "import_module", missing)
    with pytest.raises(EngineError, match=r"needs the program sisl .*nanogap\[cross-check\]"):
        get_backend("sisl").compute_transmission([chain(2.7)])
