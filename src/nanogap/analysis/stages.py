"""The stage a filament is in, and the snapshots that tell its story.

The four stages of filament formation are those of doi:10.1039/d3nh00476g; rupture is added for
filaments that break again.
"""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import xarray as xr

#: Fewer atoms than this between the terraces are stray adatoms, not islands.
_ISLAND_ATOMS = 2


class Stage(StrEnum):
    """Stage of a filament."""

    DRIFT = "drift"
    ISLANDS = "islands"
    CONTACT = "contact"
    LATERAL_GROWTH = "lateral growth"
    RUPTURE = "rupture"

    @property
    def description(self) -> str:
        """What happens in this stage, in one sentence."""
        return _DESCRIPTIONS[self]


#: The stages by the numbers that files hold.
STAGES = tuple(Stage)

_DESCRIPTIONS = {
    Stage.DRIFT: "The gap is open and empty while adatoms wander over the surfaces of the tips.",
    Stage.ISLANDS: "Atoms have gathered between the two tips and narrow the gap, which is open.",
    Stage.CONTACT: "The tips touch through a bridge that is a single atom wide at its narrowest.",
    Stage.LATERAL_GROWTH: "The bridge is two or more atoms wide at its narrowest and may widen.",
    Stage.RUPTURE: "The bridge has broken: the tips touched before and are apart again.",
}


def classify_stages(observables: xr.Dataset) -> list[Stage]:
    """Tell the stage of every snapshot by simple rules.

    ===========  ==========================  ===============================================
    bridge       otherwise                   stage
    ===========  ==========================  ===============================================
    not yet      < 2 atoms in the gap        drift
    not yet      >= 2 atoms in the gap       islands
    yes          <= 1 atom in the bottleneck contact
    yes          >= 2 atoms in it            lateral growth
    not any more                             rupture, until there is a bridge again
    ===========  ==========================  ===============================================

    A bridge begins with a chain of bonds from tip to tip (a bottleneck of at least one atom), and
    lasts, stretched as heat may have it, as long as the tips are connected metal.

    Parameters
    ----------
    observables : xarray.Dataset
        Over ``snapshot``, in order of time: ``connected``, ``atoms_in_gap`` and
        ``bottleneck_atoms``.

    Returns
    -------
    list of Stage
        One for every snapshot.
    """
    stages, bridged, touched = [], False, False
    for connected, in_gap, bottleneck in zip(
        observables["connected"].to_numpy().astype(bool),
        observables["atoms_in_gap"].to_numpy(),
        observables["bottleneck_atoms"].to_numpy(),
        strict=True,
    ):
        bridged = bool(bottleneck >= 1 or (bridged and connected))
        touched = touched or bridged
        if bridged:
            stage = Stage.CONTACT if bottleneck <= 1 else Stage.LATERAL_GROWTH
        elif touched:
            stage = Stage.RUPTURE
        else:
            stage = Stage.DRIFT if in_gap < _ISLAND_ATOMS else Stage.ISLANDS
        stages.append(stage)
    return stages


def first_contact(observables: xr.Dataset) -> int | None:
    """Find the first snapshot in which bonds lead from tip to tip; None if there is none.

    Parameters
    ----------
    observables : xarray.Dataset
        Over ``snapshot``, with ``bottleneck_atoms``.
    """
    bonded = np.flatnonzero(observables["bottleneck_atoms"].to_numpy() >= 1)
    return int(bonded[0]) if len(bonded) else None


def stage_spans(stages: Sequence[Stage]) -> list[tuple[Stage, int, int]]:
    """Gather neighbouring snapshots of one stage.

    Returns
    -------
    list of (Stage, int, int)
        Stage, index of its first and of its last snapshot, in order of time.
    """
    spans: list[tuple[Stage, int, int]] = []
    for index, stage in enumerate(stages):
        if spans and spans[-1][0] is stage:
            spans[-1] = (stage, spans[-1][1], index)
        else:
            spans.append((stage, index, index))
    return spans


def landmarks(observables: xr.Dataset) -> dict[str, int]:
    """Find the snapshots that tell the story.

    Parameters
    ----------
    observables : xarray.Dataset
        Over ``snapshot``, with ``bottleneck_atoms``.

    Returns
    -------
    dict
        Snapshot numbers: ``first``, ``first_contact`` (absent if the tips never bonded) and
        ``last``; empty if there is no snapshot.
    """
    count = observables.sizes.get("snapshot", 0)
    if not count:
        return {}
    numbers = (
        observables["snapshot"].to_numpy() if "snapshot" in observables.coords else np.arange(count)
    )
    contact = first_contact(observables)
    marks = {"first": int(numbers[0])}
    if contact is not None:
        marks["first_contact"] = int(numbers[contact])
    marks["last"] = int(numbers[-1])
    return marks
