"""Continuity of T(t): pairs of snapshots by what moved, and the page that quotes them."""

import json
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms

from validation import continuity

ROOT = Path(__file__).resolve().parents[2]
DATA = json.loads((ROOT / "docs" / "data" / "continuity.json").read_text(encoding="utf-8"))


def frame(*places):
    atoms = Atoms(f"Ag{len(places)}", positions=places)
    atoms.info.update(
        lattice_constant=4.2,
        bottom_terrace=0.0,
        top_terrace=6.0,
        constriction_x=1.0,
        constriction_y=0.0,
    )
    return atoms


def test_atoms_far_from_the_constriction_do_not_count():
    before = frame((1.0, 1.0, 3.0), (9.0, 0.0, 3.0), (1.0, 0.0, -4.0))
    after = before.copy()
    after.positions += [[0.0, 0.3, 0.4], [2.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert continuity.near_constriction(before).tolist() == [True, False, False]
    assert continuity.displacement(before, after) == pytest.approx(0.5)


def test_no_step_without_a_moving_atom_is_a_jump():
    """T goes in small parts where the atoms do, and the cell is one."""
    steps = np.abs(np.diff(DATA["terrace"]))
    still = np.array(DATA["displacement"]) < continuity.STILL
    known = {int(number) for number in DATA["between"]}
    assert known == set(1 + np.flatnonzero(still & (steps > continuity.STEP)))
    for number, values in DATA["between"].items():
        ends = [DATA["terrace"][int(number) - 1], DATA["terrace"][int(number)]]
        assert [values[0], values[-1]] == pytest.approx(ends, abs=1e-6)
        assert np.abs(np.diff(values)).max() < 0.06


def test_the_page_repeats_the_stored_numbers():
    page = " ".join((ROOT / "docs" / "run-directory.md").read_text(encoding="utf-8").split())
    found = continuity.summary(DATA)
    for cut in continuity.CUTS:
        row = (
            f"| {found[f'{cut}_steps']:.0f} | {found[f'{cut}_largest']:.2f} | "
            f"{found[f'{cut}_late_rms']:.2f} | {found[f'{cut}_end']:.1f} |"
        )
        assert row in page
    assert f"| `paper` | {found['moves']:.0f} | {found['move_largest']:.2f} |" in page
    assert "| `terrace` | 0 | 0 |" in page
