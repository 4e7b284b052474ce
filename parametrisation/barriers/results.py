"""How good the fit is, its variants on the same held-out bands, and the file of the package."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from nanogap.device.bonds import KINDS
from nanogap.device.energetics import Exchange, force_field_digest
from nanogap.dynamics.embedded_functions import Functions
from nanogap.io.atomic import write_text
from nanogap.typing import BoolArray, FloatArray
from parametrisation.barriers.bands import OUTCOMES, Bands
from parametrisation.barriers.fit import (
    HIGHEST,
    NamedBand,
    Table,
    fit,
    fit_phi,
    held_out,
    named_bands,
    shared_number,
    usable,
)
from parametrisation.barriers.sites import NEAREST

#: Attempt frequency, 1/s.
PREFACTOR = 1e12
#: Least barrier of the downhill direction, eV: less is below kT at room temperature.
FLOOR = 0.01
_SOURCE = (
    "phi and S: nudged elastic bands with the embedded-atom functions 'universal 3' of Foiles, "
    "Baskes & Daw, Phys. Rev. B 33, 7983 (1986), doi:10.1103/PhysRevB.33.7983, by "
    "parametrisation.barriers; prefactor: of the order of 1 THz, Ratsch & Scheffler, Phys. Rev. B "
    "58, 13163 (1998), doi:10.1103/PhysRevB.58.13163"
)


@dataclass(frozen=True)
class Results:
    """A fit, and what it was judged by.

    Attributes
    ----------
    table : Table
        Fitted without the held-out bands.
    fitted, held_out : BoolArray
        (n,) rows of the bands.
    named : list of NamedBand
        Named hops.
    exchanges : list of Exchange
        Named events that are no hops of the lattice.
    lattice_constant : float
        Angstrom.
    error_held_out : float
        Mean absolute error of the barriers that are held out, eV.
    """

    table: Table
    fitted: BoolArray
    held_out: BoolArray
    named: list[NamedBand]
    exchanges: list[Exchange]
    lattice_constant: float
    error_held_out: float = np.nan

    def error(self, bands: Bands, rows: BoolArray) -> float:
        """Return the mean absolute error of the barriers of some rows, eV."""
        predicted = self.table.barriers(bands, rows, FLOOR)
        return float(np.abs(predicted - bands.forward[rows]).mean())


def cohesive_energy(functions: Functions) -> float:
    """Compute the cohesive energy of the crystal of the functions, eV."""
    points = np.argwhere(np.ones((9, 9, 9), dtype=bool)) - 4
    points = points[(points.sum(axis=1) % 2 == 0) & (points != 0).any(axis=1)]
    lengths = np.linalg.norm(points, axis=1) * functions.lattice_constant / 2
    lengths = lengths[lengths < functions.cutoff]
    pair = _spline(functions.pair, lengths / functions.step) / lengths
    density = _spline(functions.density, lengths / functions.step).sum()
    embedding = _spline(functions.embedding, np.array([density / functions.density_step]))
    return -float(embedding[0] + pair.sum() / 2)


def _spline(pieces: FloatArray, places: FloatArray) -> FloatArray:
    """Evaluate the pieces of a spline."""
    knots = np.minimum(places.astype(int), len(pieces) - 2)
    powers = (places - knots)[:, None] ** np.arange(4)
    return np.asarray((pieces[knots] * powers).sum(axis=1))


def evaluate_bands(bands: Bands, functions: Functions) -> Results:
    """Fit the bands that are not held out."""
    outside = held_out(bands)
    inside = usable(bands) & ~outside
    named, exchanges = named_bands(functions)
    table = fit(bands, inside, named, cohesive_energy(functions))
    found = Results(table, inside, outside, named, exchanges, functions.lattice_constant)
    return replace(found, error_held_out=found.error(bands, outside))


def show(bands: Bands, results: Results) -> None:
    """Print counts, errors of the model and its variants, and the named hops."""
    print("outcome of the hops tried:")
    for index, outcome in enumerate(OUTCOMES):
        print(f"  {outcome:<16}{int((bands.outcome == index).sum()):>6}")
    print(
        f"  of the ok, above {HIGHEST} eV and left out: {int((bands.found & ~usable(bands)).sum())}"
    )
    through = bands.intermediate[usable(bands)].mean()
    print(f"  of the ok, through a hollow that is no site: {100 * through:.0f} %")
    outside = results.held_out
    print(f"{results.fitted.sum()} bands fitted, {outside.sum()} held out")
    print("mean absolute errors, eV (root mean square):")
    for name, rows in (("fitted", results.fitted), ("held out", outside)):
        errors = results.table.barriers(bands, rows, FLOOR) - bands.forward[rows]
        change = bands.change_counts[rows] @ results.table.phi - bands.change[rows]
        removal = bands.removal_counts[rows] @ results.table.phi + bands.removal[rows]
        print(
            f"  {name:<9} barrier {np.abs(errors).mean():.4f} ({np.sqrt((errors**2).mean()):.4f}), "
            f"energy change {np.abs(change).mean():.4f}, removal {np.abs(removal).mean():.4f}"
        )
    print("variants, held out:")
    for name, error in variants(bands, results).items():
        print(f"  {name:<52} {error:.4f}")
    seen = np.triu(np.swapaxes(results.table.seen, 0, 2)).astype(bool).sum()
    print(f"entries of the table with bands: {seen}")
    print("named hops: band, table, difference, eV:")
    for band in results.named:
        value = results.table.named(band, FLOOR)
        print(f"  {band.name:<33}{band.forward:.3f}  {value:.3f}  {value - band.forward:+.3f}")
    for event in results.exchanges:
        forward = event.saddle + event.change / 2
        print(f"  {event.name:<33}{forward:.3f}  (an event of its own)")


def variants(bands: Bands, results: Results) -> dict[str, float]:
    """Return held-out errors of barriers by simpler and richer models, eV."""
    outside, inside, named = results.held_out, results.fitted, results.named
    found = {"as packaged": results.error(bands, outside)}

    def judge(name: str, changed: Bands, hops: list[NamedBand]) -> None:
        table = fit(changed, inside, hops, -float(results.table.phi[12]))
        predicted = table.barriers(changed, outside, FLOOR)
        found[name] = float(np.abs(predicted - bands.forward[outside]).mean())

    # kinds of which only the shared sites are told apart
    classes = np.array([shared_number(kind) for kind in range(KINDS)])
    merged = np.array([int(np.flatnonzero(classes == c)[0]) for c in classes])
    hops = [replace(b, key=(*b.key[:2], int(merged[b.key[2]]))) for b in named]
    judge("shared sites only, seven classes", replace(bands, kind=merged[bands.kind]), hops)
    # A and B edges alike
    single = np.where(classes == 3, 2, classes)
    merged = np.array([int(np.flatnonzero(single == c)[0]) for c in single])
    hops = [replace(b, key=(*b.key[:2], int(merged[b.key[2]]))) for b in named]
    judge("shared sites only, A and B edges alike", replace(bands, kind=merged[bands.kind]), hops)
    second, change = second_neighbour_term(bands, results)
    found[f"with a second-neighbour pair of {second:.3f} eV"] = change
    exact = results.table.saddle[
        bands.ends[outside, 0], bands.ends[outside, 1], bands.kind[outside]
    ]
    errors = exact + bands.change[outside] / 2 - bands.forward[outside]
    found["with the exact energy change of each hop"] = float(np.abs(errors).mean())
    return found


def second_neighbour_term(bands: Bands, results: Results) -> tuple[float, float]:
    """Fit a pair energy of second neighbours to what phi leaves; return it and its error, eV."""
    outside, inside = results.held_out, results.fitted
    more = (bands.second[:, 1] - bands.second[:, 0]).astype(float)
    pair = 0.0
    changed = bands
    for _ in range(20):
        changed = replace(bands, change=bands.change - pair * more)
        phi = fit_phi(changed, inside, [], -float(results.table.phi[12]))
        left = bands.change - bands.change_counts @ phi
        pair = float(left[inside] @ more[inside] / (more[inside] @ more[inside]))
    change = bands.change_counts[outside] @ phi + pair * more[outside]
    saddle = results.table.saddle[
        bands.ends[outside, 0], bands.ends[outside, 1], bands.kind[outside]
    ]
    predicted = np.maximum(saddle + change / 2, np.maximum(0, change) + FLOOR)
    return pair, float(np.abs(predicted - bands.forward[outside]).mean())


def write_energetics(path: Path, element: str, results: Results) -> None:
    """Write the file that `nanogap.device.energetics.load_energetics` reads."""
    rows, columns = np.tril_indices(len(NEAREST))
    table = results.table
    lines = {
        "element": element,
        "lattice_constant": results.lattice_constant,
        "prefactor": PREFACTOR,
        "floor": FLOOR,
        "held_out_error": round(results.error_held_out, 4),
        "bands_fitted": int(results.fitted.sum()),
        "bands_held_out": int(results.held_out.sum()),
        "source": _SOURCE,
        "digest": force_field_digest(element),
        "phi": table.phi.round(4).tolist(),
        "exchanges": [asdict(event) for event in results.exchanges],
    }
    head = ",\n".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in lines.items())
    # one line for each pair of neighbours
    body = ",\n".join(
        f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in values) + "\n]"
        for name, values in (
            ("saddle", table.saddle[rows, columns].round(3).tolist()),
            ("seen", table.seen[rows, columns].tolist()),
        )
    )
    write_text(path, f"{{\n{head},\n{body}\n}}\n")
