"""Pictures as a microscope shows them: dark-field Z-contrast, and shading of surfaces."""

from nanogap.imaging.grid import PixelGrid
from nanogap.imaging.haadf import haadf_of_atoms, haadf_of_outline, projected_thickness
from nanogap.imaging.microscope import Microscope
from nanogap.imaging.noise import counted_electrons
from nanogap.imaging.outline import Outline, outline_of, parted_outline
from nanogap.imaging.sem import sem_of_atoms, sem_of_outline
from nanogap.imaging.view import seen_along

__all__ = [
    "Microscope",
    "Outline",
    "PixelGrid",
    "counted_electrons",
    "haadf_of_atoms",
    "haadf_of_outline",
    "outline_of",
    "parted_outline",
    "projected_thickness",
    "seen_along",
    "sem_of_atoms",
    "sem_of_outline",
]
