"""The settings of a run as pydantic models; field descriptions are the settings reference.

Units are those of the house: angstrom, fs, K, V, eV.
"""

import re
import shlex
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from nanogap.arguments import shown
from nanogap.errors import ONE_METAL, SettingsError
from nanogap.printing import Printed, Rows
from nanogap.settings.energies import parse_energies
from nanogap.settings.engine_rules import refuse_misfits
from nanogap.settings.faults import fault_sentence, validated

Length = Annotated[float, Field(gt=0.0, le=1000.0, allow_inf_nan=False)]
Duration = Annotated[float, Field(ge=0.0, le=1.0e9, allow_inf_nan=False)]
MeshPoints = Annotated[int, Field(ge=1, le=64)]
# TOML and JSON know lists only, so a list is no wrong type here
Mesh = Annotated[tuple[MeshPoints, MeshPoints], Field(strict=False)]


def _energy_text(value: Any) -> Any:
    """Take one energy written as a plain number for the list that it is."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _energies(text: str) -> list[float]:
    """Parse energies; pydantic names the key of a ValueError."""
    try:
        return parse_energies(text)
    except SettingsError as error:
        raise ValueError(str(error)) from None


def _one_line(text: str) -> str:
    """Refuse a title that is not one line."""
    if not text.isprintable():
        raise ValueError("must be one line of text without control characters")
    return text


def _one_metal(value: Any) -> Any:
    """Refuse several chemical symbols where there is one metal, and one in the wrong case."""
    if isinstance(value, str) and _WRONG_CASE.fullmatch(value):
        raise ValueError(
            f"must be a chemical symbol: write {value.capitalize()!r}, with one capital letter"
        )
    words = " ".join(map(str, value)) if isinstance(value, list | tuple) else value
    if isinstance(words, str) and _SEVERAL.fullmatch(words) and re.search("[a-z]", words):
        raise ValueError(
            f"must be one metal, that of both tips: {ONE_METAL}; of a structure of your own, the "
            "backend 'pwcond' computes the transmission with several elements, a pseudopotential "
            "of each (docs/first-principles.md)"
        )
    return value


Metal = Annotated[str, BeforeValidator(_one_metal)]
Line = Annotated[str, AfterValidator(_one_line)]
Energies = Annotated[str, BeforeValidator(_energy_text)]

#: Options of LAMMPS' command line that say how it computes; others write files or end it.
_ACCELERATORS = {"-sf", "-suffix", "-pk", "-package", "-k", "-kokkos"}
#: Several chemical symbols.
_SEVERAL = re.compile(r"[A-Z][a-z]?(?:[\s,;:/+&-]*[A-Z][a-z]?)+")
#: One or two letters that are no chemical symbol for their case alone.
_WRONG_CASE = re.compile(r"[a-z][A-Za-z]?|[A-Z]{2}")
_ARGUMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]*|-[0-9.]+")
#: Shortest damping time of the thermostat, in time steps: below it the integration is unstable.
_LEAST_DAMPING = 5


class _OneSentence(type(BaseModel)):  # type: ignore[misc]
    """Metaclass that puts what is wrong with the arguments of a model into one sentence."""

    def __call__(cls, *given: Any, **fields: Any) -> Any:
        if given:
            raise SettingsError(
                f"{cls.__name__} takes its keys by name, {', '.join(cls.model_fields)}, and not "
                f"{shown(given[0])}: {cls.loader} takes a preset, a file or a dict"
            )
        try:
            return super().__call__(**fields)
        except ValidationError as error:
            raise SettingsError(fault_sentence(cls, cls.__name__, fields, error)) from None


if TYPE_CHECKING:
    _Sentences = BaseModel  # its metaclass is private, and tells a type checker nothing
else:

    class _Sentences(BaseModel, metaclass=_OneSentence):
        """Model whose constructor raises errors of nanogap."""


class _Model(_Sentences):
    """Base of all settings: unknown keys and values of a wrong type are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)
    #: What takes a preset or a file, for an error message.
    loader: ClassVar[str] = "load_settings"

    @classmethod
    def model_validate(cls, obj: Any, **_: Any) -> Self:
        """Check a table, or settings as they are.

        Raises
        ------
        SettingsError
            If a key or value is wrong.
        """
        return validated(cls, cls.__name__, obj)


