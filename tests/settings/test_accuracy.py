import pytest

from nanogap.errors import SettingsError
from nanogap.settings import FirstPrinciplesSettings, accuracy_names, load_accuracy
from nanogap.transport.mesh import plane_mesh


@pytest.mark.parametrize("name", accuracy_names())
def test_every_packaged_accuracy_is_valid(name):
    settings = load_accuracy(name)
    assert settings.wave_cutoff is settings.density_cutoff is None
    assert 0.5 <= settings.wave_fraction <= 1.0


def test_the_papers_accuracy_is_the_papers():
    paper = load_accuracy("paper")
    assert paper.wave_fraction == paper.density_fraction == 1.0
    assert paper.planes == 3
    mesh = plane_mesh(paper.kpoints, gamma_centred=paper.gamma_centred, periodic=(True, True))
    assert len(mesh.computed) == 135


def test_changes_win_and_none_changes_nothing():
    settings = load_accuracy("validation", {"processes": 4, "mixing": None})
    assert settings.processes == 4
    assert settings.mixing == FirstPrinciplesSettings().mixing


def test_a_file_is_an_accuracy(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("subslabs = 5\n")
    assert load_accuracy(str(path)).subslabs == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("subslabs = 0", "subslabs = 0: must be a whole number from 1 to 15"),
        (
            "cutoff = 3",
            "accuracy .*mine.toml: unknown key 'cutoff'; the top level knows pseudopotential",
        ),
        ("subslabs", "mine.toml is not valid TOML"),
        ("wave_cutoff = 5.0", r"wave_cutoff = 5.0: must be a number from 10 to 200"),
    ],
)
def test_wrong_values_are_named_with_their_range(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=message):
        load_accuracy(str(path))


def test_an_unknown_accuracy_names_the_known_ones():
    with pytest.raises(SettingsError, match="choose coarse, paper, validation, or give a TOML"):
        load_accuracy("best")
