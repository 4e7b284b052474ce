"""The numbers of the page about wires: one is computed again, all are those of the data."""

import json
from pathlib import Path

import numpy as np
import pytest

from nanogap.settings.wire import load_wire_settings
from nanogap.wire import break_wire, result_of

DOCS = Path(__file__).resolve().parents[2] / "docs"
DATA = json.loads((DOCS / "data" / "wire-breakdown.json").read_text(encoding="utf-8"))
PAGE = (DOCS / "wire.md").read_text(encoding="utf-8")


def test_the_wire_of_the_page_breaks_as_it_did():
    (told,) = DATA["wire-breakdown"]["wires"]
    found = result_of(break_wire(load_wire_settings("wire-breakdown")))
    for name in ("resistance", "breakdown_voltage", "breakdown_current", "current_density"):
        assert getattr(found, name) == pytest.approx(told[name], rel=1e-3), name
    assert found.position == pytest.approx(told["position"], rel=0.01)
    assert found.melted == told["melted"]


def test_the_numbers_of_the_page_are_those_of_the_data():
    (one,) = DATA["wire-breakdown"]["wires"]
    assert f"{one['breakdown_voltage']:.2f} V and {1e3 * one['breakdown_current']:.1f} mA" in (
        " ".join(PAGE.split())
    )
    assert f"{one['current_density'] / 1e12:.2f}·10¹² A/m²" in PAGE
    wires = DATA["wire-breakdown-ensemble"]["wires"]
    volts = np.array([wire["breakdown_voltage"] for wire in wires])
    dense = np.array([wire["current_density"] for wire in wires]) / 1e12
    assert f"{volts.mean():.2f} ± {volts.std(ddof=1):.2f} V" in PAGE
    assert f"({dense.mean():.2f} ± {dense.std(ddof=1):.2f})·10¹² A/m²" in PAGE
    assert all(wire["melted"] for wire in wires)
