import numpy as np
import pytest

from nanogap.analysis import Spread, SwitchingAnalysis, WeibullFit, spread
from nanogap.errors import DataFormatError, SettingsError
from nanogap.synthetic.devices import switching_loops


def analysed(curve, **options):
    return SwitchingAnalysis(**options).compute(curve.voltage, curve.current, curve.cycle)


@pytest.mark.validation
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("method", ["steepest", "threshold"])
def test_every_event_of_100_cycles_is_found(seed, method):
    curve = switching_loops(np.random.default_rng(seed))
    found = analysed(curve, method=method)
    sets = [event for event in found.events if event.kind in {"set", "forming"}]
    resets = [event for event in found.events if event.kind == "reset"]
    true = curve.truth["events"]
    assert [event.cycle for event in sets] == list(range(100))
    assert [event.cycle for event in resets] == list(range(100))
    step = curve.truth["voltage_step"] * 1.001
    for event, reset, truth in zip(sets, resets, true, strict=True):
        assert abs(event.voltage - truth["set_voltage"]) <= step
        assert abs(reset.voltage - truth["reset_voltage"]) <= step
    assert found.compliance_current == pytest.approx(400e-6, rel=1e-3)
    assert found.orientation == "anticlockwise"
    low = found.endurance["low_resistance"].to_numpy()
    np.testing.assert_allclose(low, [event["low_resistance"] for event in true], rtol=0.03)
    assert (found.endurance["high_resistance"] > 20 * low).all()


@pytest.mark.validation
def test_none_is_invented():
    random = np.random.default_rng(5)
    curve = switching_loops(random, switching=False)
    assert analysed(curve).events == []
    assert analysed(curve).compliance_current is None
    for offset in (0.0, 1e-13):
        noise = offset * curve.voltage + 1e-12 * random.normal(size=len(curve.voltage))
        found = SwitchingAnalysis().compute(curve.voltage, noise, curve.cycle)
        assert found.events == []
    line = SwitchingAnalysis().compute(curve.voltage, curve.voltage / 5000.0, curve.cycle)
    assert line.events == []
    assert line.orientation == "none"


def test_forming_is_told_apart():
    curve = switching_loops(np.random.default_rng(1))
    kinds = [event.kind for event in analysed(curve).events if event.kind != "reset"]
    assert kinds == ["forming"] + 99 * ["set"]


def test_reversed_polarity():
    curve = switching_loops(np.random.default_rng(2), cycles=10)
    found = SwitchingAnalysis().compute(-curve.voltage, -curve.current, curve.cycle)
    assert (found.set_voltages < 0.0).all()
    assert (found.reset_voltages > 0.0).all()
    assert found.endurance.attrs["read_voltage"] == -0.4
    assert len(found.events) == 20


def test_compliance_is_flagged_where_it_was():
    curve = switching_loops(np.random.default_rng(3), cycles=20)
    found = analysed(curve)
    assert np.mean(found.in_compliance == curve.compliance) > 0.99
    given = SwitchingAnalysis(method="compliance").compute(
        curve.voltage, curve.current, curve.cycle, curve.compliance
    )
    np.testing.assert_array_equal(given.in_compliance, curve.compliance)
    # a SET that is told by compliance comes at or after the jump
    early = {event.cycle: event.index for event in found.events if event.kind != "reset"}
    late = {event.cycle: event.index for event in given.events if event.kind != "reset"}
    assert early.keys() == late.keys()
    assert all(late[cycle] >= early[cycle] for cycle in early)


def test_wrong_input():
    with pytest.raises(SettingsError, match="read voltage"):
        SwitchingAnalysis(read_voltage=0.0)
    with pytest.raises(SettingsError, match="ratio"):
        SwitchingAnalysis(minimum_ratio=1.0)
    with pytest.raises(SettingsError, match="method"):
        SwitchingAnalysis(method="magic")
    with pytest.raises(DataFormatError, match="constant"):
        SwitchingAnalysis().compute([0.1] * 9, [1e-6] * 9, [0] * 9)
    with pytest.raises(AttributeError, match="compute"):
        _ = SwitchingAnalysis().events


@pytest.mark.validation
def test_weibull_intervals_cover():
    from scipy.stats import weibull_min

    values = 2.0 * np.random.default_rng(0).weibull(5.0, (300, 60))
    inside = np.zeros(2)
    for row in values:
        fit = WeibullFit(0.9).compute(row)
        inside += [
            fit.shape_interval[0] < 5.0 < fit.shape_interval[1],
            fit.scale_interval[0] < 2.0 < fit.scale_interval[1],
        ]
    np.testing.assert_allclose(inside / 300, 0.9, atol=0.06)
    shape, _, scale = weibull_min.fit(values[0], floc=0.0)
    fit = WeibullFit().compute(values[0])
    assert fit.shape == pytest.approx(shape, rel=1e-3)
    assert fit.scale == pytest.approx(scale, rel=1e-3)
    assert fit.quantile(0.632120559) == pytest.approx(fit.scale)
    assert (np.diff(fit.ranks) > 0).all()


def test_too_few_values_for_a_law():
    for values in ([1.0, 2.0], [1.0, 1.0, 1.0], [1.0, -1.0, 2.0]):
        with pytest.raises(DataFormatError, match="positive values"):
            WeibullFit().compute(values)
    assert spread([]) == Spread(count=0)
    assert spread([1.0, np.nan, 3.0]).mean == 2.0
