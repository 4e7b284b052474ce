"""The histogram of a file that is read in pieces is that of the whole file."""

from dataclasses import fields

import numpy as np
import pytest

from nanogap.electrical import SeriesResistance
from nanogap.io import long_text
from nanogap.measured import DataFiles, DeviceResistances, histogram_campaign
from nanogap.measured import files as measured_files


def written(path, random, noise):
    way = np.concatenate([np.linspace(0, 1, 80), np.linspace(1, 0, 80)[1:]])
    volts = np.tile(np.concatenate([way, -way[1:]]), 8)
    level = np.repeat(random.choice([1.0, 2.0, 3.0], 8), len(volts) // 8) * 7.748e-5
    amperes = np.clip(volts * level, -1.0, 1.5e-4) * (1 + noise * random.normal(size=len(volts)))
    lines = [f"{v:.4f},{i:.6e}" for v, i in zip(volts, amperes, strict=True)]
    path.write_text("\n".join(["V (V),I (A)", *lines]) + "\n")
    return path


@pytest.mark.parametrize("compliance", [None, 1.5e-4])
@pytest.mark.parametrize("noise", [0.0, 0.003])
@pytest.mark.parametrize("piece", [97, 700, 10**6])
def test_any_chunking_gives_the_same_histogram(tmp_path, monkeypatch, compliance, noise, piece):
    random = np.random.default_rng(1)
    for name in ("a.csv", "b.csv"):
        written(tmp_path / name, random, noise)
    resistances = DeviceResistances(SeriesResistance(500.0, 100.0))
    files = DataFiles([tmp_path], resistances=resistances, compliance=compliance)
    whole = histogram_campaign(files).summary()
    assert whole.n_compliance > 100
    monkeypatch.setattr(long_text, "LOOKED_AT", 100)
    monkeypatch.setattr(long_text, "LONG", 0)
    read = []

    def in_pieces(path, columns):
        read.append(path)
        return long_text.read_long_text(path, columns, 20 * piece, piece)

    monkeypatch.setattr(measured_files, "read_long_text", in_pieces)
    pieces = histogram_campaign(files).summary()
    assert len(read) == 2
    for field in fields(whole):
        assert getattr(pieces, field.name) == getattr(whole, field.name), field.name
