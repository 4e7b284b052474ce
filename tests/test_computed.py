"""Every analysis of the package: parameters first, then compute, then results."""

import importlib
import inspect
import pkgutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import nanogap
from nanogap.computed import Analysis, after_compute, as_trace, as_traces
from nanogap.errors import DataFormatError, NanogapError, SettingsError

#: What `compute` needs beside one trace.
TWO = {"BreakdownAnalysis", "RetentionDrift", "GapConductance"}
TWO |= {"PristineResistance", "SaturationResistance"}
#: Parameters without a default.
GIVEN = {"NoiseAnalysis": (1.0,), "TelegraphModel": (1.0,), "AlignedHistogram": ((0.0, 1.0),)}


def classes():
    """All classes that nanogap defines."""
    found = {}
    for module in pkgutil.walk_packages(nanogap.__path__, "nanogap."):
        if module.name.endswith("__main__"):
            continue
        for _, value in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if value.__module__ == module.name:
                found[value.__qualname__] = value
    return found


CLASSES = classes()
ANALYSES = {
    name: found
    for name, found in CLASSES.items()
    if issubclass(found, Analysis) and found is not Analysis
}


def results(owner):
    return [name for name, value in inspect.getmembers(owner) if isinstance(value, property)]


def test_every_class_whose_compute_returns_itself_is_an_analysis():
    found = set()
    for name, owner in CLASSES.items():
        if hasattr(owner, "compute"):
            returned = str(inspect.signature(owner.compute).return_annotation)
            if "Self" in returned or returned.endswith(name):
                found.add(name)
    assert len(found) > 15
    assert found <= ANALYSES.keys()


@pytest.mark.parametrize(
    ("name", "result"),
    [(name, result) for name, owner in ANALYSES.items() for result in results(owner)],
)
def test_a_result_before_compute_is_one_kind_of_error(name, result):
    owner = ANALYSES[name]
    call = "compute" if hasattr(owner, "compute") else "add"
    empty = owner.__new__(owner)
    with pytest.raises(AttributeError, match=rf"^call {call}\(\) first: this {name} has no data"):
        getattr(empty, result)


@pytest.mark.parametrize("name", ANALYSES)
def test_every_analysis_has_results(name):
    assert results(ANALYSES[name])


def data_of_all_kinds():
    values = np.linspace(0.0, 5.0, 100)
    return [
        values.tolist(),
        values,
        xr.DataArray(values, dims="point"),
        xr.Dataset({"conductance": ("point", values)}),
        pd.Series(values),
    ]


def first_parameter(owner):
    return list(inspect.signature(owner.__init__).parameters)[1]


@pytest.mark.parametrize(
    "name",
    # the first parameter of the others is an array itself, or no number
    [
        name
        for name, owner in ANALYSES.items()
        if first_parameter(owner) not in {"voltages", "abscissa", "programs"}
    ],
)
@pytest.mark.parametrize("data", data_of_all_kinds(), ids=lambda data: type(data).__name__)
def test_data_in_the_constructor_are_sent_to_compute(name, data):
    owner = ANALYSES[name]
    first = first_parameter(owner)
    with pytest.raises(SettingsError, match=rf"^{name} takes {first}.*: give the data to \w+\(\)$"):
        owner(data)


def of_traces(name):
    """A new analysis of measured traces, and how to hand it one array."""
    analysis = ANALYSES[name](*GIVEN.get(name, ()))
    if name == "SwitchingAnalysis":
        return lambda data: analysis.compute(data, data, np.zeros(200))
    if name == "AlignedHistogram":
        return lambda data: analysis.add(data, data)
    if name in TWO:
        return lambda data: analysis.compute(data, data)
    return analysis.compute


def shown(analysis):
    """All results as text, for comparison."""
    found = {}
    for name in results(type(analysis)):
        try:
            found[name] = str(getattr(analysis, name))
        except AttributeError as error:  # where a wire breaks is no question for one that did not
            found[name] = str(error)
    return found


TRACES = [
    name
    for name, owner in ANALYSES.items()
    if owner.__module__.startswith(("nanogap.analysis.traces", "nanogap.electrical"))
]


@pytest.mark.parametrize("name", TRACES)
def test_arrays_of_all_kinds_give_the_same(name):
    random = np.random.default_rng(2)
    values = np.abs(np.concatenate([np.linspace(0.1, 1.0, 100), np.linspace(1.0, 0.1, 100)]))
    values += 0.01 * np.abs(random.normal(size=200))
    same = (values, values.tolist(), xr.DataArray(values), pd.Series(values, range(5, 205)))
    first, *others = (shown(of_traces(name)(data)) for data in same)
    assert all(other == first for other in others)


@pytest.mark.parametrize("name", TRACES)
@pytest.mark.parametrize(
    "data",
    [
        np.ones((10, 20)),
        "levels",
        ["a", "b"],
        [[1.0], [2.0, 3.0]],
        xr.Dataset({"conductance": ("point", [1.0, 2.0])}),
        np.ones(5, dtype=complex),
        None,
    ],
    ids=["matrix", "word", "words", "ragged", "dataset", "complex", "nothing"],
)
def test_what_is_no_trace_gets_one_sentence(name, data):
    with pytest.raises(NanogapError) as caught:
        of_traces(name)(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", sorted(set(TRACES) - {"ConductanceHistogram", "AlignedHistogram", "GapConductance"})
)
@pytest.mark.parametrize("data", [[], [np.nan] * 100], ids=["empty", "nan"])
def test_no_readings_are_refused(name, data):
    with pytest.raises(NanogapError):
        of_traces(name)(data)


def test_lengths_must_agree():
    with pytest.raises(DataFormatError, match="there are 2 of voltage and 1 of current"):
        as_traces(voltage=[1, 2], current=[1])
    histogram = ANALYSES["ConductanceHistogram"]()
    # with fewer weights than points the count once read beyond the end of the array
    with pytest.raises(DataFormatError, match="there are 3 of conductance and 2 of weights"):
        histogram.compute([0.1, 0.2, 0.3], weights=[1.0, 2.0])
    with pytest.raises(DataFormatError, match="3 of conductance and 2 of cycle"):
        histogram.compute([0.1, 0.2, 0.3], cycle=[0, 1])
    with pytest.raises(DataFormatError, match="of compliance"):
        ANALYSES["SwitchingAnalysis"]().compute([0.0, 1.0], [0.0, 1.0], [0, 0], compliance=[True])


def test_a_failed_compute_leaves_no_results_of_the_last():
    detection = ANALYSES["PlateauDetection"]().compute(np.ones(100))
    with pytest.raises(DataFormatError, match="too short"):
        detection.compute([1.0])
    with pytest.raises(AttributeError, match="call compute"):
        _ = detection.plateaus


def test_a_method_that_needs_data_is_guarded_too():
    with pytest.raises(AttributeError, match=r"call compute\(\) first: this ConductanceHistogram"):
        ANALYSES["ConductanceHistogram"]().band()

    class Sum(Analysis):
        def add(self, value):
            self._sum = value
            return self

        @after_compute
        def times(self, factor):
            return factor * self._sum

    with pytest.raises(AttributeError, match=r"call add\(\) first"):
        Sum().times(2)
    assert Sum().add(3).times(2) == 6


def test_integers_and_missing_values_are_numbers():
    assert as_trace([1, 2]).dtype == np.float64
    assert np.isnan(as_trace(pd.Series([1.0, None]))[1])
