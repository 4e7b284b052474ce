"""Files as instruments and programs write them, with what stands above, among and below rows."""

import logging
import os
import re

import h5py
import numpy as np
import pytest
import xarray as xr

from nanogap.errors import DataFormatError, NanogapError
from nanogap.io import read_measurement, read_measurements
from nanogap.io.data_folders import DATA_SUFFIXES
from nanogap.units import CONDUCTANCE_QUANTUM

VOLTS = np.concatenate([np.arange(0.0, 1.0, 0.02), np.arange(1.0, -0.01, -0.02)]).round(4)
AMPERES = 1.2 * CONDUCTANCE_QUANTUM * VOLTS
SECONDS = 0.1 * np.arange(len(VOLTS))


def written(tmp_path, text, name="data.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def table(separator=",", decimal=".", quote=""):
    values = {"t": SECONDS, "V": VOLTS, "I": AMPERES}
    form = {"t": "{:.3f}", "V": "{:.4f}", "I": "{:.6e}"}
    lines = []
    for number in range(len(VOLTS)):
        cells = [form[key].format(values[key][number]).replace(".", decimal) for key in "tVI"]
        lines.append(separator.join(f"{quote}{cell}{quote}" for cell in cells))
    return "\n".join(lines) + "\n"


def assert_the_curve(read, times=1, rtol=1e-6):
    np.testing.assert_allclose(read["voltage"], np.tile(VOLTS, times), atol=1e-9)
    np.testing.assert_allclose(read["current"], np.tile(AMPERES, times), rtol=rtol, atol=1e-12)


STATISTICS = [
    "Min,0,0,0\nMax,9,1,9e-5\nMean,3,0.5,4e-5\nStdDev,1,1,1\nCV,58%,59%,59%\n",
    '"Mittelwert","3","0.5","4e-5"\n',
    "\nAverage,,\n3,0.5,4e-5\n",
    "\n\n3,0.5,4e-5\n0.1,0.2,3e-5\n",
    "Std Dev (n-1),2,0.3,1e-5\n",
    ",Mean,0.5\n",
]


@pytest.mark.parametrize("footer", STATISTICS)
def test_statistics_below_the_table_are_no_points(tmp_path, footer):
    read = read_measurement(written(tmp_path, "t (s),V (V),I (A)\n" + table() + footer))
    assert_the_curve(read)
    assert "passed over" in read.attrs["notes"]


@pytest.mark.parametrize(
    ("header", "separator"),
    [
        ("# t (s), V (V), I (A)", " "),
        ("Time Voltage Current", "\t"),
        ("# time [s], voltage [V], current [A]", " "),
        ("t (s)\tV (V)\tI (A)", " "),
        ("Elapsed Time (s)   Applied Voltage (V)   Current (A)", "\t"),
        ("t;V;I", ","),
        ("t (s) V (V) I (A)", "\t"),
        ("t\t\tV\t\tI\t\t", "\t"),
        ("t,V,I,Comment", ","),
    ],
)
def test_names_are_separated_otherwise_than_rows(tmp_path, header, separator):
    read = read_measurement(written(tmp_path, f"{header}\n{table(separator)}"))
    assert_the_curve(read)
    np.testing.assert_allclose(read["time"], SECONDS)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_quoted_decimal_commas(tmp_path, separator):
    header = separator.join(['"t (s)"', '"V (V)"', '"I (A)"'])
    read = read_measurement(written(tmp_path, f"{header}\n{table(separator, ',', quote=chr(34))}"))
    assert_the_curve(read)


def test_a_last_column_without_values_is_no_shift(tmp_path):
    path = written(tmp_path, "t,Comment,V,I\n" + table())
    with pytest.raises(DataFormatError, match="header names 4 columns"):
        read_measurement(path)


def test_a_wrong_cell_is_named_by_line_and_column(tmp_path):
    rows = table(";", ",").split("\n")
    rows[60] = "6,000;0,8000;Fehler"
    path = written(tmp_path, "# a remark\nt;V;I (A)\n\n" + "\n".join(rows))
    with pytest.raises(DataFormatError, match=r"line 64: 'Fehler' in column 'I \(A\)'.* \(1 such"):
        read_measurement(path)


def test_a_wrong_cell_in_the_first_row_is_no_header(tmp_path):
    with pytest.raises(DataFormatError, match="line 2: 'x2'"):
        read_measurement(written(tmp_path, "t,V,I\n0,x2,1e-6\n" + table()))


def test_units_below_names_that_are_numbers(tmp_path):
    text = "x-axis,1,2\nsecond,Volt,Volt\n" + table()
    read = read_measurement(written(tmp_path, text), {"voltage": "2", "current": "3:A"})
    assert read.sizes["point"] == len(VOLTS)


@pytest.mark.parametrize("last", ["0.9000,1.0e-05", "0.02,2e-07", "-0.02,-2e-07"])
def test_a_complete_last_line_without_line_end_is_data(tmp_path, last):
    # numbers of one length each, and numbers without trailing zeros
    plain = last.count("0") > 3
    rows = [
        f"{v:.4f},{i:.1e}" if plain else f"{v:g},{i:g}"
        for v, i in zip(VOLTS, VOLTS * 1e-5, strict=True)
    ]
    read = read_measurement(written(tmp_path, "V,I\n" + "\n".join([*rows, last])))
    assert read.sizes["point"] == len(VOLTS) + 1
    assert float(read["current"][-1]) == float(last.split(",")[1])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "cp1252", "latin-1"])
