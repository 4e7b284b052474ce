"""Quantum ESPRESSO: inputs, jobs and outputs of pw.x, pwcond.x and ld1.x, pseudopotentials."""
