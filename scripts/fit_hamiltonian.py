"""Fit the silver Hamiltonian to first-principles bands, from a clean guess.

python scripts/fit_hamiltonian.py [--restarts N] [--hold-out NAME] [-o FILE] [--figure FILE]
"""

import argparse
import dataclasses
import json
import time
import tomllib
from importlib.resources import files
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from matplotlib.figure import Figure

from nanogap.transport.bands import bands, fermi_energy_of
from nanogap.transport.fit import align, fit, perturb, root_mean_squares
from nanogap.transport.fit_data import (
    Reference,
    crowded_clusters,
    crowded_crystals,
    load_references,
)
from nanogap.transport.hamiltonian import SHELLS, TightBindingModel, model_from_table
from nanogap.transport.slater_koster import INTEGRALS

#: Importance of structures that matter most in a junction; the others have 1.
IMPORTANCE = {
    "fcc, a=4.09": 3.0,
    "fcc, a=4.25": 3.0,
    "three-layer fcc film": 1.5,
    "disordered four-atom cell": 1.5,
    "monatomic chain, d=2.89": 1.5,
}
INNER_CUTOFF, CUTOFF = 4.0, 7.0
#: Weight, per eV, of a Fermi energy that is not at zero: 0.1 eV costs as much as the bands of a
#: structure that are off by about 0.1 eV.
SHIFT_PENALTY = 1.5
GREETING = """\
Tight-binding parameters of silver, fitted by scripts/fit_hamiltonian.py to the PBE bands in
dft_bands_ag.json. Form and meaning: nanogap.transport.hamiltonian and docs/hamiltonian.md.
Energies in eV from the Fermi energy, lengths in angstrom.

Errors in meV: rms of the occupied bands, rms within 1.5 eV of E_F (both after the best rigid
shift of the structure), and that shift, by which the structure's Fermi energy is off zero.
"""

