"""Scattering region, leads, self-energies, Green's functions, transmission."""
