"""Fits of Hamiltonians to reference bands, and their calibration."""
