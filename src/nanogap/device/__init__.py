"""A nanogap at laboratory time scales: atoms on a lattice behind a circuit."""
