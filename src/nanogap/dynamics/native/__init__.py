"""Compiled molecular dynamics of one metal by ReaxFF, with neighbour lists of its own.

It knows arrays and numbers of a force field; nothing of LAMMPS, of settings or of files.
"""
