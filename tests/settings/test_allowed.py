import pytest

from nanogap.settings import Settings
from nanogap.settings.allowed import allowed_values


@pytest.mark.parametrize(
    ("section", "key", "words"),
    [
        ("structure", "base_width", "a number above 0, up to 1000"),
        ("structure", "fixed_layers", "a whole number from 1 to 20"),
        ("structure", "lattice_constant", "a number from 2 to 8 or 'equilibrium'"),
        ("structure", "element", "text"),
        ("dynamics", "fast_control", "true or false"),
        ("voltage", "applied", "a number from -100 to 100"),
        ("voltage", "mode", "'steady' or 'relaxation' or 'constant-potential'"),
        ("transport", "kpoints", "a list of two whole numbers from 1 to 64 or 'auto' or 'paper'"),
        ("transport", "energies", "text"),
    ],
)
def test_allowed_values_are_put_into_words(section, key, words):
    model = Settings.model_fields[section].annotation
    assert allowed_values(model.model_fields[key]) == words


def test_limits_of_text_and_of_whole_numbers_are_inclusive():
    assert allowed_values(Settings.model_fields["name"]) == "text of 1 to 80 characters"
    assert allowed_values(Settings.model_fields["seed"]).endswith("from 0 to 9223372036854775807")
