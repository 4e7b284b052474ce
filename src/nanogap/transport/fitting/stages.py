"""From reference bands to a tight-binding model: the stages of a fit, parameters as TOML."""

from collections.abc import Callable, Sequence

import numpy as np
from ase import Atoms

from nanogap.errors import SettingsError
from nanogap.transport.fitting.least_squares import align, fit, perturb, root_mean_squares
from nanogap.transport.fitting.reference_bands import Reference, crowded_clusters, crowded_crystals
from nanogap.transport.tight_binding.model import TightBindingModel
from nanogap.typing import FloatArray

Teller = Callable[[str], None]

INNER_CUTOFF, CUTOFF = 4.0, 7.0
#: Weights, per eV, of Fermi energies that are not at zero, stage by stage: at the last, 0.1 eV
#: costs as much as the bands of a structure that are off by about 0.1 eV.
SHIFT_PENALTIES = (0.3, 0.7, 1.5, 1.5)

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
    """Return a model with pure exponentials and constant onsite energies.

    Parameters
    ----------
    element : str
    electrons_per_atom : float
        Valence electrons, s, p and d.
    """

    def table(guess: dict[str, tuple[float, float]]) -> FloatArray:
        return np.array([(value, 0.0, 0.0, decay) for value, decay in guess.values()])

    return TightBindingModel(
        element=element,
        electrons_per_atom=electrons_per_atom,
        inner_cutoff=INNER_CUTOFF,
        cutoff=CUTOFF,
        hamiltonian=table(_HAMILTONIAN),
        overlap=table(_OVERLAP),
        density_decay=1.0,
        onsite=np.array([(1.0, 0, 0, 0), (6.0, 0, 0, 0), (-4.0, 0, 0, 0)]),
        potential_decay=1.0,
        potential=np.zeros(3),
    )


def guards(element: str) -> list[Reference]:
    """Return structures without bands whose overlap must stay positive definite."""
    nothing = (np.zeros((1, 3)), np.zeros((1, 0)), np.ones(1))
    pairs = [
        Reference(f"pair {d:.1f}", Atoms(f"{element}2", [(0, 0, 0), (0, 0, d)]), *nothing)
        for d in (2.2, 2.5, 3.0, 4.0, 5.0, 6.0)
    ]
    return [*pairs, *crowded_clusters(2.2, seed=0, count=10), *crowded_crystals()]


def fit_in_stages(
    model: TightBindingModel,
    references: Sequence[Reference],
    *,
    restarts: int,
    seed: int,
    held_out: Sequence[str] = (),
    tell: Teller,
) -> tuple[TightBindingModel, list[Reference]]:
    """Fit the shapes of the bands, then the Fermi energies too, then look for better minima.

    Parameters
    ----------
    model : TightBindingModel
        Where to start.
    references : sequence of Reference
    restarts : int
        Refits from a perturbed model at the end.
    seed : int
        Of the perturbations.
    held_out : sequence of str
        Structures that are not fitted, only compared.
    tell : callable
        Called with a line of text after every stage.

    Returns
    -------
    model : TightBindingModel
    references : list of Reference
        With the zero of each at its converged Fermi energy.

    Raises
    ------
    SettingsError
        If a held-out name is not one of a structure.
    """
    unknown = set(held_out) - {reference.name for reference in references}
    if unknown:
        names = ", ".join(reference.name for reference in references)
        raise SettingsError(f"no structure named {min(unknown)!r}; there are {names}")
    aligned = list(references)

    def chosen() -> list[Reference]:
        return [*(r for r in aligned if r.name not in held_out), *guards(model.element)]

    model, _, total = fit(model, chosen(), ridge=1e-2, shift_penalty=0.1, iterations=100)
    tell(f"free shifts: {total:.4f}")
    aligned = _realigned(aligned, model)
    for penalty in SHIFT_PENALTIES:
        model, _, total = fit(model, chosen(), shift_penalty=penalty, iterations=120)
        tell(f"shifts with penalty {penalty}: {total:.4f}")
        aligned = _realigned(aligned, model)
    rng = np.random.default_rng(seed)
    last = SHIFT_PENALTIES[-1]
    for number in range(restarts):
        other = perturb(model, float(rng.choice([0.1, 0.2, 0.4])), rng)
        other, _, reached = fit(other, chosen(), shift_penalty=last, iterations=40)
        if reached < 1.15 * total:
            other, _, reached = fit(other, chosen(), shift_penalty=last, iterations=120)
        tell(f"restart {number + 1} of {restarts}: {reached:.4f}")
        if reached < total:
            model, total = other, reached
    return model, aligned


def _realigned(references: list[Reference], model: TightBindingModel) -> list[Reference]:
    shifts = [-row[2] for row in root_mean_squares(model, references).values()]
    return align(references, np.array(shifts), model)


def error_table(
    model: TightBindingModel, references: Sequence[Reference], held_out: Sequence[str] = ()
) -> str:
    """Write the errors of all structures as lines of text, meV."""
    return "\n".join(
        f"{name:38s} {1e3 * occupied:6.1f} {1e3 * near:6.1f} {1e3 * shift:7.1f}"
        + ("  held out" if name in held_out else "")
        for name, (occupied, near, shift) in root_mean_squares(model, references).items()
    )