# signs from the overlap of the orbitals' facing lobes; sizes from the width of the bands
HAMILTONIAN = {
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
OVERLAP = {
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


def first_guess() -> TightBindingModel:
    """Return a model with pure exponentials and constant onsite energies."""

    def table(guess: dict[str, tuple[float, float]]) -> np.ndarray:
        return np.array([(value, 0.0, 0.0, decay) for value, decay in guess.values()])

    return TightBindingModel(
        element="Ag",
        electrons_per_atom=11.0,
        inner_cutoff=INNER_CUTOFF,
        cutoff=CUTOFF,
        hamiltonian=table(HAMILTONIAN),
        overlap=table(OVERLAP),
        density_decay=1.0,
        onsite=np.array([(1.0, 0, 0, 0), (6.0, 0, 0, 0), (-4.0, 0, 0, 0)]),
        potential_decay=1.0,
        potential=np.zeros(3),
    )


def guards() -> list[Reference]:
    """Return structures without bands whose overlap must stay positive definite."""
    nothing = (np.zeros((1, 3)), np.zeros((1, 0)), np.ones(1))
    pairs = [
        Reference(f"pair {d:.1f}", Atoms("Ag2", positions=[(0, 0, 0), (0, 0, d)]), *nothing)
        for d in (2.2, 2.5, 3.0, 4.0, 5.0, 6.0)
    ]
    return [
        *pairs,
        *crowded_clusters(2.2, seed=0, count=10),
        *crowded_crystals(),
    ]


def to_toml(model: TightBindingModel, comment: str) -> str:
    """Write a model as TOML, with a comment that says where it is from."""

    def row(values: np.ndarray) -> str:
        return "[" + ", ".join(f"{value:.10g}" for value in values) + "]"

    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines += [
        f'element = "{model.element}"',
        f"electrons_per_atom = {model.electrons_per_atom}",
        f"inner_cutoff = {model.inner_cutoff}",
        f"cutoff = {model.cutoff}",
        f"density_decay = {model.density_decay:.10g}",
        f"potential_decay = {model.potential_decay:.10g}",
        f"potential = {row(model.potential)}",
    ]
    for title, names, values in (
        ("onsite", SHELLS, model.onsite),
        ("hamiltonian", INTEGRALS, model.hamiltonian),
        ("overlap", INTEGRALS, model.overlap),
    ):
        lines += ["", f"[{title}]"]
        lines += [f"{name} = {row(value)}" for name, value in zip(names, values, strict=True)]
    return "\n".join(lines) + "\n"


def error_table(model: TightBindingModel, references: list[Reference], held_out: str) -> str:
    """Write the errors of all structures as lines of text, meV."""
    return "\n".join(
        f"{name:28s} {1e3 * occupied:6.1f} {1e3 * near:6.1f} {1e3 * shift:7.1f}"
        + ("  held out" if name == held_out else "")
        for name, (occupied, near, shift) in root_mean_squares(model, references).items()
    )


def plot(model: TightBindingModel, references: list[Reference], path: Path) -> None:
    """Draw the bands of the model, with the first-principles energies, of fcc and of a chain."""
    by_name = {reference.name: reference for reference in references}
    figure = Figure(figsize=(9.0, 4.5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(2.2, 1))
    metal = by_name["fcc, a=4.09"]
    path_fcc = bulk("Ag", a=4.09).cell.bandpath("LGXWKG", npoints=240)
    distance, ticks, labels = path_fcc.get_linear_kpoint_axis()
    left.plot(distance, bands(metal.atoms, path_fcc.kpts, model), color="0.45", lw=1.0)
    # the mesh hits the path from Gamma to L (equal coordinates) and to X (0, q, q)
    corner_l, corner_g, corner_x = ticks[0], ticks[1], ticks[2]
    for k, energies in zip(metal.kpoints, metal.bands, strict=True):
        q = np.sort(np.abs(k))
        if np.ptp(k) < 1e-6:
            x = corner_g - (corner_g - corner_l) * q[0] / 0.5
        elif q[0] < 1e-6 and abs(k[0] - k[1]) < 1e-6:
            x = corner_g + (corner_x - corner_g) * q[1] / 0.5
        else:
            continue
        left.plot(np.full(len(energies), x), energies, "o", color="tab:red", ms=3.5)
    left.set_xticks(ticks, [{"G": "Γ"}.get(label, label) for label in labels])
    left.set_title("fcc, a = 4.09 Å")
    chain = by_name["monatomic chain, d=2.89"]
    k = np.linspace(0.0, 0.5, 101)
    right.plot(k, bands(chain.atoms, np.outer(k, [0, 0, 1]), model), color="0.45", lw=1.0)
    right.plot(chain.kpoints[:, 2], chain.bands, "o", color="tab:red", ms=3.5)
    right.set_title("monatomic chain, d = 2.89 Å")
    right.set_xticks([0.0, 0.5], ["Γ", "Z"])
    left.set_ylabel("energy from E$_F$ (eV)")
    for axes, limits in ((left, (distance[0], distance[-1])), (right, (0.0, 0.5))):
        axes.axhline(0.0, color="k", lw=0.6)
        axes.set(ylim=(-8.5, 5.0), xlim=limits)
    left.plot([], [], "o", color="tab:red", ms=3.5, label="PBE")
    left.plot([], [], color="0.45", label="this model")
    left.legend(loc="upper right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def fit_in_stages(
    model: TightBindingModel, references: list[Reference], restarts: int, seed: int, held_out: str
) -> tuple[TightBindingModel, list[Reference]]:
    """Fit the shapes of the bands, then the Fermi energies too, then look for better minima.

    Returns
    -------
    model : TightBindingModel
    references : list of Reference
        With the zero of each at its converged Fermi energy.
    """
    started = time.perf_counter()

    def chosen() -> list[Reference]:
        return [*(r for r in references if r.name != held_out), *guards()]

    def tell(what: str, total: float) -> None:
        print(f"{time.perf_counter() - started:6.0f} s  {what}: {total:.4f}", flush=True)

    def realign() -> list[Reference]:
        shifts = [-row[2] for row in root_mean_squares(model, references).values()]
        return align(references, np.array(shifts), model)

    model, _, total = fit(model, chosen(), ridge=1e-2, shift_penalty=0.1, iterations=100)
    tell("free shifts", total)
    references = realign()
    for penalty in (0.3, 0.7, SHIFT_PENALTY, SHIFT_PENALTY):
        model, _, total = fit(model, chosen(), shift_penalty=penalty, iterations=120)
        tell(f"shifts with penalty {penalty}", total)
        references = realign()
    rng = np.random.default_rng(seed)
    for number in range(restarts):
        other = perturb(model, float(rng.choice([0.1, 0.2, 0.4])), rng)
        other, _, reached = fit(other, chosen(), shift_penalty=SHIFT_PENALTY, iterations=40)
        if reached < 1.15 * total:
            other, _, reached = fit(other, chosen(), shift_penalty=SHIFT_PENALTY, iterations=120)
        tell(f"restart {number}", reached)
        if reached < total:
            model, total = other, reached
    return model, references


def main() -> None:
    """Fit, print the errors, write the parameters and the figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hold-out", default="", help="a structure to leave out of the fit")
    parser.add_argument("--start", type=Path, help="TOML file to start from instead of the guess")
    parser.add_argument("--restarts", type=int, default=14, help="perturbed refits at the end")
    parser.add_argument("--seed", type=int, default=0, help="of the perturbations")
    parser.add_argument("-o", "--output", type=Path, help="TOML file to write")
    parser.add_argument("--figure", type=Path, help="PNG file to write")
    options = parser.parse_args()
    data = files("nanogap.transport") / "data" / "dft_bands_ag.json"
    references = [
        dataclasses.replace(r, importance=IMPORTANCE.get(r.name, 1.0))
        for r in load_references(json.loads(data.read_text()), semicore=3)
    ]
    model = first_guess()
    if options.start:
        model = model_from_table(tomllib.loads(options.start.read_text()))
    model, references = fit_in_stages(
        model, references, options.restarts, options.seed, options.hold_out
    )
    lines = error_table(model, references, options.hold_out)
    print(lines)
    for name in ("fcc, a=4.09", "monatomic chain, d=2.89"):
        atoms = next(r.atoms for r in references if r.name == name)
        print(f"E_F of {name}: {1e3 * fermi_energy_of(atoms, model=model):.1f} meV")
    if options.output:
        options.output.write_text(to_toml(model, f"{GREETING}\n{lines}\n"), encoding="utf-8")
    if options.figure:
        plot(model, references, options.figure)


if __name__ == "__main__":
    main()
