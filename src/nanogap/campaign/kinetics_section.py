"""The part of the report of a campaign that is about first-contact times."""

import numpy as np
from matplotlib.figure import Figure

from nanogap.campaign.kinetics import CampaignKinetics
from nanogap.report.kinetics import survival_figure
from nanogap.report.sections import Section


def kinetics_figure(kinetics: CampaignKinetics) -> Figure:
    """Draw the survival curves of all points."""
    return survival_figure(
        [
            (point.label, point.survival, point.rate.exposure / max(1, point.members))
            for point in kinetics.points
        ]
    )


def kinetics_section(kinetics: CampaignKinetics, figure: Figure) -> Section:
    """Say when first contacts come, and what that depends on."""
    return Section(
        "Time to first contact",
        [figure],
        f"{kinetics.statement()} The curves are product-limit estimates (Kaplan and Meier) with 95 "
        "% bands where there are few of them; medians and rates have 95 % intervals. A rate is "
        "contacts per time waited; the last column is the probability of waiting times that fit a "
        "constant rate as badly or worse.",
        ("members of", "contacts", "median (ps)", "rate (1/ns)", "constant rate: p"),
        [
            [
                point.label,
                f"{point.rate.events} of {point.members}",
                with_interval(point.survival.median, point.survival.median_interval, 1.0),
                with_interval(point.rate.value, (point.rate.low, point.rate.high), 1000.0),
                f"{point.rate.p_value:.2f}" if np.isfinite(point.rate.p_value) else "too few",
            ]
            for point in kinetics.points
        ],
    )


def with_interval(value: float, interval: tuple[float, float], factor: float) -> str:
    """Write a value times a factor and its interval; what is beyond all times is "later"."""

    def words(number: float) -> str:
        return f"{factor * number:.3g}" if np.isfinite(number) else "later"

    return f"{words(value)} ({words(interval[0])} to {words(interval[1])})"
