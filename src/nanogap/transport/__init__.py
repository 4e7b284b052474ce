"""Hamiltonian, lead self-energies, Green's functions; all return a Transmission dataset."""
