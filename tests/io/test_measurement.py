from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import (
    cycle_number,
    measurement,
    measurement_dataset,
    read_measurement,
    read_measurements,
    write_dataset,
)
from nanogap.synthetic.devices import level_sweeps, switching_loops
from nanogap.synthetic.instrument_files import DIALECTS, write_measurement
from nanogap.units import CONDUCTANCE_QUANTUM


def dataset_of(curve, **attrs):
    return measurement_dataset(
        time=curve.time,
        voltage=curve.voltage,
        current=curve.current,
        cycle=curve.cycle,
        compliance=curve.compliance,
        name="curve",
        attrs=attrs,
    )


@pytest.fixture(params=["loops", "levels"])
def curve(request):
    random = np.random.default_rng(2)
    if request.param == "loops":
        return switching_loops(random, cycles=3, step=0.05)
    return level_sweeps(random, cycles=3, points=300)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_round_trip(tmp_path, curve, dialect):
    made = dataset_of(curve, synthetic="yes", device="NW7")
    path = tmp_path / f"curve{DIALECTS[dialect][0]}"
    write_measurement(made, path, dialect)
    read = read_measurement(path)
    for key in ("time", "voltage", "current"):
        np.testing.assert_allclose(read[key], made[key], rtol=1e-8, atol=1e-15)
    np.testing.assert_array_equal(read["cycle"], made["cycle"])
    np.testing.assert_array_equal(read["direction"], made["direction"])
    assert read.attrs["synthetic"] == "yes"
    if dialect in {"csv", "netcdf", "keithley-4200-kxci"}:
        np.testing.assert_array_equal(read["compliance"], made["compliance"])
    if dialect != "netcdf":
        assert read["device_name"].to_numpy()[0] == "NW7"


def test_a_binary_workbook_of_an_older_instrument():
    """The file was written once, with seed 11, by a library that is no longer kept."""
    made = dataset_of(level_sweeps(np.random.default_rng(11), cycles=2, points=70))
    read = read_measurement(Path(__file__).with_name("keithley_4200.xls"))
    for key in ("time", "voltage", "current"):
        np.testing.assert_allclose(read[key], made[key], rtol=1e-8, atol=1e-15)
    for key in ("cycle", "direction"):
        np.testing.assert_array_equal(read[key], made[key])
    assert read.attrs["synthetic"] == "yes"
    assert read["device_name"].to_numpy()[0] == "NW7"


