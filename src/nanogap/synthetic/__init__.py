"""Measurements whose answers are known."""

from nanogap.synthetic.write import KINDS, write_synthetic

__all__ = ["KINDS", "write_synthetic"]
