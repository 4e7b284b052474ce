"""The engine of this project: Green's functions in the tight-binding model."""

from nanogap.transport.negf.compute import compute_transmission

__all__ = ["compute_transmission"]
