"""The interaction's own fcc lattice constant at a temperature and zero pressure.

Tips built with another one are strained from the first step, and their leads do not fit.
"""

import contextlib
import json
import tempfile
from pathlib import Path

import numpy as np

from nanogap.digest import content_digest, source_digest
from nanogap.dynamics.interaction import Interaction, metal_parameters
from nanogap.dynamics.lammps import open_lammps, run_command
from nanogap.dynamics.native.crystal import Crystal
from nanogap.errors import EngineError
from nanogap.io import write_json
from nanogap.settings import cache_folder

_CELLS = 3
_TIME_STEP = 4.0
_EQUILIBRATION_STEPS = 300
_BLOCKS, _BLOCK_STEPS = 80, 15
_STATIC_TEMPERATURE = 1.0
#: Largest ratio to the measured lattice constant that can still be one of this metal.
_FARTHEST = 1.15


def equilibrium_lattice_constant(
    interaction: Interaction,
    temperature: float,
    *,
    cache: Path | None = None,
    native: bool = False,
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
    native : bool
        Compute it without LAMMPS, by `nanogap.dynamics.native.crystal`: another run of the same
        crystal, so equal within the statistical error.

    Returns
    -------
    float
        Angstrom.

    Raises
    ------
    EngineError
        If the crystal does not survive the run (the temperature is above melting), or the
        result is far from the measured lattice constant.
    """
    digest = content_digest(
        interaction.text(),
        interaction.element,
        interaction.mass,
        float(temperature),
        native,
        source_digest("nanogap.dynamics"),
    )
    stored = (cache or cache_folder()) / f"lattice-{digest[:24]}.json"
    known = _stored(stored, digest)
    if known is not None and _is_plausible(known, interaction):
        return known
    compute = _compute_natively if native else _compute
    value = round(compute(interaction, temperature), 3)
    if not _is_plausible(value, interaction):
        raise EngineError(
            f"the interaction gives {interaction.element} a lattice constant of {value} Å, far "
            f"from the measured {interaction.lattice_constant:g} Å: it was not made for this "
            "metal; choose another dynamics.force_field, or give structure.lattice_constant"
        )
    about = {"element": interaction.element, "temperature": temperature, "digest": digest}
    _store(stored, {"lattice_constant": value} | about)
    return value


def _stored(path: Path, digest: str) -> float | None:
    """Return what an earlier call found; None where a file is missing, damaged or of another."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        value = content["lattice_constant"]
        if content["digest"] == digest and type(value) is float:
            return value
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return None


def _is_plausible(value: float, interaction: Interaction) -> bool:
    """Whether a lattice constant is one of this metal; not so a NaN."""
    return 1.0 / _FARTHEST < value / interaction.lattice_constant < _FARTHEST


def _compute_natively(interaction: Interaction, temperature: float) -> float:
    crystal = Crystal(metal_parameters(interaction))
    static = crystal.static_lattice_constant(interaction.lattice_constant)
    if temperature < _STATIC_TEMPERATURE:
        return static
    mean = crystal.thermal_lattice_constant(static, interaction.mass, temperature)
    return _solid(mean, static, temperature)


def _compute(interaction: Interaction, temperature: float) -> float:
    with tempfile.TemporaryDirectory() as name:
        lammps = open_lammps(None)
        try:
            lammps.commands_string(
                f"""units real
atom_style charge
boundary p p p
lattice fcc {interaction.lattice_constant}
region box block 0 {_CELLS} 0 {_CELLS} 0 {_CELLS}
create_box 1 box
create_atoms 1 box
mass 1 {interaction.mass}"""
            )
            folder = Path(name)
            for command in interaction.pair_commands(folder, fast=True, charges=False):
                run_command(lammps, command, folder)
            lammps.commands_string(
                f"""neighbor 1.0 bin
neigh_modify every 5 delay 0 check yes
timestep {_TIME_STEP}
thermo 1000000
fix relax all box/relax iso 0.0
minimize 0 1e-8 5000 50000
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
    return _solid(float(np.mean(values)), static, temperature)


def _solid(mean: float, static: float, temperature: float) -> float:
    """Refuse a lattice constant that is none of a solid.

    Raises
    ------
    EngineError
        If the crystal has melted.
    """
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


def _store(path: Path, content: dict[str, object]) -> None:
    """Keep a result; a cache that cannot be written is only slower."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, content)