class StructureSettings(_Model):
    """Two pyramidal tips, [111] along z, that face each other across a gap."""

    element: Metal = Field(
        "Ag", description="chemical symbol of the metal, an fcc one that the interaction has"
    )
    base_width: Length = Field(42.0, description="edge of the square base of each tip, Å")
    height: Length = Field(
        14.0, description="height of the pyramid, base layer to terrace, Å; whole layers fit in it"
    )
    apex_width: Length = Field(
        12.0,
        description="edge of the flat terrace, Å (a one-atom apex collapses within ps at 800 K)",
    )
    gap: Length = Field(8.3, description="distance between the facing terraces, Å")
    fixed_layers: int = Field(
        3, ge=1, le=20, description="full-width layers under each pyramid whose atoms are fixed"
    )
    lattice_constant: Annotated[float, Field(ge=2.0, le=8.0)] | Literal["equilibrium"] = Field(
        "equilibrium",
        description="fcc lattice constant, Å; 'equilibrium': computed, the force field's own at "
        "the run temperature and zero pressure",
    )
    vacuum: float = Field(
        15.0, ge=11.0, le=200.0, description="empty margin on every side of the tips, Å"
    )


class DynamicsSettings(_Model):
    """Molecular dynamics in the Nosé-Hoover ensemble."""

    engine: Literal["reaxff", "native", "eam"] = Field(
        "reaxff",
        description="how atoms interact; 'reaxff': reactive (doi:10.1021/jp004368u), with charges "
        "that follow the voltage, by LAMMPS; 'native': the same by a compiled kernel of our own, "
        "several times as fast, in one process, without LAMMPS; 'eam': embedded atoms "
        "(doi:10.1103/PhysRevB.33.7983), without charges, at 0 V only: a fast neutral control; or, "
        "with voltage.mode = 'constant-potential', a conductor by a compiled kernel",
    )
    force_field: str = Field(
        "packaged",
        min_length=1,
        max_length=1000,
        description="for 'reaxff' and 'native': 'packaged', the table of the element that comes "
        "with nanogap, or the path of a ReaxFF file that has the element; a run keeps a copy of it",
    )
    temperature: float = Field(800.0, ge=0.0, le=5000.0, description="thermostat temperature, K")
    time_step: float = Field(4.0, ge=0.05, le=10.0, description="time step, fs")
    equilibration_time: Duration = Field(50_000.0, description="time at 0 V before the bias, fs")
    production_time: Duration = Field(3_000_000.0, description="time under bias, fs")
    sampling_interval: float = Field(
        8_600.0, gt=0.0, le=1.0e9, description="time between two snapshots, fs"
    )
    contact_sampling_interval: float = Field(
        0.0,
        ge=0.0,
        le=1.0e9,
        description="time between snapshots around the first bond between the tips, fs; "
        "0: no denser than sampling_interval",
    )
    contact_sampling_time: Duration = Field(
        0.0, description="how long after the first bond the dense sampling lasts, fs"
    )
    contact_history: int = Field(
        10,
        ge=0,
        le=1000,
        description="dense snapshots kept from before the first bond, at the most",
    )
    stop_after_contact: Duration = Field(
        0.0,
        description="the run ends with the first regular snapshot that is so long after the first "
        "bond between the tips, fs; 0: it always lasts production_time",
    )
    checkpoint_interval: Duration = Field(
        100_000.0,
        description="time between two checkpoints that stay for 'nanogap sample', fs, besides the "
        "last one, that at the start of the voltage and that before the first contact; each takes "
        "about 120 bytes per atom; 0: the last one only",
    )
    thermostat_time: float = Field(
        100.0,
        gt=0.0,
        le=1.0e6,
        description="damping time of the Nosé-Hoover thermostat, fs; at 0 K there is none",
    )
    charge_tolerance: float = Field(
        1.0e-7, gt=0.0, le=1.0e-2, description="relative tolerance of charge equilibration"
    )
    fast_control: bool = Field(
        True,
        description="skip the angle and torsion loops, which a single metal has no terms for, "
        "and tabulate the non-bonded terms",
    )
    processes: int = Field(
        1,
        ge=1,
        le=256,
        description="processes that share the dynamics of one run by MPI; an even number is best, "
        "for the tips lie one above the other",
    )
    threads: int = Field(
        1,
        ge=1,
        le=4,
        description="threads that share the dynamics of one run with 'native', or at constant "
        "potential; the trajectory is the same to the bit with any number",
    )
    lammps_options: str = Field(
        "",
        max_length=500,
        description="options of LAMMPS' command line that make a build of your own faster, for "
        "example '-k on g 1 -sf kk -pk kokkos neigh half newton on'; empty: the best on one thread",
    )

    @field_validator("lammps_options")
    @classmethod
    def _splits(cls, value: str) -> str:
        words = shlex.split(value)  # raises ValueError where a quotation mark has no partner
        for number, word in enumerate(words):
            argument = number > 0 and _ARGUMENT.fullmatch(word) is not None
            if word not in _ACCELERATORS and not argument:
                raise ValueError(
                    f"must not contain {word!r}: it takes the options -sf, -pk and -k (or -suffix, "
                    "-package and -kokkos), with plain words and numbers as their arguments"
                )
        return value


