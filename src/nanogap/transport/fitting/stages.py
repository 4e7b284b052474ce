"""From reference bands to a tight-binding model: the stages of a fit."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nanogap.errors import SettingsError
from nanogap.transport.fitting.least_squares import band_errors, fermi_levels, fit
from nanogap.transport.fitting.metal_size import relative_size
from nanogap.transport.fitting.overlap_guards import overlap_guards
from nanogap.transport.fitting.parameters import perturb
from nanogap.transport.fitting.reference_bands import ReferenceBands
from nanogap.transport.tight_binding.model import REFERENCE, TightBindingModel
from nanogap.transport.tight_binding.slater_koster import INTEGRALS
from nanogap.typing import FloatArray

#: Where the cut-off function leaves 1 and reaches 0 for silver, angstrom.
INNER_CUTOFF, CUTOFF = 4.0, 7.0
#: Weights, per eV, of Fermi energies that are not at zero, stage by stage: at the last, 0.1 eV
#: costs as much as the bands of a structure that are off by about 0.1 eV.
SHIFT_PENALTIES = (0.3, 0.7, 1.5, 1.5)
#: Steps of a stage at the most: the crystal field's valleys are long and narrow.
_ITERATIONS = 250

#: Levels of s, p and d, eV from the Fermi energy: where d bands hold electrons, and where at most
#: so many valence electrons leave them empty.
_WITH_D, _WITHOUT_D, _MOST_SP = (1.0, 6.0, -4.0), (-3.0, 3.0, 12.0), 4.0

# signs from the overlap of the orbitals' facing lobes; sizes from the width of the bands of silver
_HAMILTONIAN = {
    "ss_sigma": (-0.9, 1.2),
    "sp_sigma": (1.2, 1.2),
    "pp_sigma": (1.5, 1.2),
    "pp_pi": (-0.3, 1.2),
    "sd_sigma": (-0.35, 1.6),
    "pd_sigma": (-0.45, 1.6),
    "pd_pi": (0.2, 1.6),
    "dd_sigma": (-0.35, 2.0),
    "dd_pi": (0.2, 2.0),
    "dd_delta": (-0.03, 2.0),
}
_OVERLAP = {
    "ss_sigma": (0.1, 1.2),
    "sp_sigma": (-0.12, 1.2),
    "pp_sigma": (-0.15, 1.2),
    "pp_pi": (0.08, 1.2),
    "sd_sigma": (0.03, 1.6),
    "pd_sigma": (0.04, 1.6),
    "pd_pi": (-0.03, 1.6),
    "dd_sigma": (0.01, 2.0),
    "dd_pi": (-0.01, 2.0),
    "dd_delta": (0.002, 2.0),
}


def first_guess(element: str, electrons_per_atom: float) -> TightBindingModel:
    """Return a model to start a fit from: pure exponentials and constant onsite energies.

    Parameters
    ----------
    element : str
        Chemical symbol.
    electrons_per_atom : float
        Valence electrons, s, p and d.

    Returns
    -------
    TightBindingModel
        Without a coupling through vacuum. At the bonds of the metal the integrals have the signs
        and sizes that those of silver have at its own; lengths go with the size of the atoms.

    Raises
    ------
    SettingsError
        If the size of the element's atoms is not known.
    """
    size = relative_size(element)

    def table(guess: dict[str, tuple[float, float]]) -> FloatArray:
        return np.array(
            [
                (value * np.exp(decay * REFERENCE * (1.0 - 1.0 / size)), 0.0, 0.0, decay / size)
                for value, decay in guess.values()
            ]
        )

    levels = _WITH_D if electrons_per_atom > _MOST_SP else _WITHOUT_D
    return TightBindingModel(
        element=element,
        electrons_per_atom=electrons_per_atom,
        inner_cutoff=round(INNER_CUTOFF * size, 2),
        cutoff=round(CUTOFF * size, 2),
        hamiltonian=table(_HAMILTONIAN),
        overlap=table(_OVERLAP),
        density_decay=1.0,
        onsite=np.array([(level, 0.0, 0.0, 0.0) for level in levels]),
        potential_decay=1.0,
        potential=np.zeros(3),
        crystal_field=np.outer(np.ones(len(INTEGRALS)), (0.0, 0.0, 0.0, 1.5 / size)),
        neighbour_potential=np.array([0.0, 0.0, 0.0, 1.5 / size]),
    )


@dataclass(frozen=True)
class Progress:
    """State of a fit in stages: what the next stage starts from.

    Attributes
    ----------
    finished : int
        Stages that are finished: free shifts, then one for each of `SHIFT_PENALTIES`, then the
        restarts.
    sum_of_squares : float
        Of the best model.
    model : TightBindingModel
        The best.
    offsets : ndarray, shape (n_references,)
        By which the zero of the bands of each structure was moved, eV.
    """

    finished: int
    sum_of_squares: float
    model: TightBindingModel
    offsets: FloatArray


def fit_in_stages(
    model: TightBindingModel,
    references: Sequence[ReferenceBands],
    *,
    restarts: int,
    seed: int,
    held_out: Sequence[str] = (),
    begun: Progress | None = None,
    report: Callable[[str], None],
    keep: Callable[[Progress], None] = lambda _: None,
) -> tuple[TightBindingModel, list[ReferenceBands]]:
    """Fit the shapes of the bands, then the Fermi energies too, then look for better minima.

    Parameters
    ----------
    model : TightBindingModel
        Where to start.
    references : sequence of ReferenceBands
    restarts : int
        Refits from a perturbed model at the end.
    seed : int
        Of the perturbations.
    held_out : sequence of str
        Structures that are not fitted, only compared.
    begun : Progress, optional
        Of an earlier call with all else the same, to the end of which the fit goes on: the result
        is the same to the bit.
    report : callable
        Called with a line of text after every stage.
    keep : callable
        Called with the progress after every stage.

    Returns
    -------
    model : TightBindingModel
    references : list of ReferenceBands
        With the zero of each at its converged Fermi energy.

    Raises
    ------
    SettingsError
        If a held-out name is not one of a structure, or two structures share a name.
    """
    counts = Counter(reference.name for reference in references)
    name, count = counts.most_common(1)[0]
    if count > 1:
        raise SettingsError(f"{count} structures are named {name!r}: names must differ")
    unknown = set(held_out) - counts.keys()
    if unknown:
        raise SettingsError(f"no structure named {min(unknown)!r}; there are {', '.join(counts)}")
    progress = begun or Progress(0, np.inf, model, np.zeros(len(references)))
    first_restart = 1 + len(SHIFT_PENALTIES)
    for stage in range(progress.finished, first_restart + restarts):
        aligned = _aligned(references, progress.offsets)
        chosen = [*(r for r in aligned if r.name not in held_out), *overlap_guards(model.element)]
        if stage < first_restart:
            progress, title = _shape(stage, progress, aligned, chosen)
        else:
            number = stage - first_restart
            rng = np.random.default_rng([seed, number])
            progress, found = _restart(progress, chosen, rng)
            title = f"restart {number + 1} of {restarts}: {found:.4f}"
        report(title)
        keep(progress)
    return progress.model, _aligned(references, progress.offsets)


def _shape(
    stage: int,
    progress: Progress,
    aligned: list[ReferenceBands],
    chosen: list[ReferenceBands],
) -> tuple[Progress, str]:
    """Fit with free shifts at first, then with dearer ones; find the Fermi energies anew."""
    if stage == 0:
        best = fit(progress.model, chosen, ridge=1e-2, shift_penalty=0.1, iterations=_ITERATIONS)
        title = "free shifts"
    else:
        penalty = SHIFT_PENALTIES[stage - 1]
        best = fit(progress.model, chosen, shift_penalty=penalty, iterations=_ITERATIONS)
        title = f"shifts with penalty {penalty}"
    shifts = np.array([errors.shift for errors in band_errors(best.model, aligned).values()])
    offsets = progress.offsets + fermi_levels(aligned, best.model) - shifts
    found = Progress(stage + 1, best.sum_of_squares, best.model, offsets)
    return found, f"{title}: {best.sum_of_squares:.4f}"


def _restart(
    progress: Progress, chosen: list[ReferenceBands], rng: np.random.Generator
) -> tuple[Progress, float]:
    """Fit from a perturbed model; return the better one, and the sum of squares that was found."""
    last = SHIFT_PENALTIES[-1]
    start = perturb(progress.model, float(rng.choice([0.1, 0.2, 0.4])), rng)
    other = fit(start, chosen, shift_penalty=last, iterations=40)
    if other.sum_of_squares < 1.15 * progress.sum_of_squares:
        other = fit(other.model, chosen, shift_penalty=last, iterations=_ITERATIONS)
    found = replace(progress, finished=progress.finished + 1)
    if other.sum_of_squares < progress.sum_of_squares:
        found = replace(found, sum_of_squares=other.sum_of_squares, model=other.model)
    return found, other.sum_of_squares


def _aligned(references: Sequence[ReferenceBands], offsets: FloatArray) -> list[ReferenceBands]:
    """Move the zero of the bands of every structure."""
    return [
        replace(reference, bands=reference.bands - offset)
        for reference, offset in zip(references, offsets, strict=True)
    ]


def error_table(
    model: TightBindingModel, references: Sequence[ReferenceBands], held_out: Sequence[str] = ()
) -> str:
    """Write the errors of all structures as lines of text.

    Returns
    -------
    str
        Name, the two root mean squares and the shift of `BandErrors` in meV, and whether the
        structure was held out.
    """
    return "\n".join(
        f"{name:38s} {1e3 * errors.occupied:6.1f} {1e3 * errors.near_fermi_energy:6.1f} "
        f"{1e3 * errors.shift:7.1f}" + ("  held out" if name in held_out else "")
        for name, errors in band_errors(model, references).items()
    )
