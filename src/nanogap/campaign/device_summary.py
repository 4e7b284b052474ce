"""The statistics of a campaign of devices as plain numbers: what its report shows and prints."""

from dataclasses import dataclass, field

from nanogap.analysis.grouping import AxisValue, Grouping
from nanogap.measured.histogram_rows import HistogramGroup


@dataclass(frozen=True)
class DeviceCampaignSummary:
    """Statistics of a campaign of devices.

    Attributes
    ----------
    members, planned : int
        Members that are finished, and all.
    given_up : dict of str to str
        Key to reason, of the members that failed too often.
    devices, readings : int
        Of the finished members.
    protocol : str
        Kind of the protocol.
    axes : dict of str to list of float or str
        What was varied, and the values that were planned.
    statement : str
        The campaign in a few sentences.
    histogram : HistogramGroup
        Conductances of all devices, what is in series with each subtracted.
    histograms : dict of str to list of HistogramGroup
        Axis to the histogram at each of its values.
    analyses : dict of str to list of Grouping
        Analysis (switching, plateaus, retention, noise) to what it found, by every axis; of a
        campaign without one, of all devices together.
    read_voltage : float
        Where the states of loops are read, V.
    notes : list of str
        What was left out, and analyses that do not apply.
    """

    members: int
    planned: int
    given_up: dict[str, str]
    devices: int
    readings: int
    protocol: str
    axes: dict[str, list[AxisValue]]
    statement: str
    histogram: HistogramGroup
    histograms: dict[str, list[HistogramGroup]]
    analyses: dict[str, list[Grouping]]
    read_voltage: float
    notes: list[str] = field(default_factory=list)