class VoltageSettings(_Model):
    """The applied voltage, by EChemDID (doi:10.1063/1.4927562) or at constant potential."""

    applied: float = Field(
        8.0,
        ge=-100.0,
        le=100.0,
        description="voltage of the top electrode against the bottom one, V; positive: the top "
        "tip is the anode",
    )
    mode: Literal["steady", "relaxation", "constant-potential"] = Field(
        "steady",
        description="'relaxation': fictitious diffusion in time, as published; 'steady': its "
        "limit, the discrete Laplace equation on the connected metal; 'constant-potential': as "
        "'steady', and the atoms are a conductor at these potentials (doi:10.1063/1.469429), for "
        "dynamics.engine = 'eam'",
    )
    cutoff: float = Field(
        4.0,
        gt=2.0,
        le=10.0,
        description="r_c: atoms closer than this are connected metal, Å; 4 Å as published",
    )
    update_interval: int = Field(
        2,
        ge=1,
        le=1000,
        description="time steps between two updates of the potential; what a longer one "
        "costs is in docs/electrochemistry.md",
    )
    diffusion: float = Field(
        6.0,
        gt=0.0,
        le=1000.0,
        description="k: diffusion constant of the relaxation, Å²/fs; 6 Å²/fs as published",
    )
    normalisation: float = Field(
        0.629967,
        gt=0.0,
        le=100.0,
        description="n: lattice normalisation of the relaxation; the published one is of bcc with "
        "a = 3 Å",
    )
    relaxation_steps: int = Field(
        10, ge=1, le=1000, description="relaxation sub-steps in every time step"
    )