def written(tmp_path, text, name="data.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


ROWS = [(0.0, 0.1, 1e-6), (0.5, 0.2, 2e-6), (1.0, 0.3, 3e-6), (1.5, 0.4, 4e-6)]


@pytest.mark.parametrize(
    "text",
    [
        "time (s),voltage (V),current (A)\n0,0.1,1e-6\n0.5,0.2,2e-6\n1,0.3,3e-6\n1.5,0.4,4e-6\n",
        "Time,AnodeI,AnodeV\r\n0,1E-6,.1\r\n0.5,2E-6,.2\r\n1,3E-6,.3\r\n1.5,4E-6,.4\r\n",
        "Time,AI,AV\n0,1e-6,0.1\n0.5,2e-6,0.2\n1,3e-6,0.3\n1.5,4e-6,0.4",
        (
            "# a remark\n# t [ms]\tU/mV\tI (nA)\n0\t100\t1000\n500\t200\t2000\n"
            "1000\t300\t3000\n1500\t400\t4000\n"
        ),
        "t (s);V (V);I (\N{MICRO SIGN}A)\n0,0;0,1;1,0\n0,5;0,2;2,0\n1,0;0,3;3,0\n1,5;0,4;4,0\n",
        "t (s);V (V);I (\N{GREEK SMALL LETTER MU}A);\n0;0,1;1;\n0,5;0,2;2;\n1;0,3;3;\n1,5;0,4;4;\n",
        "t V I\n0 0.1 1e-6\n0.5 0.2 2e-6\n1 0.3 3e-6\n1.5 0.4 4e-6\n",
        "t V I\n  0   0,1  1e-6  \n 0,5  0,2 2e-6\n 1 0,3 3e-6\n 1,5 0,4 4e-6\n\n\n",
        "t,V,I\ns,V,uA\n0,0.1,1\n0.5,0.2,2\n1,0.3,3\n1.5,0.4,4\n",
        "t,V,I\n0,0.1,1e-6\n0.5,0.2,2e-6\n\nt,V,I\n1,0.3,3e-6\n# pause\n1.5,0.4,4e-6\n\n",
        '"t","V","I"\n"0","0.1","1e-6"\n"0.5","0.2","2e-6"\n"1","0.3","3e-6"\n"1.5","0.4","4e-6"\n',
        (
            "Model,2614B\nSource Function,V\nTimestamps,SourceValues,Readings\n"
            "0,0.1,1e-6\n0.5,0.2,2e-6\n1,0.3,3e-6\n1.5,0.4,4e-6\n"
        ),
        (
            "Time,AV,AI\n0,N+1.0E-01,N+1.0E-06\n0.5,N+2.0E-01,N+2.0E-06\n"
            "1,N+3.0E-01,N+3.0E-06\n1.5,N+4.0E-01,N+4.0E-06\n"
        ),
        "Date,V,I\n2024-01-05 10:00:00.0,0.1,1e-6\n2024-01-05 10:00:00.5,0.2,2e-6\n"
        "2024-01-05 10:00:01.0,0.3,3e-6\n2024-01-05 10:00:01.5,0.4,4e-6\n".replace("Date", "Time"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_dialects(tmp_path, text, encoding):
    if encoding == "cp1252" and "\N{GREEK SMALL LETTER MU}" in text:
        pytest.skip("the Greek letter is not in this code page")
    read = read_measurement(written(tmp_path, text, encoding=encoding))
    table = np.stack([read[key].to_numpy() for key in ("time", "voltage", "current")], axis=1)
    np.testing.assert_allclose(table, ROWS, rtol=1e-12)


@pytest.mark.parametrize(
    "header",
    [
        "Voltage (V),Current (A)",
        "U/mV,I/nA",
        "V_mV,I_nA",
        "bias mV,current nA",
        "AnodeV,AnodeI",
        "smua.v,smua.i",
        "VMeasCh1,IMeasCh1",
        "V1,I1",
        "Applied Voltage [V],Measured Current [A]",
        "SMU1V,SMU1I",
        "first (V),second (uA)",
    ],
)
def test_headers(tmp_path, header):
    factors = {"mV": 1e3, "nA": 1e9, "uA": 1e6}
    volts, amperes = (next((f for u, f in factors.items() if u in h), 1) for h in header.split(","))
    rows = "".join(f"{0.1 * n * volts:.9g},{1e-6 * n * amperes:.9g}\n" for n in range(1, 9))
    read = read_measurement(written(tmp_path, f"{header}\n{rows}"))
    np.testing.assert_allclose(read["voltage"], 0.1 * np.arange(1, 9))
    np.testing.assert_allclose(read["current"], 1e-6 * np.arange(1, 9))


def test_overflow_markers_and_blanks_are_missing(tmp_path):
    text = "t,V,I\n0,0.1,9.91E37\n1,0.2,2e-6\n2,0.3,\n3,0.4,NaN\n4,0.5,-9.9e37\n"
    read = read_measurement(written(tmp_path, text))
    assert np.isnan(read["current"].to_numpy()).tolist() == [True, False, True, True, True]
    assert "overflow" in read.attrs["notes"]


def test_status_letters_become_a_mask(tmp_path):
    rows = [f"{n},{status}+{n}.0E-01,{status}+1.0E-06" for n, status in enumerate("NCTLXV", 1)]
    read = read_measurement(written(tmp_path, "Time,AV,AI\n" + "\n".join(rows) + "\n"))
    assert read["compliance"].to_numpy().tolist() == [False, True, True, False, False, False]
    assert np.isnan(read["voltage"].to_numpy()).tolist() == [False] * 5 + [True]


def test_columns_can_be_chosen_by_name_or_number(tmp_path):
    path = written(tmp_path, "a,b,c\n1,2,30\n2,3,40\n3,4,50\n")
    with pytest.raises(DataFormatError, match=r"columns=.*voltage"):
        read_measurement(path)
    read = read_measurement(path, {"voltage": "c", "current": "1"})
    assert read["voltage"].to_numpy().tolist() == [30.0, 40.0, 50.0]
    assert read["current"].to_numpy().tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(SettingsError, match="no column 'd'"):
        read_measurement(path, {"voltage": "d"})


def test_stepped_columns_become_cycles(tmp_path):
    text = "AnodeI(1),AnodeV(1),AnodeI(2),AnodeV(2)\n1e-6,0.1,2e-6,0.1\n2e-6,0.2,4e-6,0.2\n"
    read = read_measurement(written(tmp_path, text))
    np.testing.assert_allclose(read["current"], [1e-6, 2e-6, 2e-6, 4e-6])
    assert read["cycle"].to_numpy().tolist() == [0, 0, 1, 1]


def test_two_terminals_leave_a_choice(tmp_path):
    path = written(tmp_path, "XV,XI,YV,YI\n1,1e-6,2,2e-6\n2,2e-6,3,3e-6\n")
    with pytest.raises(SettingsError, match="could all be the voltage"):
        read_measurement(path)
    named = written(tmp_path, "CathodeV,CathodeI,AnodeV,AnodeI\n0,-1e-6,2,1e-6\n0,-2e-6,3,2e-6\n")
    assert read_measurement(named)["voltage"].to_numpy().tolist() == [2.0, 3.0]


def test_times_that_begin_anew_run_on(tmp_path):
    rows = [f"{n / 10},{n / 20},{n / 20 * 1e-6}" for n in range(20)]
    read = read_measurement(written(tmp_path, "t,V,I\n" + "\n".join(rows * 5) + "\n"))
    assert (np.diff(read["time"]) > 0.0).all()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("hello\nworld\n", "no table"),
        ("V,I\n0,1,1,2E-06\n0,2,2,2E-06\n0,3,3,2E-06\n", "decimal mark"),
        ("V,I\n0.1,1e-6\n0.2,x2\n0.3,3e-6\n", "'x2'"),
        ("V,I\n0.1,1e-6\n0.2,2e-6,5\n0.3,3e-6\n", "header names 2"),
        ("V,I\n" + 500 * "0.1,1e-6\n" + "0.2,2e-6,5\n0.3,3e-6\n", "more than"),
        ("V (V),I (furlong)\n0.1,1\n0.2,2\n", "unknown unit 'furlong'"),
        ("V,I\n1e-6,0.1\n2e-6,0.2\n3e-6,0.3\n", "changed places"),
        ("V (V),I (A)\n1e4,0.1\n2e4,0.2\n", "instrument"),
        ("t,V,I\n3,0.1,1e-6\n2,0.2,2e-6\n1,0.3,3e-6\n", "backwards"),
        ("V,I\n0.1,1e-6\n\x00\x010.2,2e-6\n", "binary"),
        ("time (s)\n1\n2\n", "no table"),
    ],
)
def test_bad_files_get_one_sentence(tmp_path, text, words):
    with pytest.raises(NanogapError, match=words) as caught:
        read_measurement(written(tmp_path, text))
    assert "data.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_unknown_files(tmp_path):
    with pytest.raises(DataFormatError, match="no file"):
        read_measurement(tmp_path / "none.csv")
    with pytest.raises(DataFormatError, match="unknown kind"):
        read_measurement(written(tmp_path, "1", "data.doc"))
    with pytest.raises(DataFormatError, match="holds no file"):
        read_measurements([tmp_path / "."])


def test_a_folder_is_one_data_set(tmp_path):
    for number in range(3):
        curve = level_sweeps(np.random.default_rng(number), cycles=2, points=100)
        write_measurement(dataset_of(curve), tmp_path / f"sweep_nw{number}.csv", "csv")
    read = read_measurements([tmp_path])
    assert read.sizes == {"point": 600, "source": 3}
    assert read["file_name"].to_numpy().tolist() == [f"sweep_nw{n}.csv" for n in range(3)]
    assert read["device_name"].to_numpy().tolist() == ["nw0", "nw1", "nw2"]
    np.testing.assert_array_equal(read["file"], np.repeat([0, 1, 2], 200))
    np.testing.assert_array_equal(cycle_number(read), np.repeat(np.arange(6), 100))


def test_resistance_and_conductance_columns(tmp_path):
    read = read_measurement(written(tmp_path, "t (s),R (kohm)\n0,12.906404\n1,6.453202\n"))
    np.testing.assert_allclose(read["conductance"], [1.0, 2.0], rtol=1e-6)
    read = read_measurement(written(tmp_path, "t (s),G (uS)\n0,77.48091730\n1,154.9618346\n"))
    np.testing.assert_allclose(read["conductance"], [1.0, 2.0], rtol=1e-6)
    assert pytest.approx(77.48091730e-6, rel=1e-6) == CONDUCTANCE_QUANTUM


def test_transmissions_of_a_run_are_conductances(tmp_path):
    transmission = xr.Dataset(
        {"transmission_average": (("snapshot", "energy"), [[0.5, 0.9], [0.5, -1e-9], [0.1, 1.9]])},
        coords={
            "snapshot": [0, 1, 2],
            "energy": [-0.5, 0.0],
            "time": ("snapshot", [0.0, 5.0, 9.0]),
        },
    )
    write_dataset(transmission, tmp_path / "transmission.nc")
    read = read_measurement(tmp_path / "transmission.nc")
    assert read["conductance"].to_numpy().tolist() == [0.9, 0.0, 1.9]
    np.testing.assert_allclose(read["time"], [0.0, 5e-15, 9e-15])
    assert "simulated" in read.attrs


def test_damaged_netcdf(tmp_path):
    path = tmp_path / "data.nc"
    path.write_bytes(b"no netCDF at all")
    with pytest.raises(DataFormatError, match="cannot be read"):
        read_measurement(path)
    write_dataset(xr.Dataset({"a": ("x", [1.0])}), path)
    with pytest.raises(DataFormatError, match="neither a measurement"):
        read_measurement(path)


def test_paths_are_text_or_paths_one_or_several(tmp_path):
    path = written(tmp_path, "V (V),I (A)\n0.1,1e-6\n0.2,2e-6\n")
    expected = read_measurement(path)
    assert read_measurement(str(path)).identical(expected)
    for given in (path, str(path), [path], (str(path),), tmp_path, str(tmp_path)):
        assert read_measurements(given)["voltage"].to_numpy().tolist() == [0.1, 0.2]
    with pytest.raises(DataFormatError, match="no file levels"):
        read_measurements("levels")
    with pytest.raises(SettingsError, match="one file; read_measurements reads several"):
        read_measurement([path])
    for wrong in (5, None, expected):
        with pytest.raises(SettingsError, match="name a file or folder, as str or Path"):
            read_measurements(wrong)
    with pytest.raises(DataFormatError, match="read_measurements reads all files in it"):
        read_measurement(tmp_path)


def test_a_file_that_does_not_fit_into_memory_is_refused_first(tmp_path, monkeypatch):
    path = written(tmp_path, "V,I\n" + "0.1,1e-6\n" * 100)
    monkeypatch.setattr(measurement, "_SMALL", 100)
    monkeypatch.setattr(measurement, "available_memory", lambda: 1000.0)
    with pytest.raises(DataFormatError, match=r"needs about .* GB of memory .* cut it into"):
        read_measurement(path)
    monkeypatch.setattr(measurement, "available_memory", lambda: 1e9)
    assert read_measurement(path).sizes["point"] == 100
