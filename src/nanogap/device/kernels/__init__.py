"""Compiled parts of the kinetic Monte Carlo engine: one kind of event, one small file."""
