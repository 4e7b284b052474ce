"""Accuracy of first-principles calculations, as named sets and single values."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nanogap.errors import SettingsError
from nanogap.settings.allowed import allowed_values


class FirstPrinciplesSettings(BaseModel):
    """Accuracy of Quantum ESPRESSO and PWCOND, and where the programs are.

    Attributes
    ----------
    pseudopotential : Path or None
        UPF file; without it nanogap's own is made.
    wave_cutoff, density_cutoff : float or None
        Kinetic-energy cut-offs, Ry; without them the pseudopotential's.
    smearing : float
        Gaussian width of the occupation, Ry.
    convergence : float
        Estimated error of the total energy when the density counts as converged, Ry.
    mixing : float
        Part of the new density that is mixed in per iteration.
    mesh_density : float
        k-mesh of the self-consistent calculations: length that its supercell spans, angstrom.
    kpoints : tuple of int
        In-plane mesh of the transmission.
    gamma_centred : bool
        Centre it on Gamma.
    planes : int
        Perfect planes kept on either side of what is not crystal, at most.
    vacuum : float
        Empty space beside a wire, angstrom.
    projection : float
        PWCOND's ``epsproj``.
    subslabs : int
        PWCOND's ``nz1``.
    window : float
        PWCOND's ``ewind``, Ry.
    programs : str
        Folder of the programs; empty: those in PATH.
    processes : int
        MPI processes.
    keep_states : bool
        Keep the densities and waves, about 100 MB per junction; with them, further energies and
        wave vectors need no new self-consistent calculation.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pseudopotential: Path | None = None
    wave_cutoff: Annotated[float, Field(ge=10.0, le=200.0)] | None = None
    density_cutoff: Annotated[float, Field(ge=40.0, le=2000.0)] | None = None
    smearing: Annotated[float, Field(ge=0.0005, le=0.1)] = 0.01
    convergence: Annotated[float, Field(ge=1e-12, le=1e-4)] = 1e-8
    mixing: Annotated[float, Field(ge=0.02, le=1.0)] = 0.3
    mesh_density: Annotated[float, Field(ge=5.0, le=100.0)] = 24.0
    kpoints: tuple[Annotated[int, Field(ge=1, le=64)], Annotated[int, Field(ge=1, le=64)]] = (4, 4)
    gamma_centred: bool = False
    planes: Annotated[int, Field(ge=1, le=12)] = 3
    vacuum: Annotated[float, Field(ge=5.0, le=30.0)] = 8.0
    projection: Annotated[float, Field(ge=1e-8, le=1e-2)] = 1e-5
    subslabs: Annotated[int, Field(ge=1, le=15)] = 3
    window: Annotated[float, Field(ge=0.1, le=20.0)] = 1.0
    programs: str = ""
    processes: Annotated[int, Field(ge=1, le=1024)] = 1
    keep_states: bool = False


def accuracy_names() -> list[str]:
    """Return the names of the packaged accuracies."""
    folder = resources.files("nanogap.settings") / "accuracy"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir())


def load_accuracy(source: str, changes: dict[str, Any] | None = None) -> FirstPrinciplesSettings:
    """Read a packaged accuracy or a TOML file of one.

    Parameters
    ----------
    source : str
        A name, or the path of a TOML file.
    changes : dict, optional
        Values that win over the file's; None counts as not given.

    Raises
    ------
    SettingsError
        If there is no such name or file, or a value is wrong.
    """
    if source in accuracy_names():
        folder = resources.files("nanogap.settings") / "accuracy"
        text = (folder / f"{source}.toml").read_text(encoding="utf-8")
    elif Path(source).is_file():
        text = Path(source).read_text(encoding="utf-8")
    else:
        raise SettingsError(
            f"no accuracy {source!r}: choose {', '.join(accuracy_names())}, or give a TOML file"
        )
    try:
        values = tomllib.loads(text)
        values.update({key: value for key, value in (changes or {}).items() if value is not None})
        return FirstPrinciplesSettings.model_validate(values)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source} is no TOML file: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0])
        field = FirstPrinciplesSettings.model_fields.get(key)
        if field is None:
            known = ", ".join(FirstPrinciplesSettings.model_fields)
            raise SettingsError(
                f"accuracy {source}: unknown key {key!r}; it knows {known}"
            ) from None
        raise SettingsError(
            f"accuracy {source}: {key} = {values[key]!r}: must be {allowed_values(field)}"
        ) from None