class JunctionSettings(_Model):
    """Cut of a snapshot into left lead, channel and right lead."""

    cut: Literal["terrace", "paper", "full"] = Field(
        "terrace",
        description="'terrace': one cell for the whole run, around the middle of the tips and 4 Å "
        "wider than their terraces, perfect planes up to the layer below the terraces; 'paper': a "
        "cell of lead_repeats x lead_repeats around the filament axis, perfect planes up to the "
        "terraces, the snapshot's atoms from terrace to terrace; 'full': a cell wide enough that "
        "no atom of the filament is cut off, with the tips' own atoms",
    )
    lead_repeats: int = Field(
        3, ge=1, le=20, description="width of the cell of 'paper' in bonds; of others the least"
    )
    max_repeats: int = Field(
        8, ge=1, le=30, description="the widest cell in bond lengths; not for 'paper'"
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_repeats < self.lead_repeats:
            raise ValueError("max_repeats must not be below lead_repeats")
        return self


class TransportSettings(_Model):
    """Ballistic transmission of every snapshot."""

    kpoints: Mesh | Literal["auto", "paper"] = Field(
        "auto",
        description="in-plane k-mesh, shifted off Γ unless gamma_centred; 'auto': by the width of "
        "the cell, 6 x 6 for 3 x 3 atoms; 'paper': 15 x 18, of which 135 are independent",
    )
    gamma_centred: bool = Field(False, description="centre the mesh on Γ")
    energies: Energies = Field(
        "0",
        description="energies of every snapshot, eV from E_F: 'start:stop:step' or a "
        "comma-separated list; must contain 0",
    )
    spectrum_energies: Energies = Field(
        "-1:1:0.1",
        description="energies of T(E) before, at and after the first contact, eV from E_F; "
        "empty: no spectra",
    )
    neutrality: Literal["none", "coordination", "self-consistent"] = Field(
        "none",
        description="shifts of levels that make atoms neutral: none, those that atoms of so many "
        "neighbours need on average, or until each is neutral (ten times the time of T)",
    )
    hamiltonian: str = Field(
        "packaged",
        min_length=1,
        max_length=1000,
        description="'packaged': the one of the element that comes with nanogap (a run of a metal "
        "without one has no transmission, and says so); or the path of a file that 'nanogap "
        "fit-hamiltonian' made, of which a run keeps a copy; or 'none': no transmission",
    )
    workers: int = Field(1, ge=1, le=256, description="transport processes beside the dynamics")

    @field_validator("energies")
    @classmethod
    def _has_fermi_energy(cls, value: str) -> str:
        if not any(abs(energy) < 1e-9 for energy in _energies(value)):
            raise ValueError("must contain 0, the Fermi energy, which the traces are made of")
        return value

    @field_validator("spectrum_energies")
    @classmethod
    def _parses(cls, value: str) -> str:
        if value:
            _energies(value)
        return value


def changed_keys(settings: BaseModel, prefix: str = "") -> Rows:
    """Give the keys that differ from their defaults, and their values, but for the name."""
    for key, field in type(settings).model_fields.items():
        value = getattr(settings, key)
        if isinstance(value, BaseModel):
            yield from changed_keys(value, f"{prefix}{key}.")
        elif value != field.default and (prefix or key != "name"):
            yield f"{prefix}{key}", repr(value)


class Settings(Printed, _Model):
    """Everything that defines a run; the same settings and seed give the same run.

    Examples
    --------
    >>> Settings(seed=7).structure.element
    'Ag'
    >>> Settings(name="mine", voltage={"applied": 2.0})
    Settings 'mine'
      voltage.applied  2.0
      others           at their defaults, as in nanogap.load_settings()
      next             nanogap.run(settings, folder), nanogap.build_tips(settings)
    """

    name: Line = Field("run", min_length=1, max_length=80, description="title of the run")
    seed: int = Field(1, ge=0, lt=2**63, description="seed of every random stream")
    structure: StructureSettings = StructureSettings()
    dynamics: DynamicsSettings = DynamicsSettings()
    voltage: VoltageSettings = VoltageSettings()
    junction: JunctionSettings = JunctionSettings()
    transport: TransportSettings = TransportSettings()

    def _title(self) -> str:
        return f"Settings {self.name!r}"

    def _rows(self) -> Rows:
        yield from changed_keys(self)
        yield "others", "at their defaults, as in nanogap.load_settings()"
        yield "next", "nanogap.run(settings, folder), nanogap.build_tips(settings)"

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        dynamics = self.dynamics
        if dynamics.sampling_interval > max(dynamics.production_time, dynamics.time_step):
            raise ValueError(
                "dynamics.sampling_interval must not exceed dynamics.production_time "
                f"({dynamics.production_time:g} fs)"
            )
        if dynamics.contact_sampling_interval > dynamics.sampling_interval:
            raise ValueError(
                "dynamics.contact_sampling_interval must not exceed dynamics.sampling_interval"
            )
        shortest = _LEAST_DAMPING * dynamics.time_step
        if dynamics.temperature > 0.0 and dynamics.thermostat_time < shortest:
            raise ValueError(
                f"dynamics.thermostat_time = {dynamics.thermostat_time:g} must not be below "
                f"{_LEAST_DAMPING} time steps ({shortest:g} fs): a hundred are usual"
            )
        return self

    @property
    def charged(self) -> bool:
        """Whether atoms have charges, and so feel a voltage."""
        return self.dynamics.engine != "eam" or self.voltage.mode == "constant-potential"

    @model_validator(mode="after")
    def _engine_does_what_is_asked(self) -> Self:
        refuse_misfits(self.dynamics, self.voltage)
        return self