def test_encodings(tmp_path, encoding):
    text = "Fläche: 1 \N{MICRO SIGN}m2\nt (s),V (V),I (\N{MICRO SIGN}A)\n" + "".join(
        f"{t:.1f},{v:.4f},{i * 1e6:.6f}\n" for t, v, i in zip(SECONDS, VOLTS, AMPERES, strict=True)
    )
    assert_the_curve(read_measurement(written(tmp_path, text, encoding=encoding)), rtol=1e-4)


def test_one_bad_character_above_the_table_does_no_harm(tmp_path):
    for junk in (b"\xef\xbf\xbd", b"\xff\x81", b"\x00\x01"):
        path = tmp_path / "data.csv"
        path.write_bytes(b"Area: 1 " + junk + b"m2\nt,V,I\n" + table().encode())
        assert_the_curve(read_measurement(path))


def test_a_foreign_file_does_not_stop_a_folder(tmp_path, caplog):
    written(tmp_path, "t,V,I\n" + table(), "dev1.csv")
    written(tmp_path, "Probe station 2, Monday.\n", "notes.txt")
    written(tmp_path, "cycle,Vset,Vreset\n1,0.2,-0.3\n2,0.3,-0.3\n", "results.csv")
    written(tmp_path, "", "empty.dat")
    with caplog.at_level(logging.WARNING):
        assert_the_curve(read_measurements(tmp_path))
    assert [name in caplog.text for name in ("notes.txt", "results.csv", "empty.dat")] == [True] * 3
    with pytest.raises(DataFormatError, match=r"notes\.txt"):
        read_measurements([tmp_path, tmp_path / "notes.txt"])
    written(tmp_path, "t,V,I\n" + table().replace("1.0000", "1.x"), "dev2.csv")
    with pytest.raises(DataFormatError, match=r"dev2\.csv, line 52: '1\.x'"):
        read_measurements(tmp_path)


def easyexpert(compliance="1E-3"):
    return (
        "SetupTitle, Loop\nPrimitiveTest, I/V Sweep\n"
        "TestParameter, Channel.Unit, SMU1:HR, SMU2:HR\n"
        "TestParameter, Channel.IName, I1, I2\nTestParameter, Channel.VName, V1, V2\n"
        "TestParameter, Channel.Func, VAR1, CONST\n"
        f"TestParameter, Measurement.Bias.Compliance, {compliance}, 0.1\n"
        f"AnalysisSetup, Analysis.Setup.Title, Loop\nDimension1, {len(VOLTS)}, {len(VOLTS)}\n"
        "Dimension2, 1, 1\nDataName, V1, I1, V2, I2\n"
    ) + "".join(
        f"DataValue, {v:g}, {i:.6E}, 0, {-i:.6E}\n" for v, i in zip(VOLTS, AMPERES, strict=True)
    )


@pytest.mark.parametrize("times", [1, 2])
def test_easyexpert(tmp_path, times):
    read = read_measurement(written(tmp_path, (easyexpert() * times).rstrip("\n")))
    assert_the_curve(read, times)
    assert len(np.unique(read["cycle"])) == times
    assert read.attrs["measurement.bias.compliance"] == "1E-3, 0.1"


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("name", ["cv.mpt", "cv.txt"])
def test_ec_lab(tmp_path, decimal, name):
    rows = "".join(
        f"2\t{t:.3f}\t{v:.4f}\t{v:.4f}\t{i * 1e3:.6e}\t1\n".replace(".", decimal)
        for t, v, i in zip(SECONDS, VOLTS, AMPERES, strict=True)
    )
    header = "mode\ttime/s\tcontrol/V\tEwe/V\t<I>/mA\tcycle number\t\n"
    text = f"EC-Lab ASCII FILE\nNb header lines : 6\n\nArea : 1 \N{MICRO SIGN}m\n\n{header}{rows}"
    read = read_measurement(written(tmp_path, text, name, "cp1252"))
    assert_the_curve(read)
    np.testing.assert_allclose(read["time"], SECONDS)


