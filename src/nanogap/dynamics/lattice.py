"""The interaction's own fcc lattice constant at a temperature and zero pressure.

Tips built with another one are strained from the first step, and their leads do not fit.
"""

import contextlib
import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np

from nanogap.dynamics.interaction import Interaction
from nanogap.dynamics.lammps import open_lammps
from nanogap.errors import EngineError
from nanogap.io import write_json
from nanogap.settings import cache_folder

_CELLS = 3
_TIME_STEP = 4.0
_EQUILIBRATION_STEPS = 300
_BLOCKS, _BLOCK_STEPS = 80, 15
_STATIC_TEMPERATURE = 1.0


def equilibrium_lattice_constant(
    interaction: Interaction, temperature: float, *, cache: Path | None = None
) -> float:
    """Compute the lattice constant of bulk fcc at zero pressure.

    At a temperature: the mean over 4.8 ps of an isothermal-isobaric run of 108 atoms (Nosé-Hoover,
    Martyna, Tobias & Klein, J. Chem. Phys. 101, 4177 (1994), doi:10.1063/1.467468) with a fixed
    seed. Below 1 K: the minimum of the energy. The result is rounded to 0.001 angstrom, below
    its statistical error of about 0.003.

    Parameters
    ----------
    interaction : Interaction
    temperature : float
        K.
    cache : Path, optional
        Folder in which results are kept from call to call; default: ``nanogap`` in the user's
        cache folder (``XDG_CACHE_HOME``).

    Returns
    -------
    float
        Angstrom.

    Raises
    ------
    EngineError
        If the crystal does not survive the run (the temperature is above melting).
    """
    recipe = f"{interaction.text()}|{temperature!r}|{_CELLS}|{_BLOCKS}x{_BLOCK_STEPS}|1"
    key = hashlib.sha256(recipe.encode()).hexdigest()[:24]
    folder = cache or cache_folder()
    stored = folder / f"lattice-{key}.json"
    try:
        return float(json.loads(stored.read_text())["lattice_constant"])
    except (OSError, ValueError, KeyError):
        pass  # not computed yet
    value = round(_compute(interaction, temperature), 3)
    _store(stored, {"lattice_constant": value, "temperature": temperature})
    return value


def _compute(interaction: Interaction, temperature: float) -> float:
    with tempfile.TemporaryDirectory() as name:
        lammps = open_lammps(None)
        try:
            pair = "\n".join(interaction.pair_commands(Path(name), fast=True, charges=False))
            lammps.commands_string(
                f"""units real
atom_style charge
boundary p p p
lattice fcc {interaction.lattice_constant}
region box block 0 {_CELLS} 0 {_CELLS} 0 {_CELLS}
create_box 1 box
create_atoms 1 box
mass 1 {interaction.mass}
{pair}
neighbor 1.0 bin
neigh_modify every 5 delay 0 check yes
timestep {_TIME_STEP}
thermo 1000000
fix relax all box/relax iso 0.0
minimize 0 1e-8 200 2000
unfix relax"""
            )
            static = _lattice_constant(lammps)
            if temperature < _STATIC_TEMPERATURE:
                return static
            lammps.commands_string(
                f"""velocity all create {2.0 * temperature} 1 mom yes rot yes dist gaussian
fix motion all npt temp {temperature} {temperature} 100.0 iso 0.0 0.0 1000.0
run {_EQUILIBRATION_STEPS} post no"""
            )
            return _average(lammps, static, temperature)
        except EngineError:
            raise
        except Exception as error:
            raise EngineError(f"the lattice constant could not be computed: {error}") from None
        finally:
            lammps.close()


def _average(lammps: object, static: float, temperature: float) -> float:
    """Average over the run; the box breathes with a period of about 1 ps."""
    values = []
    for _ in range(_BLOCKS):
        lammps.command(f"run {_BLOCK_STEPS} pre no post no")  # type: ignore[attr-defined]
        values.append(_lattice_constant(lammps))
    mean = float(np.mean(values))
    if not 0.97 * static < mean < 1.05 * static:
        raise EngineError(
            f"the crystal does not stay solid at {temperature:g} K (lattice constant {mean:.3f} Å "
            f"against {static:.3f} Å at 0 K): lower dynamics.temperature or give "
            "structure.lattice_constant"
        )
    return mean


def _lattice_constant(lammps: object) -> float:
    volume = float(lammps.get_thermo("vol"))  # type: ignore[attr-defined]
    return float(volume ** (1.0 / 3.0)) / _CELLS


def _store(path: Path, content: dict[str, float]) -> None:
    """Keep a result; a cache that cannot be written is only slower."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, content)
