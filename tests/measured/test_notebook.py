"""The short calls for a notebook: any data in, a computed analysis and a figure out."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure

from nanogap.analysis import (
    AlignedHistogram,
    ConductanceHistogram,
    NoiseAnalysis,
    SwitchingAnalysis,
    WeibullFit,
)
from nanogap.electrical import SeriesResistance
from nanogap.errors import DataFormatError, NanogapError, SettingsError
from nanogap.io import measurement_dataset, read_measurement, read_measurements
from nanogap.measured import (
    DataFiles,
    DeviceResistances,
    histogram_campaign,
    notebook,
    switching_campaign,
)
from nanogap.synthetic import write_synthetic


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("notebook")
    write_synthetic(base / "levels", "levels", seed=1, n_devices=2, cycles=6, points=400)
    write_synthetic(base / "switching", "switching", seed=2, cycles=8)
    for kind in ("retention", "telegraph", "breakdown"):
        write_synthetic(base / kind, kind, seed=3, n_devices=1)
    return base


def one_file(folder):
    return min(folder.glob("*.csv"))


def test_a_histogram_of_anything_is_the_same(folder):
    files = sorted((folder / "levels").glob("*.csv"))
    expected = histogram_campaign(DataFiles(files)).main
    datasets = [read_measurement(path) for path in files]
    for data in (files, [str(path) for path in files], datasets, read_measurements(files)):
        found = notebook.histogram(data)
        np.testing.assert_array_equal(found.counts, expected.counts)
        assert found.n_cycles == expected.n_cycles == 6
        assert found.synthetic
    subtracted = histogram_campaign(
        DataFiles(files, resistances=DeviceResistances(SeriesResistance(500.0)))
    ).main
    np.testing.assert_array_equal(
        notebook.histogram(files, series_resistance=500.0).counts, subtracted.counts
    )


def test_conductances_are_counted_to_the_last_bit():
    values = np.arange(1, 200) * 0.05
    expected = ConductanceHistogram(0.05, 10.0).compute(values).counts
    kinds = (values, values.tolist(), tuple(values), xr.DataArray(values), pd.Series(values))
    for data in kinds:
        np.testing.assert_array_equal(notebook.histogram(data).counts, expected)
    np.testing.assert_array_equal(notebook.histogram([values, values]).counts, 2 * expected)
    assert notebook.histogram([values, values.tolist()]).n_cycles == 2
    run = xr.Dataset({"transmission_average": ("snapshot", values)})
    np.testing.assert_array_equal(notebook.histogram(run).counts, expected)


def test_plateaus_of_several_are_numbered_through(folder):
    steps = np.repeat([1.0, 2.0], 20)
    found = notebook.plateaus([steps, 3.0 * steps, [1.0, 2.0]])
    assert [(one.first, one.last) for one in found.plateaus] == [
        (0, 20),
        (20, 40),
        (40, 60),
        (60, 80),
    ]
    assert found.steps == [20, 60]
    assert found.n_skipped == 1
    path = one_file(folder / "levels")
    by_cycle = notebook.plateaus(path, minimum_step=0.1)
    data = read_measurement(path)
    ends = np.flatnonzero(np.diff(data["cycle"])) + 1
    assert not any(one.first < end < one.last for one in by_cycle.plateaus for end in ends)


def test_switching_is_that_of_the_command(folder):
    ((_, expected),) = switching_campaign(DataFiles(folder / "switching")).rows
    found = notebook.switching(folder / "switching")
    assert found.events == expected.events
    # twice the same device: its cycles go on
    data = read_measurement(one_file(folder / "switching"))
    twice = notebook.switching([data, data])
    assert len(twice.endurance["cycle"]) == 2 * len(expected.endurance["cycle"])


def test_one_trace_for_noise_retention_and_breakdown(folder):
    noisy = notebook.noise(folder / "telegraph")
    assert noisy.interval == pytest.approx(0.01)
    assert notebook.retention(read_measurement(one_file(folder / "retention"))).exponent < 0.0
    assert notebook.breakdown(folder / "breakdown").found
    for call in (notebook.noise, notebook.retention, notebook.breakdown):
        with pytest.raises(DataFormatError, match="is of one trace, and there are 2: give one"):
            call([np.ones(100), np.ones(100)])


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: notebook.histogram([]), "no conductance to count"),
        (lambda: notebook.histogram([np.nan, np.nan]), "no conductance to count"),
        (lambda: notebook.histogram(np.ones((3, 4))), "the conductance has the shape"),
        (lambda: notebook.histogram("levels"), "no file levels"),
        (lambda: notebook.histogram(["levels", "more"]), "no file levels"),
        (lambda: notebook.histogram(None), "must be real numbers"),
        (lambda: notebook.histogram(xr.Dataset({"x": ("y", [1.0])})), "no measurement"),
        (lambda: notebook.histogram([1.0], series_resistance=-1.0), "series resistance is -1"),
        (lambda: notebook.plateaus([1.0]), "too short"),
        (lambda: notebook.plateaus([]), "too short"),
        (lambda: notebook.switching([1.0, 2.0]), "needs voltage and current"),
        (lambda: notebook.breakdown([1.0, 2.0]), "needs voltage and current"),
        (lambda: notebook.noise(np.ones(100)), "give interval, in s"),
        (lambda: notebook.noise([], interval=1.0), "64 samples"),
        (lambda: notebook.retention(np.ones(100)), "no time"),
        (lambda: notebook.retention(np.ones(100), np.ones(3)), "there are 3 of time"),
        (lambda: notebook.plot([1.0]), "there is no figure of 'list'"),
        (lambda: ConductanceHistogram([1.0, 2.0]), "give the data to compute()"),
    ],
)
def test_what_does_not_work_says_what_would(call, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NanogapError) as caught:
        call()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def results(folder):
    rising = AlignedHistogram((-5.0, 5.0), abscissa_bins=10)
    rising.add(np.arange(12.0), np.where(np.arange(12) < 4, 0.1, 1.2))
    return [
        notebook.histogram(folder / "levels"),
        notebook.plateaus(one_file(folder / "levels")),
        notebook.switching(folder / "switching"),
        notebook.noise(folder / "telegraph"),
        notebook.retention(folder / "retention"),
        notebook.breakdown(folder / "breakdown"),
        rising,
        WeibullFit().compute([1.0, 1.1, 1.3, 1.4]),
    ]


def test_every_result_has_a_figure_and_synthetic_ones_say_so(folder, tmp_path):
    for place, result in enumerate(results(folder)):
        figure = notebook.plot(result)
        assert isinstance(figure, Figure)
        assert figure.axes
        path = tmp_path / f"{place}.svg"
        figure.savefig(path)
        assert result.synthetic == (place < 6)
        texts = " ".join(text.get_text() for text in figure.texts)
        assert ("SYNTHETIC" in texts) == result.synthetic


def test_a_figure_needs_data():
    for empty in (ConductanceHistogram(), SwitchingAnalysis(), NoiseAnalysis(1.0)):
        with pytest.raises(AttributeError, match=r"call compute\(\) first"):
            notebook.plot(empty)


def test_synthetic_data_of_several_seeds_stay_synthetic(tmp_path):
    for seed in (1, 2):
        write_synthetic(tmp_path / str(seed), "retention", seed=seed, n_devices=1)
    assert "no measurement" in read_measurements(tmp_path).attrs["synthetic"]


def test_a_bad_parameter_is_the_analysis_own():
    with pytest.raises(SettingsError, match="bin width is 0"):
        notebook.histogram([1.0], bin_width=0)


@pytest.mark.parametrize("analysis", [notebook.noise, notebook.retention])
def test_a_sweep_is_no_state_that_was_read(analysis):
    volts = np.tile(np.concatenate([np.linspace(0, 1, 100), np.linspace(1, 0, 100)]), 3)
    sweep = measurement_dataset(
        time=0.1 + 0.1 * np.arange(600.0), voltage=volts, current=1e-4 * volts + 1e-9
    )
    with pytest.raises(DataFormatError, match=r"is a sweep .* constant voltage"):
        analysis(sweep)


def test_errors_speak_of_arguments(tmp_path):
    path = tmp_path / "bare.csv"
    path.write_text("".join(f"{n},{0.1 * n},{1e-6 * n}\n" for n in range(1, 30)))
    with pytest.raises(NanogapError) as told:
        read_measurement(path)
    assert "--" not in str(told.value)
    assert "columns={'voltage': 'NAME', 'current': 'NAME'}" in str(told.value)