def test_gamry(tmp_path):
    rows = "".join(
        f"\t{n}\t{t:.3f}\t{v:.4f}\t{i:.6e}\t0\t...........\n"
        for n, (t, v, i) in enumerate(zip(SECONDS, VOLTS, AMPERES, strict=True))
    )
    curve = (
        f"TABLE\t{len(VOLTS)}\n\tPt\tT\tVf\tIm\tVu\tOver\n\t#\ts\tV vs. Ref.\tA\tV\tbits\n{rows}"
    )
    text = f"EXPLAIN\nTAG\tCV\nTITLE\tLABEL\tx\tTest\nCURVE1\t{curve}CURVE2\t{curve}"
    read = read_measurement(written(tmp_path, text, "cv.DTA"))
    assert_the_curve(read, 2)


@pytest.mark.parametrize("decimal", [".", ","])
@pytest.mark.parametrize("times", ["column", "header"])
def test_labview_text(tmp_path, decimal, times):
    rows = "".join(
        f"{f'{t:.3f}' if times == 'column' else ''}\t{v:.4f}\t{i:.6e}\t\n".replace(".", decimal)
        for t, v, i in zip(SECONDS, VOLTS, AMPERES, strict=True)
    )
    text = (
        f"LabVIEW Measurement\t\nWriter_Version\t2\nSeparator\tTab\nDecimal_Separator\t{decimal}\n"
        "***End_of_Header***\t\n\nChannels\t2\t\t\nSamples\t101\t101\t\nDate\t2020/01/02\t\n"
        f"Y_Unit_Label\tVolts\tAmps\t\nX0\t0{decimal}0\t0{decimal}0\t\n"
        f"Delta_X\t0{decimal}100000\t0{decimal}100000\t\n***End_of_Header***\t\t\t\n"
        f"X_Value\tVoltage\tCurrent\tComment\n{rows}"
    )
    read = read_measurement(written(tmp_path, text, "data.lvm"))
    assert_the_curve(read)
    np.testing.assert_allclose(read["time"], SECONDS)


def test_labview_stream(tmp_path):
    path = written(tmp_path, "TDSm", "data.tdms")
    try:
        import nptdms
    except ImportError:
        with pytest.raises(DataFormatError, match=r"pip install 'nanogap\[tdms\]'"):
            read_measurement(path)
        return
    with pytest.raises(DataFormatError, match="tdms file"):
        read_measurement(path)
    with nptdms.TdmsWriter(path) as writer:
        writer.write_segment(
            [
                nptdms.ChannelObject(
                    "run", "Voltage", VOLTS, {"unit_string": "Volts", "wf_increment": 0.1}
                ),
                nptdms.ChannelObject("run", "Current", AMPERES, {"unit_string": "A"}),
            ]
        )
    read = read_measurement(path)
    assert_the_curve(read)
    np.testing.assert_allclose(read["time"], SECONDS)


def test_labber(tmp_path):
    path = tmp_path / "log.hdf5"
    text = h5py.string_dtype()
    with h5py.File(path, "w") as file:
        names = np.array([("SMU - Voltage", ""), ("SMU - Current", "")], [("n", text), ("i", text)])
        units = np.array(
            [("SMU - Voltage", "V"), ("SMU - Current", "A")], [("name", text), ("unitPhys", text)]
        )
        file["Channels"] = units
        file["Data/Channel names"] = names
        file["Data/Data"] = np.stack([VOLTS, AMPERES], axis=1)[:, :, None].repeat(2, axis=2)
    assert_the_curve(read_measurement(path), 2)


def test_qcodes(tmp_path):
    path = tmp_path / "exported.nc"
    data = xr.Dataset(
        {"smu_i": ("smu_v", AMPERES, {"units": "A", "long_name": "Current"})},
        {"smu_v": ("smu_v", VOLTS, {"units": "V", "long_name": "Voltage"})},
    )
    data.to_netcdf(path, engine="h5netcdf")
    assert_the_curve(read_measurement(path))


