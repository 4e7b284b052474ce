"""Programs that measure speed, as ratios; ``make bench`` runs them all.

Every library works with one thread: these variables count when numpy is loaded, which is after
this module. Compiled loops of nanogap use as many as they are asked to.
"""

import os

for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{_library}_NUM_THREADS"] = "1"
