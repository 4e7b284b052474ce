"""Named processes on flat faces and along straight steps, by which a table is judged."""

from dataclasses import dataclass

import numpy as np

from nanogap.typing import BoolArray, Int64Array
from parametrisation.barriers.environments import grid_sites
from parametrisation.barriers.sites import HALF, NEAREST, Hop

#: Along a close-packed step on (111), and away from it.
_ALONG = np.array([1, -1, 0])
_ACROSS = np.array([1, 1, -2])
#: A site on the layer above x + y + z = 0, in the row beside a step.
_BESIDE = np.array([1, 1, 0])


@dataclass(frozen=True)
class Named:
    """One named process.

    Attributes
    ----------
    name : str
        In the words of the table.
    hop : Hop
        The hop; of an exchange, from the first atom to the one that it pushes.
    target : Int64Array or None
        Where the pushed atom of an exchange goes.
    """

    name: str
    hop: Hop
    target: Int64Array | None = None


def _site(grid: BoolArray, site: Int64Array, occupied: bool = True) -> BoolArray:
    """Return a grid with one site changed."""
    changed = grid.copy()
    changed[tuple(site + HALF)] = occupied
    return changed


def _hop(name: str, grid: BoolArray, start: Int64Array, step: Int64Array) -> Named:
    """Make a hop of an atom that is put at its start."""
    return Named(name, Hop(_site(grid, start), start, start + step))


def step_grid(kind: str) -> BoolArray:
    """Return a (111) face with a straight step of a kind, ``"A"`` or ``"B"``.

    An A step is a {100} facet, a B step a {111} facet. The row of sites beside the step goes along
    (1, -1, 0) through (1, 1, 0).
    """
    points, sites = grid_sites()
    layer, row = points.sum(axis=-1), points @ _ACROSS
    upper = (row > 4) if kind == "A" else (row < 0)
    found: BoolArray = sites & ((layer < 1) | ((layer == 2) & upper))
    return found


def _in_layer(rows: int) -> Int64Array:
    """Return the steps within a (111) layer by some rows across."""
    across = NEAREST @ _ACROSS
    found: Int64Array = NEAREST[(NEAREST.sum(axis=1) == 0) & (across == 3 * rows)]
    return found


def _steps(kind: str) -> list[Named]:
    """Return the processes along a step."""
    flat = step_grid(kind)
    away = -1 if kind == "A" else 1
    kinked = flat.copy()
    for k in range(1, 20):
        kinked[tuple(_BESIDE - k * _ALONG + HALF)] = True
    # of the two sites one row out, the one that touches the row
    touching = min(_in_layer(away), key=lambda v: float(v @ _ALONG))
    return [
        _hop(f"edge diffusion, {kind}", flat, _BESIDE, _ALONG),
        _hop(f"step to terrace, {kind}", flat, _BESIDE, _in_layer(away)[0]),
        _hop(f"kink to edge, {kind}", kinked, _BESIDE, _ALONG),
        _hop(f"kink to one row out, {kind}", kinked, _BESIDE, touching),
        *_step_down(kind, flat, away),
    ]


def _step_down(kind: str, flat: BoolArray, away: int) -> list[Named]:
    """Return the ways of an adatom on the upper terrace down to the site beside the step."""
    up = NEAREST[NEAREST.sum(axis=1) == 2]
    pushed = _BESIDE + _in_layer(-away)[0]
    found = []
    for site in pushed + up:
        if not flat[tuple((site - up + HALF).T)].all():
            continue
        grid = _site(flat, site)
        found += [
            Named(f"step down, exchange, {kind}", Hop(grid, site, pushed), _BESIDE),
            Named(f"step down, hop, {kind}", Hop(grid, site, _BESIDE)),
        ]
    return found


def named_processes() -> list[Named]:
    """Return the named processes; of those with several ways, all, under the same name."""
    points, sites = grid_sites()
    flat111 = sites & (points.sum(axis=-1) < 1)
    flat100 = sites & (points[..., 2] < 1)
    flat110 = sites & (points[..., 0] + points[..., 1] < 1)
    on100, on110 = np.array([1, 0, 1]), np.array([1, 0, 1])
    pushed110 = np.array([0, 0, 0])
    return [
        _hop("terrace (111), hop", flat111, _BESIDE, _ALONG),
        _hop("terrace (100), hop", flat100, on100, np.array([1, 1, 0])),
        Named(
            "terrace (100), exchange",
            Hop(_site(flat100, on100), on100, np.array([1, 1, 0])),
            np.array([1, 2, 1]),
        ),
        _hop("terrace (110), along the channel", flat110, on110, _ALONG),
        *(
            Named(
                "terrace (110), exchange across",
                Hop(_site(flat110, on110), on110, pushed110),
                target,
            )
            for target in (np.array([0, 1, 1]), np.array([0, 1, -1]))
        ),
        *_steps("A"),
        *_steps("B"),
    ]
