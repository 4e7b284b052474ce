"""What results print as: a few short lines with units, at a prompt and in a notebook."""

import numpy as np
import pytest

import nanogap as ng
from nanogap.analysis.traces.distributions import WeibullFit
from nanogap.analysis.traces.histogram_2d import AlignedHistogram
from nanogap.analysis.traces.telegraph import TelegraphModel
from nanogap.io import measurement_dataset
from nanogap.printing import counted, number, quantity

RANDOM = np.random.default_rng(1)
SECONDS = np.arange(1.0, 1001.0)
VOLTS = np.concatenate([np.linspace(0.0, 1.0, 50), np.linspace(1.0, 0.0, 50)])
SWEEP = np.linspace(0.0, 1.0, 101)


def measurement(voltage, resistance):
    return measurement_dataset(
        time=np.arange(float(len(voltage))), voltage=voltage, current=voltage / resistance
    )


RESULTS = {
    "histogram": (lambda: ng.histogram([1.0, 2.0, np.nan]), "2 in 200 bins from 0 to 10 G0"),
    "plateaus": (lambda: ng.plateaus([1.0] * 20 + [2.0] * 20), "longest at  1 G0, 2 G0"),
    "plateaus of noise": (lambda: ng.plateaus(RANDOM.normal(size=100)), "noise"),
    "switching": (
        lambda: ng.switching(measurement(VOLTS, np.where(np.arange(100) < 30, 1e6, 1e3))),
        "SET         1, median 612 mV",
    ),
    "no switching": (lambda: ng.switching(measurement(VOLTS, 1e3)), "SET         none"),
    "noise": (lambda: ng.noise(2.5 + RANDOM.normal(size=256), 0.01), "one every 10 ms"),
    "retention": (
        lambda: ng.retention(2.5 * SECONDS**-0.02, SECONDS),
        "drift      G ~ t^nu, nu = -0.02",
    ),
    "breakdown": (
        lambda: ng.breakdown(measurement(SWEEP, np.where(SWEEP < 0.805, 500.0, 1e8))),
        "at 800 mV and 1.6 mA",
    ),
    "no breakdown": (lambda: ng.breakdown(measurement(SWEEP, 500.0)), "breakdown          none"),
    "telegraph": (
        lambda: TelegraphModel(0.01).compute(
            np.repeat([1.0, 1.5] * 8, 16) + 0.01 * RANDOM.normal(size=256)
        ),
        "G0",
    ),
    "Weibull": (lambda: WeibullFit().compute([0.5, 0.6, 0.7, 0.8]), "95%"),
    "aligned": (
        lambda: AlignedHistogram((0.0, 1.0)).add(SWEEP, np.repeat([0.0, 1.0], [50, 51])),
        "1 cycle at the first contact",
    ),
    "model": (ng.load_model, "9 per atom"),
    "settings": (lambda: ng.load_settings("quick", {"voltage.applied": 2.5}), "voltage.applied"),
}


@pytest.mark.parametrize(("result", "words"), RESULTS.values(), ids=RESULTS)
def test_a_result_prints_in_a_few_lines_that_say_what_came_out(result, words):
    found = result()
    lines = repr(found).splitlines()
    assert words in repr(found) == str(found)
    assert type(found).__name__ in lines[0]
    assert 3 <= len(lines) <= 24
    assert max(map(len, lines)) <= 150
    assert lines[1:] == [line for line in lines[1:] if line.startswith("  ")]
    assert "nan" not in repr(found).replace("nanogap", "")
    html = found._repr_html_()
    assert html.count("<tr>") == len(lines) - 1


def test_what_has_no_data_says_what_to_call():
    assert repr(TelegraphModel(0.01)) == "TelegraphModel\n  no data  call compute() first"


def test_names_are_inert_in_a_notebook():
    settings = ng.load_settings("quick", {"name": "<script>alert(1)</script>"})
    assert "<script>" not in settings._repr_html_()


def test_numbers_carry_units_and_no_digits_that_mean_nothing():
    assert quantity(999.9e-6, "A") == "1 mA"
    assert quantity(-0.0125, "V") == "-12.5 mV"
    assert quantity(1e30, "ohm") == "1e+30 ohm"
    assert quantity(None, "V") == "not known"
    assert number(0.98765, "G0", 0.0123) == "0.988 ± 0.012 G0"
    assert number(1234567.0) == "1.23e+06"
    assert number(120.0, "G0", 35.0) == "120 ± 35 G0"
    assert number(-0.02, "", 1e-17) == "-0.02"
    assert number(np.nan, "G0") == "not known"
    assert counted(2, "cycle") == "2 cycles"