@pytest.mark.parametrize(
    "header", ["V (V),I (A),V (V),I (A)", "V (V),I (A),V (V).1,I (A).1", "V (V),I (A),I (A)"]
)
def test_curves_side_by_side(tmp_path, header):
    names = header.count(",") + 1
    rows = "".join(
        ",".join((f"{v:.4f},{i:.6e},{v:.4f},{i:.6e}".split(","))[:names])
        + (f",{i:.6e}" if names == 3 else "")
        + "\n"
        for v, i in zip(VOLTS, AMPERES, strict=True)
    )
    if names == 3:
        rows = "".join(f"{v:.4f},{i:.6e},{i:.6e}\n" for v, i in zip(VOLTS, AMPERES, strict=True))
    read = read_measurement(written(tmp_path, f"{header}\n{rows}"))
    assert_the_curve(read, 2)
    assert len(np.unique(read["cycle"])) == 2


def test_tables_below_each_other(tmp_path):
    text = "t,V,I\n" + table() + "\nIndex,V (V),I (A)\n" + table()
    assert_the_curve(read_measurement(written(tmp_path, text)), 2)


def test_long_digits_take_no_time(tmp_path):
    for text in ("V,I\n" + "1" * 300_000 + "x,2\n", "V,I\n" + "1" * 300_000 + "\n"):
        with pytest.raises(NanogapError):
            read_measurement(written(tmp_path, text))


def test_pipes_and_devices_are_refused(tmp_path):
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    with pytest.raises(DataFormatError, match="no regular file"):
        read_measurement(path)


def test_files_that_point_elsewhere_or_announce_too_much(tmp_path):
    path = tmp_path / "data.nc"
    with h5py.File(path, "w") as file:
        file["current"] = h5py.ExternalLink("/etc/other.h5", "/current")
    with pytest.raises(DataFormatError, match="link to another file"):
        read_measurement(path)
    (tmp_path / "raw").write_bytes(bytes(800))
    with h5py.File(path, "w") as file:
        file.create_dataset("current", (100,), "f8", external=[(str(tmp_path / "raw"), 0, 800)])
    with pytest.raises(DataFormatError, match="lie in other files"):
        read_measurement(path)
    with h5py.File(path, "w") as file:
        file.create_dataset("current", (10**12,), "f8", chunks=(1000,))
    with pytest.raises(DataFormatError, match="announces 8e"):
        read_measurement(path)


def workbook(path, sheets):
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


CURVE = [[float(v), float(i)] for v, i in zip(VOLTS, AMPERES, strict=True)]


@pytest.mark.parametrize(
    "sheets",
    [
        {"Data": [["V (V)", "I (A)"], *CURVE], "Summary": [["cycle", "Vset"], [1, 0.3], [2, 0.4]]},
        {"Data": [["V (V)", "I (A)"], *CURVE, ["mean", ""], [0.5, 5e-5]]},
        {"Data": [["V (V)", "I (A)"], *CURVE, ["Mean"], [0.5, 5e-5]], "Notes": [["Monday"]]},
        {"Data": [["Voltage", "Current"], ["V", "uA"], *([v, i * 1e6] for v, i in CURVE)]},
        {"Data": [["Device", "nw3"], [], ["V", "I"], *CURVE]},
    ],
)
def test_workbooks_that_people_added_to(tmp_path, sheets):
    assert_the_curve(read_measurement(workbook(tmp_path / "data.xlsx", sheets)))


def test_a_wrong_cell_of_a_workbook_is_named_by_sheet_and_row(tmp_path):
    path = workbook(tmp_path / "data.xlsx", {"A": [["V", "I"], *CURVE[:9], [0.2, "x"], *CURVE[9:]]})
    with pytest.raises(DataFormatError, match=r"sheet 'A', (row|line) 11: 'x' in column 'I'"):
        read_measurement(path)


def test_a_cell_far_out_is_one_sentence(tmp_path):
    import xlsxwriter

    path = tmp_path / "far.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["V", "I"])
        sheet.write_row(1, 0, [0.1, 1e-6])
        sheet.write(1048575, 16383, 1.0)
    with pytest.raises(DataFormatError, match=r"far\.xlsx cannot be read as an Excel workbook"):
        read_measurement(path)
    good = workbook(tmp_path / "good.xlsx", {"A": [["V", "I"], *CURVE]})
    assert_the_curve(read_measurement(good))


def test_every_ending_is_in_the_documentation():
    from pathlib import Path

    page = Path(__file__).resolve().parents[2] / "docs" / "formats.md"
    text = page.read_text()
    assert [suffix for suffix in DATA_SUFFIXES if not re.search(rf"{suffix}\b", text)] == []
