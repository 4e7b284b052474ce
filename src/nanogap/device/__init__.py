"""A nanogap at laboratory time scales: atoms on a lattice behind a circuit."""

from nanogap.device.device import Device
from nanogap.device.measurement import Measurement, Point
from nanogap.device.readings import readings_dataset

__all__ = ["Device", "Measurement", "Point", "readings_dataset"]
