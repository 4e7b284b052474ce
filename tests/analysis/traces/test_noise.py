import numpy as np
import pytest

from nanogap.analysis import DetrendedFluctuation, NoiseAnalysis
from nanogap.analysis.traces.telegraph import TelegraphModel
from nanogap.errors import DataFormatError, SettingsError
from nanogap.synthetic.signals import coloured_noise, telegraph_states


@pytest.mark.validation
@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 1.5, 2.0])
def test_exponents_of_the_spectrum(exponent):
    pulls = []
    for seed in range(6):
        noise = coloured_noise(16_384, exponent, np.random.default_rng(seed))
        found = NoiseAnalysis(0.01).compute(2.5 + 0.01 * noise)
        assert found.exponent == pytest.approx(exponent, abs=0.1)
        assert found.relative == pytest.approx(0.004, rel=0.01)
        pulls.append((found.exponent - exponent) / found.exponent_uncertainty)
        hurst = DetrendedFluctuation().compute(noise).exponent
        assert 2.0 * hurst - 1.0 == pytest.approx(exponent, abs=0.2)
    assert np.abs(pulls).max() < 4.0


def test_the_spectrum_adds_up_to_the_variance():
    noise = NoiseAnalysis(0.1).compute(np.random.default_rng(0).normal(size=20_000))
    step = noise.frequency[1] - noise.frequency[0]
    assert noise.density.sum() * step == pytest.approx(1.0, rel=0.03)


def test_a_white_floor_is_told_from_the_power_law():
    random = np.random.default_rng(1)
    trace = 2.5 + 0.01 * coloured_noise(32_768, 1.2, random) + 0.003 * random.normal(size=32_768)
    found = NoiseAnalysis(0.01).compute(trace)
    assert found.exponent == pytest.approx(1.2, abs=0.1)
    assert found.floor == pytest.approx(2 * 0.003**2 * 0.01, rel=0.2)
    np.testing.assert_allclose(found.fitted, found.model(found.frequency))


def test_a_band_can_be_chosen_and_gaps_be_few():
    trace = coloured_noise(8192, 1.0, np.random.default_rng(3))
    trace[50] = np.nan
    assert NoiseAnalysis(0.01, band=(0.5, 20.0)).compute(trace).exponent == pytest.approx(
        1, abs=0.1
    )
    trace[:2000] = np.nan
    with pytest.raises(DataFormatError, match="few gaps"):
        NoiseAnalysis(0.01).compute(trace)
    with pytest.raises(DataFormatError, match="widen the band"):
        NoiseAnalysis(0.01, band=(0.5, 0.51)).compute(
            coloured_noise(1000, 1, np.random.default_rng(0))
        )


@pytest.mark.validation
@pytest.mark.parametrize("dwell", [(0.5, 0.3), (0.05, 0.2), (0.03, 0.03)])
@pytest.mark.parametrize("ratio", [5.0, 3.0])
def test_dwell_times_of_a_telegraph(dwell, ratio):
    random = np.random.default_rng(4)
    states = telegraph_states(50_000, 0.01, dwell, random)
    found = TelegraphModel(0.01).compute(
        2.4 + 0.2 * states + 0.2 / ratio * random.normal(size=len(states))
    )
    assert found.is_telegraph
    np.testing.assert_allclose(found.dwell_times, dwell, rtol=0.15)
    np.testing.assert_allclose(found.levels, [2.4, 2.6], atol=0.01)
    assert np.mean(found.states == states) > 0.9
    assert found.relaxation_time == pytest.approx(1 / (1 / dwell[0] + 1 / dwell[1]), rel=0.15)
    assert (found.dwell_uncertainties < 0.15 * found.dwell_times).all()


@pytest.mark.validation
def test_the_telegraph_has_the_spectrum_of_machlup():
    random = np.random.default_rng(8)
    states = telegraph_states(200_000, 0.01, (0.5, 0.3), random)
    trace = 2.4 + 0.2 * states + 0.01 * random.normal(size=len(states))
    model = TelegraphModel(0.01).compute(trace)
    noise = NoiseAnalysis(0.01).compute(trace)
    slow = (noise.frequency > 0.05) & (noise.frequency < 5.0)
    ratio = noise.density[slow] / model.density(noise.frequency[slow])
    assert ratio.mean() == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_other_noise_is_no_telegraph(exponent):
    for seed in range(3):
        noise = coloured_noise(10_000, exponent, np.random.default_rng(seed))
        assert not TelegraphModel(0.01).compute(2.5 + 0.02 * noise).is_telegraph


def test_wrong_input():
    with pytest.raises(SettingsError, match="interval"):
        NoiseAnalysis(0.0)
    with pytest.raises(SettingsError, match="Welch"):
        NoiseAnalysis(1.0, segment=4)
    with pytest.raises(SettingsError, match="band"):
        NoiseAnalysis(1.0, band=(2.0, 1.0))
    with pytest.raises(SettingsError, match="interval"):
        TelegraphModel(-1.0)
    with pytest.raises(SettingsError, match="windows"):
        DetrendedFluctuation(shortest=1)
    with pytest.raises(DataFormatError, match="does not vary"):
        TelegraphModel(1.0).compute(np.ones(100))
    with pytest.raises(DataFormatError, match="samples"):
        TelegraphModel(1.0).compute([1.0, 2.0])
    with pytest.raises(DataFormatError, match="samples"):
        DetrendedFluctuation().compute([1.0, 2.0])
    for name in ("mean", "exponent", "floor", "density"):
        with pytest.raises(AttributeError, match="compute"):
            getattr(NoiseAnalysis(1.0), name)
    with pytest.raises(AttributeError, match="compute"):
        _ = TelegraphModel(1.0).levels


@pytest.mark.parametrize("value", [1.0, 0.0, 1.1])
def test_a_constant_trace_has_no_noise(value):
    with pytest.raises(DataFormatError, match="does not vary"):
        NoiseAnalysis(0.1).compute(np.full(1000, value))


def test_a_telegraph_has_no_exponent():
    random = np.random.default_rng(0)
    state = np.where(np.cumsum(random.random(4000) < 0.02) % 2, 1.0, 1.5)
    found = NoiseAnalysis(0.1).compute(state + 0.01 * random.normal(size=4000))
    assert np.isnan(found.exponent)
    assert np.isnan(found.exponent_uncertainty)
    assert found.telegraph.levels == pytest.approx([1.0, 1.5], abs=0.01)
    assert NoiseAnalysis(0.1).compute(random.normal(size=4000)).telegraph is None
