"""Limits of the current that a file states are those of its points, per point or per file."""

import numpy as np
import pytest

from nanogap.io import long_text, read_measurement
from nanogap.io.long_text import read_long_text
from nanogap.io.stated_limits import limit_column, limits_above
from nanogap.measured import DataFiles
from nanogap.measured.compliance import compliance_of
from nanogap.measured.long_files import traces_of

# a SET under 100 uA on the way up, a RESET under 1 mA on the way down; the steps are too few for
# a plateau to be seen in the curve
WAY = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.4, 0.3, 0.2, 0.1])
VOLTS = np.concatenate([WAY, -WAY] * 15)
LIMITS = np.where(VOLTS > 0, 1e-4, 1e-3)
AMPERES = np.sign(VOLTS) * np.minimum(np.abs(VOLTS) / 400.0, LIMITS)
LIMITED = np.abs(VOLTS) / 400.0 >= 0.99 * LIMITS


def written(path, name, factor=1.0, above=""):
    lines = [above + ("V (V),I (A)," + name).rstrip(",")]
    for volts, amperes, limit in zip(VOLTS, AMPERES, LIMITS, strict=True):
        lines.append(f"{volts:g},{amperes:.7g}" + (f",{limit / factor:g}" if name else ""))
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("Current limit (A)", 1.0),
        ("Compliance (A)", 1.0),
        ("Compliance (mA)", 1e-3),
        ("I_limit [uA]", 1e-6),
        ("Icc (A)", 1.0),
        ("Strombegrenzung (mA)", 1e-3),
        ("Compliance", 1.0),
    ],
)
def test_a_column_of_limits(tmp_path, monkeypatch, name, factor):
    path = written(tmp_path / "loops.csv", name, factor)
    assert read_measurement(path)["compliance"].to_numpy().tolist() == LIMITED.tolist()
    monkeypatch.setattr(long_text, "LOOKED_AT", 50)
    pieces = list(read_long_text(path, None, 500, 37).flag_pieces())
    assert len(pieces) > 3
    assert np.concatenate(pieces).tolist() == LIMITED.tolist()


@pytest.mark.parametrize(
    "above",
    ["Current compliance: 100 uA\n", "Compliance (A),1E-4\n", "# Current limit = 0.1 mA\n"],
)
def test_a_limit_above_the_table_holds_where_nothing_exceeds_it(tmp_path, monkeypatch, above):
    path = written(tmp_path / "loops.csv", "", above=above + "Voltage limit,2\n")
    found = compliance_of(read_measurement(path))
    expected = LIMITED & (VOLTS > 0)  # the free RESET exceeds it
    assert found.limited.tolist() == expected.tolist()
    assert (found.origin, found.current) == ("file", pytest.approx(1e-4))
    assert compliance_of(read_measurement(path), 1e-3).origin == "given"
    monkeypatch.setattr(long_text, "LOOKED_AT", 50)
    curve = read_long_text(path, None, 500, 37)
    pieces = [(one.compliance, one.limit) for one in traces_of(curve, DataFiles([path]))]
    assert np.concatenate([limited for limited, _ in pieces]).tolist() == expected.tolist()
    assert {(limit.origin, limit.current) for _, limit in pieces} == {("file", 1e-4)}


def test_other_limits_are_none():
    for name in ("Compliance (V)", "Voltage limit (V)", "Limit reached", "Range (A)", "Max I (A)"):
        assert limit_column(["V (V)", "I (A)", name]) is None
    assert limits_above({"voltage compliance": "2 V", "compliance": "5 V", "limit": "3"}) == {}


def test_a_limit_that_is_not_reached_limits_nothing(tmp_path):
    path = written(tmp_path / "loops.csv", "Current limit (A)", 0.01)
    assert not read_measurement(path)["compliance"].any()
