"""The Hamiltonian: model, its files, matrices, bands, vacuum tail."""
