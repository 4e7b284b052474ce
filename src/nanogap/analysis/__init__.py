"""Histograms, stages and geometry descriptors; knows nothing of where the data came from."""
