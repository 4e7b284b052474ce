"""The tips that a run begins with: a geometry, and the crystal that belongs to the force field."""

from ase import Atoms

from nanogap.arguments import checked
from nanogap.dynamics.interaction import load_interaction
from nanogap.dynamics.lattice import equilibrium_lattice_constant
from nanogap.settings import Settings, SettingsSource, load_settings
from nanogap.structure import build_pyramids


@checked
def build_tips(settings: SettingsSource = None, **structure: object) -> Atoms:
    """Build the two tips that a run of some settings begins with.

    Where the settings give no lattice constant, it is the force field's own at the temperature of
    the run; computing it takes seconds the first time, see
    `nanogap.dynamics.lattice.equilibrium_lattice_constant`.

    Parameters
    ----------
    settings : str, Path, mapping, Settings or None
        A preset, a file, a table or settings; see `nanogap.settings.load_settings`.
    **structure
        Changes of `nanogap.settings.StructureSettings`, by name, such as ``gap=6.0``.

    Returns
    -------
    ase.Atoms
        See `nanogap.structure.build_pyramids`.

    Raises
    ------
    StructureError, SettingsError, EngineError
        If the geometry cannot be, a setting or the element is unknown, or the engine fails.
    DataFormatError
        If a force field of the user's own cannot be read.

    Examples
    --------
    >>> tips = build_tips("quick", gap=6.0, lattice_constant=4.216)
    >>> round(tips.info["top_terrace"] - tips.info["bottom_terrace"], 3)
    6.0
    >>> sorted(set(tips.arrays["electrode"].tolist()))
    ['bottom', 'mobile', 'top']
    """
    changes = {f"structure.{name}": value for name, value in structure.items()}
    loaded = load_settings(settings, changes)
    interaction = load_interaction(loaded.dynamics, loaded.structure.element)
    lattice_constant = loaded.structure.lattice_constant
    if lattice_constant == "equilibrium":
        # refuse nonsense before the long part
        _build(loaded, interaction.lattice_constant)
        dynamics = loaded.dynamics
        lattice_constant = equilibrium_lattice_constant(
            interaction, dynamics.temperature, native=dynamics.engine == "native"
        )
    return _build(loaded, lattice_constant)


def count_atoms(settings: Settings) -> int:
    """Count the atoms that a run will have, with the lattice constant at 0 K: at once.

    Returns
    -------
    int

    Raises
    ------
    StructureError, SettingsError, DataFormatError
        As `build_tips` does.
    """
    interaction = load_interaction(settings.dynamics, settings.structure.element)
    return len(_build(settings, interaction.lattice_constant))


def _build(settings: Settings, lattice_constant: float) -> Atoms:
    geometry = settings.structure.model_dump(exclude={"lattice_constant"})
    return build_pyramids(lattice_constant=lattice_constant, **geometry)
