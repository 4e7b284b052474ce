"""The figure of a fit: held-out cycles with their band, distributions, profile likelihoods."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from nanogap.compact.fit import Band, CompactFit
from nanogap.compact.fitting import PROFILE_REACH
from nanogap.report.marks import mark
from nanogap.report.style import BLUE, INK, ORANGE, QUIET

_LN10 = np.log(10.0)


def draw_fit(found: CompactFit) -> Figure:
    """Draw what a fit found.

    Parameters
    ----------
    found : CompactFit
    """
    figure = Figure(figsize=(8.2, 7.2), layout="constrained")
    panels = figure.subplots(2, 2)
    band = sorted(found.bands, key=lambda one: one.inside)[len(found.bands) // 2]
    _draw_band(panels[0, 0], band)
    _draw_predictions(panels[0, 1], found)
    _draw_distributions(panels[1, 0], found)
    _draw_profiles(panels[1, 1], found)
    held = found.fitted.held_out
    score = "" if held is None else (
        f"\n{100.0 * held.explained:.0f} % of the variance of ln G in {held.cycles} held-out "
        f"cycles, {100.0 * held.inside:.0f} % of their readings in the 90 % band"
    )  # fmt: skip
    # on the left: the right corner is that of the mark of synthetic data
    figure.suptitle(f"{found.fitted.model.title}{score}", fontsize=9, x=0.01, ha="left")
    return mark(figure, synthetic=found.synthetic)


def curve_rows(found: CompactFit) -> Iterator[list[object]]:
    """Yield the table of the held-out cycles: readings, typical model, band."""
    yield [
        "device", "cycle", "time (s)", "source voltage (V)", "source limit (A)",
        "conductance (S)", "model (S)", "low (S)", "high (S)",
    ]  # fmt: skip
    for band in found.bands:
        cycle = band.cycle
        for place in np.flatnonzero(cycle.used):
            yield [
                cycle.device,
                cycle.number,
                *(
                    f"{float(one):.9g}"
                    for one in (
                        cycle.time[place],
                        cycle.voltage[place],
                        cycle.limit[place],
                        np.exp(cycle.log_conductance[place]),
                        np.exp(band.typical[place]),
                        np.exp(band.low[place]),
                        np.exp(band.high[place]),
                    )
                ),
            ]


def _draw_band(axes: Axes, band: Band) -> None:
    cycle, used = band.cycle, band.cycle.used
    if cycle.driven == "voltage":
        place, label = np.arange(len(cycle.time), dtype=np.float64), "reading"
    else:
        place, label = cycle.limit * 1e6, "current (µA)"
    axes.fill_between(
        place[used],
        np.exp(band.low[used]),
        np.exp(band.high[used]),
        color=BLUE,
        alpha=0.22,
        linewidth=0,
        label="90 % of drawn models",
    )
    axes.plot(place[used], np.exp(cycle.known), ".", color=INK, markersize=3, label="readings")
    axes.plot(place[used], np.exp(band.typical[used]), color=ORANGE, label="typical model")
    axes.set_yscale("log")
    axes.set_xlabel(label)
    axes.set_ylabel("I/V (S)")
    axes.set_title(f"held-out cycle {cycle.number} of {cycle.device}")
    axes.legend(fontsize=7)


def _draw_predictions(axes: Axes, found: CompactFit) -> None:
    for band in found.bands:
        used = band.cycle.used
        axes.plot(
            band.typical[used] / _LN10, band.cycle.known / _LN10, ".", color=BLUE, markersize=4,
            alpha=0.3, markeredgewidth=0,
        )  # fmt: skip
    ends = np.array(axes.get_xlim())
    axes.plot(ends, ends, color=QUIET, linewidth=0.8, linestyle="--")
    axes.set_xlabel("log10 of I/V, typical model (S)")
    axes.set_ylabel("log10 of I/V, read (S)")
    axes.set_title("readings of all held-out cycles")


def _draw_distributions(axes: Axes, found: CompactFit) -> None:
    places = np.array([fit.places for fit in found.fits])
    numbers = np.flatnonzero(found.free)
    devices = [fit.cycle.device for fit in found.fits]
    names = list(dict.fromkeys(devices))
    for row, number in enumerate(numbers):
        values = places[:, number]
        spread = float(values.std()) or 1.0
        for shift, name in enumerate(names):
            own = values[[one == name for one in devices]]
            height = row + 0.35 * (shift + 0.5 - 0.5 * len(names)) / len(names)
            axes.plot(
                (own - values.mean()) / spread, np.full(len(own), height), "o", markersize=4,
                alpha=0.7, markeredgewidth=0, color=f"C{shift % 10}",
            )  # fmt: skip
    told = [found.fitted.distributions[number] for number in numbers]
    axes.set_yticks(
        range(len(told)), [f"{one.name}\n{one.value:.3g} {one.unit}" for one in told], fontsize=7
    )
    axes.set_xlabel("from the mean (standard deviations)")
    axes.set_title("fitted cycles, one colour a device")


def _draw_profiles(axes: Axes, found: CompactFit) -> None:
    for one in found.profiles:
        places = np.array(one.places)
        best = places[int(np.argmin(one.rise))]
        # it goes so many standard errors to either side of the fit
        error = 0.5 * (places[-1] - places[0]) / PROFILE_REACH
        scaled = (places - best) / max(error, 1e-300)
        axes.plot(scaled, one.rise, "o-", markersize=2.5, linewidth=1.0, label=one.name)
    far = np.linspace(-4.0, 4.0, 81)
    axes.plot(far, far**2, color=QUIET, linewidth=0.8, label="a normal one")
    axes.axhline(float(stats.chi2.ppf(0.95, 1)), color=QUIET, linestyle="--", linewidth=0.8)
    axes.set_xlim(-4.5, 4.5)
    axes.set_ylim(-1.0, 15.0)
    axes.set_xlabel("from its best (standard errors)")
    axes.set_ylabel("-2 ln L, from its least")
    axes.set_title("profile likelihoods, one cycle")
    axes.legend(fontsize=6)
