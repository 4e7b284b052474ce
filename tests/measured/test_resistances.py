"""The curves for the series resistance find their devices."""

import pytest

from nanogap.electrical import SeriesResistance
from nanogap.errors import SettingsError
from nanogap.io.columns import parse_columns
from nanogap.measured import DeviceResistances


def pristine(folder, **ohms):
    for name, resistance in ohms.items():
        rows = "".join(f"{n / 100},{n / 100 / resistance}\n" for n in range(1, 50))
        (folder / f"{name}.csv").write_text(f"V (V),I (A)\n{rows}")
    return DeviceResistances.from_pristine(folder)


def test_a_curve_belongs_to_the_device_that_its_name_shares(tmp_path):
    found = pristine(tmp_path, A05_pristine=300.0, B07_pristine=900.0)
    for device in ("A05_gap", "a05", "A05-run2_levels"):
        assert found.of(device).resistance == pytest.approx(300.0, rel=1e-3)
    assert found.of("B07_gap").moved(1.0).resistance > 900.0
    with pytest.raises(SettingsError, match="'A05_pristine', 'B07_pristine'"):
        found.of("C01_gap")


def test_one_curve_that_says_no_device_counts_for_all(tmp_path):
    assert pristine(tmp_path, pristine=300.0).of("C01").resistance == pytest.approx(300.0, rel=1e-3)
    assert DeviceResistances(SeriesResistance(5.0)).of("any").resistance == 5.0


def test_columns_with_units_signs_and_commas():
    assert parse_columns("voltage=2:mV,current=-Id, time=Time, s") == {
        "voltage": "2:mV",
        "current": "-Id",
        "time": "Time, s",
    }
    with pytest.raises(SettingsError, match="twice"):
        parse_columns("voltage=2,voltage=3")
    with pytest.raises(SettingsError, match="states a unit"):
        parse_columns("volts=2")
