"""The one format of a Hamiltonian's file: what is written is what is read."""

import dataclasses
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.errors import DataFormatError
from nanogap.transport.tight_binding.files import (
    load_model,
    model_from_table,
    model_to_toml,
    read_model,
)
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.transport.tight_binding.vacuum import VacuumTail

#: Ten digits are printed.
PRINTED = {"rtol": 1e-9, "atol": 0.0}
SEEDS = st.integers(0, 2**32 - 1)


def read_back(model, comment="made by a test"):
    return model_from_table(tomllib.loads(model_to_toml(model, comment)))


def assert_equal(found, model):
    for field in dataclasses.fields(TightBindingModel):
        one, other = getattr(found, field.name), getattr(model, field.name)
        if isinstance(other, np.ndarray | float):
            np.testing.assert_allclose(one, other, **PRINTED, err_msg=field.name)
        elif isinstance(other, VacuumTail):
            for name, value in vars(other).items():
                np.testing.assert_allclose(vars(one)[name], value, **PRINTED, err_msg=name)
        else:
            assert one == other, field.name


def random_model(seed, *, tail, neutrality):
    rng = np.random.default_rng(seed)

    def numbers(*shape):
        return rng.normal(size=shape) * 10.0 ** rng.uniform(-8.0, 3.0, shape)

    def pair():
        return tuple(np.sort(rng.uniform(1.0, 15.0, 2)))  # numpy's floats, as a fit may leave them

    vacuum = VacuumTail(
        *rng.uniform(1e-7, 2.0, 6), onset=pair(), end=pair(), bond=pair(), exposed=pair(),
        between=pair(),
    )  # fmt: skip
    return TightBindingModel(
        element=str(rng.choice(["Ag", "Au", "W"])),
        electrons_per_atom=float(rng.uniform(1.0, 12.0)),
        inner_cutoff=float(rng.uniform(3.0, 5.0)),
        cutoff=float(rng.uniform(5.0, 9.0)),
        hamiltonian=numbers(10, 4),
        overlap=numbers(10, 4),
        density_decay=float(rng.uniform(0.3, 4.0)),
        onsite=numbers(3, 4),
        potential_decay=float(rng.uniform(0.3, 4.0)),
        potential=numbers(3),
        vacuum=vacuum if tail else None,
        neutrality=np.stack([np.arange(5.0), numbers(5)]) if neutrality else np.zeros((2, 0)),
    )


def test_the_packaged_model_survives_the_round_trip():
    assert_equal(read_back(load_model()), load_model())


@given(seed=SEEDS, tail=st.booleans(), neutrality=st.booleans())
@settings(deadline=None, max_examples=60)
def test_any_model_survives_the_round_trip(seed, tail, neutrality):
    model = random_model(seed, tail=tail, neutrality=neutrality)
    assert_equal(read_back(model), model)


def test_what_is_read_is_written_again_the_same():
    text = model_to_toml(load_model(), "first")
    assert model_to_toml(model_from_table(tomllib.loads(text)), "first") == text


def test_a_comment_of_many_lines_is_no_content():
    text = model_to_toml(load_model(), 'element = "Au"\n\n[vacuum]\ndecay = 3')
    assert tomllib.loads(text) == tomllib.loads(model_to_toml(load_model(), ""))


@pytest.mark.parametrize("name", ["element", "overlap", "potential_decay"])
def test_a_file_without_something_is_refused_by_name(tmp_path, name):
    text = model_to_toml(load_model(), "")
    path = tmp_path / "model.toml"
    path.write_text(text.replace(f"{name}", f"not_{name}", 1))
    with pytest.raises(DataFormatError, match=f"model.toml is no Hamiltonian.*{name}"):
        read_model(path)
