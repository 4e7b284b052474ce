"""What every backend must obey, whatever it computes with: one suite for all of them.

The everyday number of examples is small; with ``--hypothesis-profile validation`` it is 200.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junctions import disordered, mirrored, turned_and_moved, with_lead_layer

from nanogap.errors import SettingsError
from nanogap.transport.backends import backend_names, get_backend
from nanogap.transport.hamiltonian import load_model

#: Few junctions every day, the profile's number otherwise.
PROMISED = settings.get_current_profile_name() == "validation"
EXAMPLES = settings() if PROMISED else settings(max_examples=4, deadline=None)
SLOW_EXAMPLES = settings() if PROMISED else settings(max_examples=2, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
K = {"kpoints": (1, 2)}
FAST = "tight-binding"
REFERENCE = "dense"
#: A model whose interactions reach over five layers, as one with a tail for tunnelling does.
FAR = replace(load_model(), inner_cutoff=7.0, cutoff=12.0)
ORTHOGONAL = replace(load_model(), overlap=np.zeros_like(load_model().overlap))
MODELS = {"near": load_model(), "far": FAR, "orthogonal": ORTHOGONAL}
EVERYDAY = [pytest.param(FAST, "near"), pytest.param(FAST, "far")]


def computed(backend, model, junction, **options):
    return get_backend(backend)([junction], [0.0, 0.2], model=MODELS[model], **K, **options)


def per_k(dataset):
    return dataset["transmission"].to_numpy()[0]


@pytest.mark.parametrize(("backend", "model"), EVERYDAY)
@EXAMPLES
@given(seed=SEEDS)
def test_channels_are_between_zero_and_one_and_sum_to_the_transmission(backend, model, seed):
    dataset = computed(backend, model, disordered(seed))
    channels = dataset["eigenchannels_k"].to_numpy()[0]
    assert channels.min() >= 0.0
    assert channels.max() <= 1.0 + 1e-9
    np.testing.assert_allclose(channels.sum(axis=1), per_k(dataset)[:, 0], atol=1e-9)
    most = dataset["open_channels"].to_numpy().min()
    assert dataset["transmission_average"].to_numpy()[0, 0] <= most + 1e-9
    fano = dataset["fano_factor"].item()
    assert 0.0 <= fano <= 1.0 or (np.isnan(fano) and not per_k(dataset)[:, 0].any())


@pytest.mark.parametrize(("backend", "model"), EVERYDAY)
@EXAMPLES
@given(seed=SEEDS)
def test_both_directions_conduct_alike(backend, model, seed):
    junction = disordered(seed)
    there, back = (computed(backend, model, j) for j in (junction, mirrored(junction)))
    # from the right at k is from the left at -k, which has the same transmission
    np.testing.assert_allclose(per_k(there), per_k(back), atol=1e-9)


@pytest.mark.parametrize(("backend", "model"), EVERYDAY)
@EXAMPLES
@given(seed=SEEDS)
def test_place_direction_and_numbering_do_not_matter(backend, model, seed):
    junction = disordered(seed)
    moved = turned_and_moved(junction, seed)
    expected, found = (computed(backend, model, j) for j in (junction, moved))
    np.testing.assert_allclose(per_k(found), per_k(expected), atol=1e-8)


@pytest.mark.parametrize(("backend", "model"), EVERYDAY)
@EXAMPLES
@given(seed=SEEDS, side=st.sampled_from(["left", "right"]))
def test_where_the_channel_is_cut_does_not_matter(backend, model, seed, side):
    junction = disordered(seed)
    longer = with_lead_layer(junction, side)
    expected, found = (computed(backend, model, j) for j in (junction, longer))
    np.testing.assert_allclose(per_k(found), per_k(expected), atol=1e-8)


@pytest.mark.parametrize("model", list(MODELS))
@pytest.mark.parametrize("backend", [FAST])
@SLOW_EXAMPLES
@given(seed=SEEDS)
def test_elimination_agrees_with_one_dense_inversion(backend, model, seed):
    junction = disordered(seed, width=1, size=2)
    expected, found = (computed(name, model, junction) for name in (REFERENCE, backend))
    np.testing.assert_allclose(per_k(found), per_k(expected), atol=1e-9)
    shared = min(found.sizes["channel"], expected.sizes["channel"])
    np.testing.assert_allclose(
        found["eigenchannels_k"][0, :, :shared],
        expected["eigenchannels_k"][0, :, :shared],
        atol=1e-8,
    )
    assert found.attrs["backend"] != expected.attrs["backend"]
    np.testing.assert_array_equal(found["open_channels"], expected["open_channels"])


def test_backends_are_found_by_the_names_of_their_files():
    assert {FAST, REFERENCE} <= set(backend_names())
    with pytest.raises(SettingsError, match="no backend 'magic'"):
        get_backend("magic")
