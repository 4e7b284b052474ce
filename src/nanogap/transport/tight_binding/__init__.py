"""Tight-binding Hamiltonian: model, its files, matrices, bands, vacuum tail."""
