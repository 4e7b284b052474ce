"""The stage a filament is in, and the snapshots that tell its story.

The four stages of filament formation are those of doi:10.1039/d3nh00476g; rupture is added for
filaments that break again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import xarray as xr

from nanogap.analysis.filament.contact import bonded, first_contact, need_variables
from nanogap.typing import BoolArray, Int64Array

#: A cluster of fewer adatoms than this is none: single atoms drift, two bonded ones are an island.
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
        """Description of this stage, in one sentence."""
        return _DESCRIPTIONS[self]


#: The stages by the numbers that files hold.
STAGES = tuple(Stage)

_DESCRIPTIONS = {
    Stage.DRIFT: "The gap is open; adatoms, if there are any, wander singly over the terraces.",
    Stage.ISLANDS: "The gap is open; adatoms have gathered to islands on the tips and narrow it.",
    Stage.CONTACT: "The tips touch through a bridge that is a single atom wide at its narrowest.",
    Stage.LATERAL_GROWTH: "The bridge is two or more atoms wide at its narrowest and may widen.",
    Stage.RUPTURE: "The bridge has broken: the tips touched before and are apart again.",
}


def classify_stages(observables: xr.Dataset) -> list[Stage]:
    """Tell the stage of every snapshot by simple rules.

    ============  ==============================  ===============================================
    bridge        otherwise                       stage
    ============  ==============================  ===============================================
    not yet       no two adatoms are bonded       drift
    not yet       two or more adatoms are bonded  islands
    yes           <= 1 atom in the bottleneck     contact
    yes           >= 2 atoms in it                lateral growth
    not any more                                  rupture, until there is a bridge again
    ============  ==============================  ===============================================

    A bridge begins with a chain of bonds from tip to tip (a bottleneck of at least one atom), and
    lasts, stretched as heat may have it, as long as the tips are connected metal.

    Parameters
    ----------
    observables : xarray.Dataset
        Over ``snapshot``, in order of time: ``connected``, ``largest_island`` and
        ``bottleneck_atoms``.

    Returns
    -------
    list of Stage
        One for every snapshot.

    Raises
    ------
    DataFormatError
        If a variable is missing.
    """
    need_variables(observables, "connected", "largest_island", "bottleneck_atoms")
    stages, touched = [], False
    for bridged, island, bottleneck in zip(
        _bridged(observables),
        observables["largest_island"].to_numpy(),
        observables["bottleneck_atoms"].to_numpy(),
        strict=True,
    ):
        touched = touched or bool(bridged)
        if bridged:
            stage = Stage.CONTACT if bottleneck <= 1 else Stage.LATERAL_GROWTH
        elif touched:
            stage = Stage.RUPTURE
        else:
            stage = Stage.DRIFT if island < _ISLAND_ATOMS else Stage.ISLANDS
        stages.append(stage)
    return stages


def _bridged(observables: xr.Dataset) -> BoolArray:
    """Whether there is a bridge in every snapshot: made by bonds, lasting with connected metal."""
    bonds = bonded(observables)
    connected = observables["connected"].to_numpy().astype(bool)
    bridged = np.zeros(len(bonds), dtype=bool)
    bridge = False
    for index in range(len(bonds)):
        bridge = bool(bonds[index] or (bridge and connected[index]))
        bridged[index] = bridge
    return bridged


@dataclass(frozen=True)
class BridgeEvent:
    """A moment at which a bridge formed or broke.

    Attributes
    ----------
    kind : str
        ``first contact``, ``rupture`` or ``re-contact``.
    snapshot : int
        Number of the first snapshot that shows it.
    time : float
        Of that snapshot, in the unit of the observables (fs).
    """

    kind: str
    snapshot: int
    time: float


def bridge_events(observables: xr.Dataset) -> list[BridgeEvent]:
    """Find the first contact, all ruptures and all re-contacts.

    Parameters
    ----------
    observables : xarray.Dataset
        Over ``snapshot``, in order of time: ``time``, ``connected`` and ``bottleneck_atoms``.

    Returns
    -------
    list of BridgeEvent
        In order of time; no event where the tips never bonded. Each is known to happen within one
        sampling interval before its time.
    """
    bridged = _bridged(observables)
    changes = np.flatnonzero(np.diff(bridged, prepend=False))
    numbers, times = _numbers(observables), observables["time"].to_numpy()
    return [
        BridgeEvent(
            "rupture" if not bridged[index] else "re-contact" if place else "first contact",
            int(numbers[index]),
            float(times[index]),
        )
        for place, index in enumerate(changes)
    ]


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


def typical_snapshots(stages: Sequence[Stage]) -> dict[Stage, int]:
    """Choose a snapshot that shows each stage: the middle of its longest span.

    Returns
    -------
    dict of Stage to int
        Index of a snapshot, in the order in which these spans begin.
    """
    longest: dict[Stage, tuple[int, int]] = {}
    for stage, first, last in stage_spans(stages):
        known = longest.get(stage)
        if known is None or last - first > known[1] - known[0]:
            longest[stage] = (first, last)
    chosen = {stage: (first + last) // 2 for stage, (first, last) in longest.items()}
    return dict(sorted(chosen.items(), key=lambda item: item[1]))


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
    numbers = _numbers(observables)
    contact = first_contact(observables)
    marks = {"first": int(numbers[0])}
    if contact is not None:
        marks["first_contact"] = int(numbers[contact])
    marks["last"] = int(numbers[-1])
    return marks


def _numbers(observables: xr.Dataset) -> Int64Array:
    """Return the snapshot numbers, in order."""
    if "snapshot" in observables.coords:
        return observables["snapshot"].to_numpy().astype(np.int64)
    return np.arange(observables.sizes.get("snapshot", 0))
