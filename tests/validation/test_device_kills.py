"""A device's measurement that is killed and resumed is the undisturbed one, to the bit."""

import pytest
from validation.device_kills import begin, differences, kill_often

#: The smallest needles with ions, a tenth of a second of protocol.
SMALLEST = (
    "geometry.base_width=12", "geometry.height=5", "geometry.gap=5", "geometry.fixed_layers=1",
    "geometry.margin=4", "geometry.upper_apex_width=same", "conductance.cell_widths=[4]",
    "conductance.kpoints=1", "medium.exchange_rate=1", "protocol.rate=20",
)  # fmt: skip


@pytest.mark.engine
def test_three_kills_change_no_bit(tmp_path):
    assert begin(tmp_path / "whole", SMALLEST, 10.0).wait() == 0
    met = kill_often(tmp_path / "killed", 3, 1, changes=SMALLEST, pause=0.05)
    assert len(met) == 3
    assert any(kill.kept > 0 for kill in met)
    assert differences(tmp_path / "killed", tmp_path / "whole") == []
