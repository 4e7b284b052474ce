"""Columns, units and times as programs and people write them."""

import numpy as np
import pytest

from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import read_measurement, read_measurements
from nanogap.io.clock import Clock
from nanogap.io.column_names import read_header
from nanogap.io.column_units import parse_unit, unit_row
from nanogap.io.dataset import is_instrument
from nanogap.measured import DataFiles
from nanogap.units import CONDUCTANCE_QUANTUM


def written(tmp_path, text, name="data.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def table(tmp_path, header, *columns):
    rows = "".join(",".join(map(str, row)) + "\n" for row in zip(*columns, strict=True))
    return written(tmp_path, f"{header}\n{rows}")


@pytest.mark.parametrize(
    ("text", "quantity", "factor"),
    [
        ("milliamps", "current", 1e-3),
        ("mA", "current", 1e-3),
        ("Amps", "current", 1.0),
        ("fA", "current", 1e-15),
        ("aA", "current", 1e-18),
        ("10^-6 A", "current", 1e-6),
        ("in Volt", "voltage", 1.0),
        ("\N{GREEK SMALL LETTER MU}V", "voltage", 1e-6),
        ("\N{MICRO SIGN}V", "voltage", 1e-6),
        ("seconds", "time", 1.0),
        ("msec", "time", 1e-3),
        ("hours", "time", 3600.0),
        ("ohms", "resistance", 1.0),
        ("kOhms", "resistance", 1e3),
        ("M\N{OHM SIGN}", "resistance", 1e6),
        ("2e\N{SUPERSCRIPT TWO}/h", "conductance", 1.0),
        ("2e2/h", "conductance", 1.0),
        ("e^2/h", "conductance", 0.5),
        ("G_0", "conductance", 1.0),
        ("siemens", "conductance", 1.0 / CONDUCTANCE_QUANTUM),
        ("uA/V", "conductance", 1e-6 / CONDUCTANCE_QUANTUM),
        ("1/kOhm", "conductance", 1e-3 / CONDUCTANCE_QUANTUM),
    ],
)
def test_units(text, quantity, factor):
    unit = parse_unit(text)
    assert unit is not None
    assert (unit.quantity, unit.factor) == (quantity, pytest.approx(factor))


@pytest.mark.parametrize("text", ["furlong", "mohm", "A/cm2", "a.u.", "", "log", "log10(I)", "k"])
def test_what_is_no_certain_unit(text):
    assert parse_unit(text) is None


@pytest.mark.parametrize(
    ("cell", "quantity", "factor"),
    [
        ("Current_mA_", "current", 1e-3),
        ("Current..mA.", "current", 1e-3),
        ("Current [mA]", "current", 1e-3),
        ("Current, mA", "current", 1e-3),
        ("Current (mA) measured", "current", 1e-3),
        ("Current0x28mA0x29", "current", 1e-3),
        ("current_u_a", "current", 1e-6),
        ("CURRENT (MA)", "current", 1e-3),
        ("TIME (MS)", "time", 1e-3),
        ("TIME (S)", "time", 1.0),
        ("mA", "current", 1e-3),
        ("Strom [mA]", "current", 1e-3),
        ("Corrente (mA)", "current", 1e-3),
        ("Corriente (uA)", "current", 1e-6),
        ("\N{CJK UNIFIED IDEOGRAPH-96FB}\N{CJK UNIFIED IDEOGRAPH-6D41}(mA)", "current", 1e-3),
        ("Tensi\N{LATIN SMALL LETTER O WITH ACUTE}n (mV)", "voltage", 1e-3),
        ("G (2e2/h)", "conductance", 1.0),
    ],
)
def test_units_in_names(cell, quantity, factor):
    found = read_header(cell)
    assert found.quantity == quantity
    assert found.unit is not None
    assert found.unit.factor == pytest.approx(factor)


@pytest.mark.parametrize(
    "cell",
    [
        "Compliance (A)",
        "Current limit (A)",
        "Icc",
        "Current Range",
        "VGS",
        "Gate Voltage (V)",
        "dI/dV",
        "V/I",
        "absI",
        "Strombegrenzung (A)",
        "Sample A",
        "Extension (nm)",
        "T (K)",
    ],
)
def test_what_is_never_a_reading(cell):
    assert read_header(cell).quantity is None


@pytest.mark.parametrize(
    "cell", ["Current__A_", "Current...A.", "Current (furlong)", "Voltage (A)", "I (A/cm2)"]
)
def test_a_unit_that_is_lost_or_foreign_is_refused(tmp_path, cell):
    other = "V (V)" if not cell.startswith("V") else "I (A)"
    with pytest.raises(SettingsError, match="unit"):
        read_measurement(table(tmp_path, f"{other},{cell}", [0.1, 0.2, 0.3], [1e-6, 2e-6, 3e-6]))


def test_a_line_of_units_may_have_a_line_of_remarks_below(tmp_path):
    assert unit_row(["V", "I"], ["(V)", "[uA]"]) == ["V (V)", "I (uA)"]
    assert unit_row(["V", "I"], ["x", "uA"]) is None
    read = read_measurement(written(tmp_path, "Time,V,I\ns,V,uA\nrun 3,a,b\n0,1,2\n1,1,2\n"))
    np.testing.assert_allclose(read["current"], 2e-6)


def test_a_chosen_column_keeps_its_unit_and_the_check(tmp_path):
    path = table(tmp_path, "Voltage_mV_,Current_uA_", [100, 200, 300], [10, 20, 30])
    for choice in ({"current": "Current_uA_"}, {"current": "2", "voltage": "1"}, {}):
        np.testing.assert_allclose(read_measurement(path, choice)["current"], [1e-5, 2e-5, 3e-5])
    bare = table(tmp_path, "1x,2x", [0.1, 0.2, 0.3], [100, 200, 300])
    with pytest.raises(DataFormatError, match="more than any such instrument"):
        read_measurement(bare, {"voltage": "1", "current": "2"})
    turned = read_measurement(bare, {"voltage": "1", "current": "2:uA"})
    np.testing.assert_allclose(turned["current"], [1e-4, 2e-4, 3e-4])
    with pytest.raises(SettingsError, match="unknown unit 'furlong'"):
        read_measurement(bare, {"voltage": "1", "current": "2:furlong"})


def test_a_conductance_names_its_unit(tmp_path):
    path = table(tmp_path, "Time (s),Conductance", [0, 1, 2], [7.7e-5, 7.8e-5, 7.7e-5])
    for choice in (None, {"conductance": "2"}):
        with pytest.raises(NanogapError, match=r"'conductance': '2:G0'.*2:S"):
            read_measurement(path, choice)
    read = read_measurement(path, {"conductance": "2:S"})
    np.testing.assert_allclose(read["conductance"], 1.0, rtol=0.02)
    logarithm = table(tmp_path, "Time (s),log10(G/G0)", [0, 1, 2], [0.0, 1.0, -2.0])
    np.testing.assert_allclose(read_measurement(logarithm)["conductance"], [1.0, 10.0, 0.01])
    vague = table(tmp_path, "Time (s),log conductance", [0, 1, 2], [0.3, 0.3, 0.3])
    with pytest.raises(SettingsError, match="log10"):
        read_measurement(vague)


def test_currents_of_the_other_terminal_are_told(tmp_path):
    path = table(tmp_path, "Vd,Is", [0.1, 0.2, 0.3, 0.4], [-1e-6, -2e-6, -3e-6, -4e-6])
    with pytest.raises(DataFormatError, match="'current': '-2'"):
        read_measurement(path)
    np.testing.assert_allclose(read_measurement(path, {"current": "-Is"})["current"][0], 1e-6)


def test_the_measured_column_comes_before_the_programmed_one(tmp_path):
    header = "Voltage set (V),Voltage measured (V),Compliance (A),Current (A),Ig"
    column = [1e-6, 2e-6, 3e-6]
    read = read_measurement(table(tmp_path, header, [1, 2, 3], [0.9, 1.9, 2.9], *[column] * 3))
    np.testing.assert_allclose(read["voltage"], [0.9, 1.9, 2.9])
    assert "not 'Voltage set (V)'" in read.attrs["notes"]
    with pytest.raises(SettingsError, match=r"column 1.*column 2"):
        read_measurement(table(tmp_path, "Current (A),Current (A),V", column, column, [1, 2, 3]))


HOURS = ["23:50:00", "23:55:00", "00:00:00", "00:05:00"]
FOUR = [0.1] * 4, [1e-6] * 4


@pytest.mark.parametrize(
    ("times", "step"),
    [
        (HOURS, 300.0),
        (["11:50:00 PM", "11:55:00 PM", "12:00:00 AM", "12:05:00 AM"], 300.0),
        (["59:50.0", "59:55.5", "00:01.0", "00:06.5"], 5.5),
        ([1.7e9, 1.7e9 + 60, 1.7e9 + 120, 1.7e9 + 180], 60.0),
        ([1.7e12, 1.7e12 + 60e3, 1.7e12 + 120e3, 1.7e12 + 180e3], 60.0),
        ([f"03/05/2024 {t}" for t in HOURS[:2]] + [f"04/05/2024 {t}" for t in HOURS[2:]], 300.0),
        ([f"05/03/2024 {t}" for t in HOURS[:2]] + [f"05/04/2024 {t}" for t in HOURS[2:]], 300.0),
        ([f"03.05.24 {t}" for t in HOURS[:2]] + [f"04.05.24 {t}" for t in HOURS[2:]], 300.0),
        ([f"3-May-2024 {t}" for t in HOURS[:2]] + [f"4-May-2024 {t}" for t in HOURS[2:]], 300.0),
        ([f"2024-05-03T{t}Z" for t in HOURS[:2]] + [f"2024-05-04T{t}Z" for t in HOURS[2:]], 300.0),
    ],
)
def test_clocks_and_dates(tmp_path, times, step):
    read = read_measurement(table(tmp_path, "Time,V (V),I (A)", times, *FOUR))
    np.testing.assert_allclose(read["time"], step * np.arange(4), atol=1e-6)


def test_date_time_and_fraction_in_three_columns(tmp_path):
    header = "Reading (A),Source (V),Date,Time,Fractional Seconds"
    dates = ["05/03/2024"] * 2 + ["05/04/2024"] * 2
    path = table(tmp_path, header, FOUR[1], FOUR[0], dates, HOURS, [0.25, 0.5, 0.25, 0.25])
    np.testing.assert_allclose(read_measurement(path)["time"], [0.0, 300.25, 600.0, 900.0])


def test_dates_that_could_be_either_are_left_out_with_a_note(tmp_path):
    times = ["03/05/2024", "04/05/2024", "05/05/2024", "06/05/2024"]
    read = read_measurement(table(tmp_path, "Time,V (V),I (A)", times, *FOUR))
    assert np.isnan(read["time"]).all()
    assert "day or the month first" in read.attrs["notes"]


def test_days_of_a_spreadsheet(tmp_path):
    days = [45415.0 + n / 1440 for n in range(4)]
    read = read_measurement(table(tmp_path, "Date,V (V),I (A)", days, *FOUR))
    np.testing.assert_allclose(read["time"], 60.0 * np.arange(4), atol=1e-4)
    read = read_measurement(table(tmp_path, "Stamp time,V (V),I (A)", days, *FOUR))
    assert "seconds or days" in read.attrs["notes"]


def test_sampling_rate_and_origin(tmp_path):
    path = written(tmp_path, "".join(f"{3.0 - 0.1 * n:.2f}\n" for n in range(20)), "trace.txt")
    read = read_measurement(path, {"conductance": "1"}, Clock(sampling_rate=10.0))
    np.testing.assert_allclose(read["time"], 0.1 * np.arange(20))
    assert "taken as G0" in read.attrs["notes"]
    late = table(tmp_path, "t (s),V (V),I (A)", [5000, 5001, 5002, 5003], *FOUR)
    np.testing.assert_allclose(read_measurement(late)["time"], np.arange(4))
    kept = read_measurement(late, clock=Clock(origin=4990.0))
    np.testing.assert_allclose(kept["time"], 10.0 + np.arange(4))
    with pytest.raises(SettingsError, match="after the first point"):
        read_measurement(late, clock=Clock(origin=5002.0))
    with pytest.raises(SettingsError, match="hertz"):
        Clock(sampling_rate=0.0)


def test_an_instrument_is_no_device():
    for name in ("Keithley 2450", "2614B", "K2636B", "Agilent B1500A", "SMU1", "4200-SCS"):
        assert is_instrument(name)
    for name in ("NW7", "A05", "sample 12", "wire 3"):
        assert not is_instrument(name)


def test_python_takes_columns_in_the_words_of_the_command_line(tmp_path):
    path = table(tmp_path, "a,b", [0.1, 0.2], [7.75, 15.5])
    as_text, as_mapping = "voltage=1:V,current=2:uA", {"voltage": "1:V", "current": "2:uA"}
    wanted = read_measurement(path, as_mapping)
    assert read_measurement(path, as_text).identical(wanted)
    assert read_measurements(path, as_text)["current"].values.tolist() == [7.75e-6, 1.55e-5]
    (found,) = DataFiles(path, as_text).measurements()
    assert found.identical(wanted)
    for refused in (lambda text: read_measurement(path, text), lambda text: DataFiles(path, text)):
        with pytest.raises(SettingsError, match=r"`columns=current`: write it as QUANTITY="):
            refused("current")
