"""Transmission of junctions: Hamiltonian, Green's functions, backends, currents."""
