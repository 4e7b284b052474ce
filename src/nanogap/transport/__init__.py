"""Hamiltonian, lead self-energies and Green's functions; everything returns a Transmission dataset."""
