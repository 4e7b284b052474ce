import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanogap.errors import SettingsError
from nanogap.settings import Settings, load_settings, parse_energies, preset_names, preset_text
from nanogap.settings.device import load_device_settings


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_loads(name):
    assert load_settings(name).name == name


@pytest.mark.parametrize("voltage", [2.0, 8.0])
def test_paper_presets_are_the_papers_settings(voltage):
    settings = load_settings(f"paper-{voltage:.0f}v")
    structure, dynamics = settings.structure, settings.dynamics
    assert (structure.base_width, structure.gap) == (42.0, 8.3)
    assert settings.voltage.applied == voltage
    assert settings.voltage.mode == "relaxation"
    assert (dynamics.temperature, dynamics.time_step) == (800.0, 1.0)
    assert (dynamics.equilibration_time, dynamics.production_time) == (50e3, 3e6)
    assert dynamics.sampling_interval == 8600.0
    assert (settings.junction.cut, settings.junction.lead_repeats) == ("paper", 3)


def test_overrides_win_over_the_file():
    settings = load_settings("quick", ("voltage.applied=-2.5", "seed=9", "name=my run"))
    assert (settings.voltage.applied, settings.seed, settings.name) == (-2.5, 9, "my run")


@pytest.mark.parametrize("element", ["AgPt", "Ag, Au", "Ag/Pt", ["Ag", "Pt"]])
@pytest.mark.parametrize(
    ("load", "preset", "key"),
    [
        (load_settings, "quick", "structure.element"),
        (load_device_settings, "device-quick", "geometry.element"),
    ],
)
def test_tips_of_two_metals_are_refused_with_the_reason(load, preset, key, element):
    words = rf"{key} = .*: must be one metal, .* are not fitted; .*'pwcond'"
    with pytest.raises(SettingsError, match=words) as caught:
        load(preset, {key: element})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("element", "right"), [("ag", "Ag"), ("AU", "Au"), ("cU", "Cu")])
def test_a_symbol_in_the_wrong_case_is_told_in_the_right_one(element, right):
    with pytest.raises(SettingsError, match=rf"structure.element = .*: write '{right}'"):
        load_settings("quick", {"structure.element": element})


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("voltage.applied=abc", ["voltage.applied", "'abc'", "number"]),
        ("dynamics.time_step=-1", ["dynamics.time_step", "-1", "0.05"]),
        ("nonsense=1", ["unknown key", "'nonsense'", "voltage"]),
        ("voltage.nonsense=1", ["unknown key", "[voltage]", "applied"]),
        ("structure.lattice_constant=99", ["lattice_constant", "99", "2 to 8"]),
        ("transport.energies=1,2", ["transport.energies", "must contain 0"]),
        ("transport.energies=a:b", ["energies", "a:b"]),
        ("junction.max_repeats=1", ["max_repeats", "lead_repeats"]),
        ("dynamics.sampling_interval=1e8", ["sampling_interval", "production_time"]),
        ("voltage", ["key=value"]),
        ("name.deep=1", ["'name'", "not a section"]),
        ("seed=nan", ["seed"]),
        ("seed=true", ["seed", "whole number"]),
        ("voltage.applied=true", ["voltage.applied", "number from -100 to 100"]),
        ('voltage.applied="8"', ["voltage.applied", "'8'", "number"]),
        ("name=7", ["name", "text"]),
        ("transport.kpoints=[4]", ["transport.kpoints = [4]", "two whole numbers from 1 to 64"]),
        ("transport.kpoints=[0, 4]", ["transport.kpoints = [0, 4]", "two whole numbers"]),
        ("structure.lattice_constant=abc", ["structure.lattice_constant = 'abc'", "'equilibrium'"]),
        ("structure=1", ["structure = 1", "[structure]"]),
        ("dynamics.temperature=inf", ["dynamics.temperature"]),
    ],
)
def test_a_wrong_setting_is_one_sentence_that_names_it(override, words):
    with pytest.raises(SettingsError) as caught:
        load_settings("quick", (override,))
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_one_energy_may_be_written_as_a_number():
    settings = load_settings("quick", ("transport.energies=0", "transport.spectrum_energies=-0.5"))
    assert settings.transport.energies == "0"
    assert settings.transport.spectrum_energies == "-0.5"


def test_settings_survive_json():
    settings = load_settings("quick")
    assert Settings.model_validate(settings.model_dump(mode="json")) == settings


def test_unknown_preset_names_the_known_ones():
    with pytest.raises(SettingsError, match="quick"):
        load_settings("quickest")


@pytest.mark.parametrize("content", [b"a = [", b"\xff\xfe"])
def test_unreadable_file_is_named(tmp_path, content):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="broken"):
        load_settings(str(path))


def test_a_preset_is_a_settings_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(preset_text("quick"))
    assert load_settings(str(path)) == load_settings("quick")


def test_settings_come_from_names_paths_tables_and_settings(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[structure]\ngap = 6.0\n")
    table = {"structure": {"gap": 6.0}}
    assert load_settings(path) == load_settings(str(path)) == load_settings(table)
    assert load_settings() == Settings()
    quick = load_settings("quick")
    assert load_settings(quick) is quick
    changed = load_settings(quick, {"voltage.applied": 2, "transport.kpoints": (2, 3)})
    assert changed == load_settings("quick", ["voltage.applied=2", "transport.kpoints=[2, 3]"])
    assert table == {"structure": {"gap": 6.0}}
    with pytest.raises(SettingsError, match=r"settings: structure.gap = 'six': must be a number"):
        load_settings({"structure": {"gap": "six"}})
    with pytest.raises(SettingsError, match=r"source = \['quick'\]: give the name of a preset"):
        load_settings(["quick"])


@given(
    start=st.floats(-3, 0).map(lambda x: round(x, 2)),
    count=st.integers(0, 50),
    step=st.sampled_from([0.01, 0.05, 0.1, 0.25]),
)
def test_energy_ranges_include_both_ends(start, count, step):
    stop = start + count * step
    energies = parse_energies(f"{start}:{stop}:{step}")
    assert len(energies) == count + 1
    assert energies[0] == pytest.approx(start, abs=1e-9)
    assert energies[-1] == pytest.approx(stop, abs=1e-9)


def test_the_fermi_energy_of_a_range_is_exactly_zero():
    assert 0.0 in parse_energies("-1:1:0.05")


@pytest.mark.parametrize("text", ["", "a", "1:2", "1:0:0.1", "0:1:0", "0:1:-1", "nan", "0:1:1e-9"])
def test_wrong_energies_are_refused(text):
    with pytest.raises(SettingsError, match="energies"):
        parse_energies(text)
