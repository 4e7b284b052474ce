"""Bands of a tight-binding model drawn over those that it was fitted to."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from nanogap.report.style import BLUE, INK, QUIET
from nanogap.transport.fitting.reference_bands import ReferenceBands
from nanogap.transport.tight_binding.bands import band_energies
from nanogap.transport.tight_binding.model import TightBindingModel

#: Range of energies that is shown, eV from the Fermi energy.
_RANGE = (-8.0, 4.5)
_COLUMNS = 5


def bands_figure(model: TightBindingModel, references: Sequence[ReferenceBands]) -> Figure:
    """Draw, for every structure, the model's band energies against the first-principles ones.

    Parameters
    ----------
    model : TightBindingModel
    references : sequence of ReferenceBands

    Returns
    -------
    matplotlib.figure.Figure
        One panel per structure, energies from the Fermi energy; a perfect model has all points on
        the diagonal.
    """
    rows = -(-len(references) // _COLUMNS)
    figure = Figure(figsize=(2.5 * _COLUMNS, 2.45 * rows), layout="constrained")
    axes = figure.subplots(rows, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
    for panel, reference in zip(axes, references, strict=False):
        n = reference.bands.shape[1]
        found = band_energies(reference.atoms, reference.kpoints, model)[:, :n]
        panel.plot(_RANGE, _RANGE, color=QUIET, linewidth=0.8)
        panel.axhline(0.0, color=INK, linewidth=0.4)
        panel.axvline(0.0, color=INK, linewidth=0.4)
        panel.plot(reference.bands.ravel(), found.ravel(), ".", color=BLUE, markersize=3.0)
        panel.set(xlim=_RANGE, ylim=_RANGE, aspect="equal")
        panel.set_title(reference.name, fontsize=8)
    for panel in axes[len(references) :]:
        panel.set_visible(False)
    figure.supxlabel("first principles, energy from E$_F$ (eV)")
    figure.supylabel("tight binding, energy from E$_F$ (eV)")
    return figure
