import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanogap.electrical import (
    GapConductance,
    PristineResistance,
    SaturationResistance,
    SeriesCircuit,
    SeriesResistance,
    level_displacement,
    measured_conductance,
)
from nanogap.errors import DataFormatError, SettingsError
from nanogap.units import CONDUCTANCE_QUANTUM

QUANTUM_OHMS = 1.0 / CONDUCTANCE_QUANTUM


@pytest.mark.validation
def test_networks_before_and_after_breakdown():
    # the paper: R_pristine = 2 R* + R_NW; R = 2 R_C + R_NWa + R_NWb + R_gap
    circuit = SeriesCircuit(interface=150.0, wire=200.0, contact=180.0)
    assert circuit.pristine == 500.0
    assert circuit.parasitic == 560.0
    np.testing.assert_allclose(circuit.resistance([1.0, 0.0]), [QUANTUM_OHMS + 560.0, np.inf])
    assert SeriesCircuit(150.0, 200.0).parasitic == 500.0
    with pytest.raises(SettingsError, match="wire"):
        SeriesCircuit(1.0, -1.0)


@settings(deadline=None)
@given(st.floats(0.01, 20.0), st.floats(0.0, 5000.0), st.floats(1e-3, 10.0))
def test_subtraction_undoes_the_circuit(gap, resistance, volts):
    seen = measured_conductance(gap, resistance)
    amperes = volts * seen * CONDUCTANCE_QUANTUM
    found = GapConductance(SeriesResistance(resistance)).compute([volts], [amperes])
    assert found.conductance[0] == pytest.approx(gap, rel=1e-6)
    assert not found.flagged[0]


@settings(deadline=None)
@given(st.floats(0.1, 5.0), st.floats(1.0, 1000.0), st.floats(0.001, 0.05))
def test_uncertainty_is_the_derivative(gap, resistance, relative):
    error = relative * resistance
    volts = 0.1
    amperes = volts * measured_conductance(gap, resistance) * CONDUCTANCE_QUANTUM
    shifted = [
        GapConductance(SeriesResistance(resistance + sign * 1e-3 * error))
        .compute([volts], [amperes])
        .conductance[0]
        for sign in (-1, 1)
    ]
    found = GapConductance(SeriesResistance(resistance, error)).compute([volts], [amperes])
    assert found.uncertainty[0] == pytest.approx((shifted[1] - shifted[0]) / 2e-3, rel=1e-3)


def test_points_that_cannot_be_subtracted_are_flagged_not_dropped():
    volts = np.array([0.1, 0.1, 0.1, 0.1, 0.0, 0.1, np.nan])
    ohms = np.array([QUANTUM_OHMS, 400.0, 550.0, -300.0])
    amperes = np.append(volts[:4] / ohms, [0.0, 0.0, 1e-6])
    found = GapConductance(SeriesResistance(500.0, 100.0)).compute(volts, amperes)
    assert found.flagged.tolist() == [False, True, True, False, False, False, False]
    assert len(found.conductance) == 7
    assert found.conductance[5] == 0.0
    assert np.isnan(found.conductance[4])
    assert found.conductance[1] < 0.0


def test_levels_are_displaced_as_the_formula_says():
    table = level_displacement([0.0, 500.0], levels=[1, 4])
    np.testing.assert_allclose(table["measured"][0], [1.0, 4.0])
    ohms = QUANTUM_OHMS / np.array([1, 4]) + 500.0
    np.testing.assert_allclose(table["measured"][1], QUANTUM_OHMS / ohms)
    # the first peak hardly moves, the fourth by half a quantum
    assert table["displacement"][1, 0] == pytest.approx(-0.037, abs=1e-3)
    assert table["displacement"][1, 1] == pytest.approx(-0.537, abs=1e-3)


def test_pristine_resistance_with_its_uncertainty():
    pulls = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        volts = np.linspace(-0.05, 0.05, 101)
        amperes = (volts - 1e-4) / 500.0 + 2e-7 * random.normal(size=101)
        found = PristineResistance(gain_error=0.0).compute(volts, amperes)
        pulls.append((found.series.resistance - 500.0) / found.series.uncertainty)
        assert found.offset == pytest.approx(1e-4, abs=1e-4)
        assert found.quality > 0.99
    assert np.std(pulls) == pytest.approx(1.0, abs=0.25)
    assert abs(np.mean(pulls)) < 0.4
    exact = PristineResistance(gain_error=1e-3).compute(volts, volts / 500.0)
    assert exact.series.uncertainty == pytest.approx(0.5, rel=1e-3)


def test_a_breakdown_at_the_end_does_not_count():
    volts = np.linspace(0.0, 1.0, 101)
    amperes = np.where(volts < 0.8, volts / 500.0, 1e-9)
    assert PristineResistance().compute(volts, amperes).series.resistance == pytest.approx(500.0)


def test_saturated_state_gives_the_series_resistance():
    random = np.random.default_rng(1)
    amperes = np.linspace(1e-5, 1e-3, 400)
    filament = np.clip(400.0 * amperes / 1e-3, 1.0, 60.0)
    ohms = 500.0 + QUANTUM_OHMS / filament
    found = SaturationResistance(filament=60.0).compute(
        amperes * ohms * (1 + 1e-3 * random.normal(size=400)), amperes
    )
    assert found.series.resistance == pytest.approx(500.0, abs=3 * found.series.uncertainty)
    assert 0.0 < found.series.uncertainty < 100.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: SeriesResistance(-1.0), "series resistance"),
        (lambda: SeriesResistance(1.0, np.nan), "uncertainty"),
        (lambda: GapConductance(reading_error=-1.0), "reading error"),
        (lambda: PristineResistance(-0.1), "highest voltage"),
        (lambda: SaturationResistance(0.0), "filament"),
        (lambda: level_displacement([-5.0]), "series resistance"),
    ],
)
def test_wrong_parameters(call, words):
    with pytest.raises(SettingsError, match=words):
        call()


def test_wrong_data():
    with pytest.raises(DataFormatError, match="three different currents"):
        PristineResistance().compute([0.1, 0.1], [1e-6, 1e-6])
    with pytest.raises(DataFormatError, match="no positive slope"):
        PristineResistance().compute([0.1, 0.12, 0.14], [3e-6, 2.9e-6, 2.8e-6])
    with pytest.raises(DataFormatError, match="ten points"):
        SaturationResistance().compute([0.1], [1e-3])
    for analysis in (PristineResistance(), SaturationResistance()):
        with pytest.raises(AttributeError, match="compute"):
            _ = analysis.series
    with pytest.raises(AttributeError, match="compute"):
        _ = GapConductance().flagged
