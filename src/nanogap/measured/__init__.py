"""A measurement campaign from files to statistics: what the subcommands for data call.

It reads through `nanogap.io`, removes the series resistance through `nanogap.electrical`, and hands
conductances to `nanogap.analysis`; a simulated run joins with the conductance of its snapshots.
"""

from nanogap.measured.breakdown import breakdown_campaign
from nanogap.measured.files import DataFiles
from nanogap.measured.fluctuations import noise_campaign
from nanogap.measured.levels import histogram_campaign
from nanogap.measured.plateaus import plateau_campaign
from nanogap.measured.resistances import DeviceResistances
from nanogap.measured.retention import retention_campaign
from nanogap.measured.states import switching_campaign

__all__ = [
    "DataFiles",
    "DeviceResistances",
    "breakdown_campaign",
    "histogram_campaign",
    "noise_campaign",
    "plateau_campaign",
    "retention_campaign",
    "switching_campaign",
]
