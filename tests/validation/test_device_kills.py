"""A device's measurement that is killed and resumed is the undisturbed one, to the bit."""

import pytest
from validation.device_kills import CHANGES, begin, differences, kill_often


@pytest.mark.engine
def test_three_kills_change_no_bit(tmp_path):
    assert begin(tmp_path / "whole", CHANGES, 10.0).wait() == 0
    met = kill_often(tmp_path / "killed", 3, 1)
    assert len(met) == 3
    assert any(kill.kept > 0 for kill in met)
    assert differences(tmp_path / "killed", tmp_path / "whole") == []
    (tmp_path / "killed" / "device-1" / "points.f8").write_bytes(b"other")
    assert differences(tmp_path / "killed", tmp_path / "whole") == ["points.f8"]
