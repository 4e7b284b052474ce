"""Analyses of any conductance trace: histograms, plateaus, switching, retention, noise."""
