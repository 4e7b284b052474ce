"""Voltage-driven rewiring of metallic nanogaps, from atoms to conductance histograms."""

from importlib.metadata import version

__version__ = version("nanogap")
