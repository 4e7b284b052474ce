"""Analyses of snapshots of atoms: stages, bottleneck, first contacts, kinetics, ensembles."""
