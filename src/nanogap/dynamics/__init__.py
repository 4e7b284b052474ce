"""Force field, LAMMPS engine, applied voltage and checkpoints."""
