"""Accuracy of first-principles calculations, as named sets and single values."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from nanogap.errors import SettingsError
from nanogap.settings.faults import validated
from nanogap.settings.load import toml_table

_Mesh = tuple[Annotated[int, Field(ge=1, le=64)], Annotated[int, Field(ge=1, le=64)]]

#: Lowest cut-offs of waves and density that are taken, Ry.
LEAST_WAVE_CUTOFF, LEAST_DENSITY_CUTOFF = 10.0, 40.0


class FirstPrinciplesSettings(BaseModel):
    """Accuracy of Quantum ESPRESSO and PWCOND, and where the programs are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pseudopotential: Path | None = Field(
        None, description="UPF file; without it nanogap's own is made"
    )
    pseudopotentials: dict[str, Path] = Field(
        {},
        description="UPF files by chemical symbol, for junctions of several elements",
    )
    wave_cutoff: Annotated[float, Field(ge=LEAST_WAVE_CUTOFF, le=200.0)] | None = Field(
        None,
        description="kinetic-energy cut-off of the waves, Ry; without it the part wave_fraction of "
        "what the pseudopotential recommends",
    )
    density_cutoff: Annotated[float, Field(ge=LEAST_DENSITY_CUTOFF, le=2000.0)] | None = Field(
        None,
        description="kinetic-energy cut-off of the density, Ry; without it the part "
        "density_fraction of what the pseudopotential recommends, at least four times that of the "
        "waves",
    )
    wave_fraction: float = Field(
        1.0,
        ge=0.5,
        le=3.0,
        description="part of the recommended cut-off of the waves; other than 1, in whole Ry",
    )
    density_fraction: float = Field(
        1.0,
        ge=0.3,
        le=3.0,
        description="part of the recommended cut-off of the density; other than 1, in whole Ry",
    )
    smearing: float = Field(
        0.01, ge=0.0005, le=0.1, description="Gaussian width of the occupation, Ry"
    )
    convergence: float = Field(
        1e-8,
        ge=1e-12,
        le=1e-4,
        description="estimated error of the total energy when the density counts as converged, Ry",
    )
    mixing: float = Field(
        0.3, ge=0.02, le=1.0, description="part of the new density that is mixed in per iteration"
    )
    mesh_density: float = Field(
        24.0,
        ge=5.0,
        le=100.0,
        description="k-mesh of the self-consistent calculations: length that its supercell "
        "spans, Å",
    )
    kpoints: _Mesh = Field((4, 4), description="in-plane k-mesh of the transmission")
    gamma_centred: bool = Field(False, description="centre that mesh on Γ")
    planes: int = Field(
        3,
        ge=1,
        le=12,
        description="perfect planes kept on either side of what is not crystal, at most",
    )
    vacuum: float = Field(8.0, ge=5.0, le=30.0, description="empty space beside a wire, Å")
    projection: float = Field(
        1e-5,
        ge=1e-8,
        le=1e-2,
        description="PWCOND's epsproj: accuracy of its two-dimensional basis",
    )
    subslabs: int = Field(
        3, ge=1, le=15, description="PWCOND's nz1: parts of every slab of the mesh along z"
    )
    window: Annotated[float, Field(ge=0.1, le=20.0)] | None = Field(
        None,
        description="PWCOND's ewind: window of energies of that basis, Ry; default: what the "
        "pseudopotentials need, 1 for nanogap's silver and gold, 2 for its copper and for others",
    )
    programs: str = Field("", description="folder of the programs; empty: those in PATH")
    processes: int = Field(1, ge=1, le=1024, description="MPI processes")
    keep_states: bool = Field(
        False,
        description="keep the densities and waves, about 100 MB per junction; with them, further "
        "energies and wave vectors need no new self-consistent calculation",
    )


def accuracy_names() -> list[str]:
    """Return the names of the packaged accuracies."""
    folder = resources.files("nanogap.settings") / "accuracy"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir())


def load_accuracy(
    source: str, changes: Mapping[str, object] | None = None
) -> FirstPrinciplesSettings:
    """Read a packaged accuracy or a TOML file of one.

    Parameters
    ----------
    source : str
        A name, or the path of a TOML file.
    changes : mapping, optional
        Values that win over the file's; None counts as not given.

    Returns
    -------
    FirstPrinciplesSettings

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
    values = toml_table(text, source)
    values.update({key: value for key, value in (changes or {}).items() if value is not None})
    return validated(FirstPrinciplesSettings, f"accuracy {source}", values)
