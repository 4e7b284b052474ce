"""What snapshots of atoms offer: stages, bottleneck, contacts, kinetics, ensembles."""
