"""Constants and unit factors: angstrom, fs, eV, K, V, elementary charge; conductance in G0.

All values derive from the CODATA set of `scipy.constants`.
"""

from scipy import constants

#: Conductance quantum 2e^2/h, siemens.
CONDUCTANCE_QUANTUM: float = 2.0 * constants.e**2 / constants.h

#: Coulomb constant e^2/(4 pi epsilon_0) over e, V angstrom per elementary charge.
COULOMB: float = constants.e / (4.0 * constants.pi * constants.epsilon_0) * 1e10

#: Boltzmann constant, eV/K.
BOLTZMANN: float = constants.k / constants.e

#: One kcal/mol in eV (LAMMPS "real" units).
KCAL_PER_MOL: float = constants.calorie * 1e3 / constants.N_A / constants.e
