"""The measurement of what a longer update interval costs, on a potential that is known."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from validation import update_interval

ROOT = Path(__file__).resolve().parents[2]


def test_a_potential_that_drifts_evenly_is_off_by_the_time_since_the_update():
    slope, frames = 0.01, []
    for step in range(101):
        frame = Atoms("Ag2", positions=[(0, 0, 0), (0, 0, 3)])
        frame.new_array("electrode", np.array(["bottom", "mobile"]))
        frame.new_array("potential", np.array([-4.0, slope * step]))
        frames.append(frame)
    for row in update_interval.steady_errors(frames):
        n = row["interval"]
        lags = np.arange(100) % n
        assert row["rms"] == pytest.approx(slope * np.sqrt(np.mean(lags**2.0)), rel=1e-4)
        assert row["largest"] == pytest.approx(slope * (n - 1), abs=1e-9)


def test_the_page_repeats_the_stored_numbers():
    data = json.loads((ROOT / "docs" / "data" / "update_interval.json").read_text())
    page = (ROOT / "docs" / "electrochemistry.md").read_text(encoding="utf-8")
    rows = zip(data["first contact"]["steady"], data["lateral growth"]["steady"], strict=True)
    for contact, growth in rows:
        if contact["interval"] > 1:
            cells = [f"{1e3 * row['rms']:.0f} ({row['largest']:.1f})" for row in (contact, growth)]
            line = next(
                line for line in page.splitlines() if line.startswith(f"| {contact['interval']}")
            )
            assert " | ".join(["0", *cells]) in line
    assert all(row["rms"] == 0.0 for row in data["open gap"]["steady"])
