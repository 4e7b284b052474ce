"""The campaign file: a base, axes that vary, repeats, what is kept and what runs the members."""

from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from nanogap.errors import SettingsError
from nanogap.settings import fault_sentence, toml_table
from nanogap.settings.load import flattened

#: Executor kinds of earlier versions, and why nothing is lost with them.
_REMOVED_KINDS = {
    "single-node": "which runs the same members on the cores of this machine",
    "test-cluster": "or kind = 'slurm' on a cluster",
}

#: Packaged campaign files.
_FOLDER = files("nanogap.campaign") / "presets"

#: Keys of the settings that the campaign gives itself.
_OWN_KEYS = ("name",)

#: Members of a campaign of which, if there are no more, the reports of all are kept.
_FEW = 50

#: More members than this are a slip in the axes.
_MOST_MEMBERS = 1_000_000


class _Model(BaseModel):
    """Base of all parts: unknown keys and values of a wrong type are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class KeepSettings(_Model):
    """Trajectories, reports and directories that are kept; results are kept of every member."""

    trajectories: Literal["none", "all"] | Annotated[int, Field(ge=1, le=1_000_000)] = "none"
    snapshots: int = Field(10, ge=1, le=1_000_000)
    run_directories: bool = False
    reports: Literal["few", "all", "none"] = "few"

    def keeps_report(self, members: int) -> bool:
        """Whether the reports of the devices of a campaign of so many members are kept."""
        return self.reports == "all" or (self.reports == "few" and members <= _FEW)

    def keeps(self, number: int) -> bool:
        """Whether the trajectory of a member is kept, by its number in the campaign."""
        if isinstance(self.trajectories, int):
            return number % self.trajectories == 0
        return self.trajectories == "all"


class ExecutorSettings(_Model):
    """Executor that runs the members, and its limits."""

    kind: Literal["local", "slurm"] = "local"
    workers: int | None = Field(None, ge=1, le=100_000)
    memory: float | None = Field(None, gt=0.0, le=10_000.0)
    attempts: int = Field(3, ge=1, le=100)
    walltime: float | None = Field(None, gt=0.0, le=10_000.0)
    partition: str | None = Field(None, min_length=1, max_length=200)
    account: str | None = Field(None, min_length=1, max_length=200)
    qos: str | None = Field(None, min_length=1, max_length=200)
    extra_lines: list[str] = []
    submission_script: str | None = Field(None, min_length=1, max_length=20_000)

    @field_validator("kind", mode="before")
    @classmethod
    def _not_removed(cls, value: object) -> object:
        if isinstance(value, str) and value in _REMOVED_KINDS:
            raise ValueError(
                f"executor.kind = {value!r} no longer exists: write kind = 'local', "
                f"{_REMOVED_KINDS[value]}; results that are there stay"
            )
        return value


class CampaignFile(_Model):
    """A campaign as its file says it; see `EXAMPLE` for what every key means.

    Attributes
    ----------
    name : str
    base : str
        Preset or settings file, of runs or of devices.
    kind : {'run', 'device'} or None
        Kind of the members; None: that of the base.
    seed : int
        The seeds of all members derive from it.
    repeats : int
        Members of every combination of the axes.
    set : dict
        Dotted key to value: changes of the base in all members.
    axes : dict
        Dotted key to the values it takes; all combinations are run.
    members : list of dict
        Instead of axes: the combinations one by one.
    keep : KeepSettings
    executor : ExecutorSettings
    """

    name: str = Field("campaign", min_length=1, max_length=80)
    base: str = Field(min_length=1, max_length=4000)
    kind: Literal["run", "device"] | None = None
    seed: int = Field(1, ge=0, lt=2**63)
    repeats: int = Field(1, ge=1, le=_MOST_MEMBERS)
    set: dict[str, Any] = {}
    axes: dict[str, Any] = {}
    members: list[Any] = []
    keep: KeepSettings = KeepSettings()
    executor: ExecutorSettings = ExecutorSettings()

    @field_validator("set", "axes")
    @classmethod
    def _dotted(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        flat = flattened(value)
        for key in _OWN_KEYS:
            if key in flat:
                raise ValueError(f"[{info.field_name}] must not hold {key!r}: set it at the top")
        return flat

    @field_validator("axes")
    @classmethod
    def _lists(cls, value: dict[str, Any]) -> dict[str, Any]:
        for key, values in value.items():
            if not isinstance(values, list) or not values:
                raise ValueError(
                    f"axis {key} = {values!r}: must be a list of the values it takes, for "
                    "example [1.0, 2.0]"
                )
            if len({repr(one) for one in values}) < len(values):
                raise ValueError(f"axis {key} = {values!r}: a value stands twice")
        return value

    @field_validator("members")
    @classmethod
    def _tables(cls, value: list[Any]) -> list[Any]:
        flat = []
        for number, one in enumerate(value):
            if not isinstance(one, dict) or not one:
                raise ValueError(f"member {number + 1} is {one!r}: must be a table of settings")
            flat.append(flattened(one))
        for number, one in enumerate(flat):
            if one.keys() != flat[0].keys():
                raise ValueError(
                    f"member {number + 1} sets {', '.join(one)}, the first one "
                    f"{', '.join(flat[0])}: all must set the same keys"
                )
            if one in flat[:number]:
                raise ValueError(f"member {number + 1} stands twice: use repeats instead")
        return flat

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.axes and self.members:
            raise ValueError("give [axes] or [[members]], not both")
        varied = self.varied
        twice = [key for key in varied if key in self.set]
        if twice:
            raise ValueError(f"{twice[0]!r} stands in [set] and is varied: remove one of them")
        if ("seed" in varied or "seed" in self.set) and self.repeats > 1:
            raise ValueError(
                f"repeats = {self.repeats} with a seed of your own would repeat the same run: "
                "leave one of them out"
            )
        count = self.repeats * max(1, len(self.members))
        for values in self.axes.values():
            count *= len(values)
        if count > _MOST_MEMBERS:
            raise ValueError(f"{count} members are over {_MOST_MEMBERS}: shorten the axes")
        return self

    @property
    def varied(self) -> list[str]:
        """Dotted keys that differ between members, the seeds of repeats aside."""
        return list(self.axes) if self.axes else list(self.members[0]) if self.members else []


def read_campaign_file(path: Path) -> tuple[CampaignFile, str]:
    """Read and check a campaign file.

    Returns
    -------
    CampaignFile
    str
        Its text.

    Raises
    ------
    SettingsError
        If it cannot be read, or a key or value is wrong; the message names it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"cannot read campaign file {path}: {error.strerror}: 'nanogap campaign new' writes one"
        ) from None
    except UnicodeDecodeError:
        raise SettingsError(f"cannot read campaign file {path}: it is not UTF-8 text") from None
    return campaign_from_text(text, str(path)), text


def campaign_from_text(text: str, source: str) -> CampaignFile:
    """Check a campaign given as TOML text; `source` is what the error messages call it."""
    table = toml_table(text, source)
    try:
        return CampaignFile.model_validate(table)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["type"] == "dict_type":
            key = str(first["loc"][0])
            raise SettingsError(f"{source}: {key} = {table[key]!r}: must be a section") from None
        if first["type"] == "value_error":  # of our own validators, which name the value
            message = first["msg"].removeprefix("Value error, ")
            raise SettingsError(f"{source}: {message}") from None
        raise SettingsError(fault_sentence(CampaignFile, source, table, error)) from None


def campaign_preset_names() -> list[str]:
    """List the packaged campaign files.

    Examples
    --------
    >>> campaign_preset_names()
    ['paper']
    """
    return sorted(
        one.name.removesuffix(".toml") for one in _FOLDER.iterdir() if one.name.endswith(".toml")
    )


def campaign_preset(name: str) -> str:
    """Return the text of a packaged campaign file.

    Raises
    ------
    SettingsError
        If there is none of that name.

    Examples
    --------
    >>> "dynamics.engine" in campaign_preset("paper")
    True
    """
    if name not in campaign_preset_names():
        known = ", ".join(campaign_preset_names())
        raise SettingsError(f"there is no campaign preset {name!r}: choose from {known}")
    return _FOLDER.joinpath(f"{name}.toml").read_text(encoding="utf-8")


EXAMPLE = """\
# A campaign: many runs of one kind. Start it with: nanogap campaign run campaign.toml -o DIR
name = "bias"
base = "quick"   # a preset, or a settings file beside this one; of a device: members are devices
seed = 1         # the seeds of all members derive from it
repeats = 8      # members of every combination of the axes, each with its own seed; fewer than
                 # six have no 95 % intervals

# Settings that differ from the base in all members. These are small tips close together, which
# make contact within picoseconds: a member takes a minute of a core. Change them for your own.
[set]
"structure.height" = 8.0                   # A
"structure.apex_width" = 10.0              # A
"structure.gap" = 5.0                      # A
"dynamics.production_time" = 10_000.0      # fs
"dynamics.sampling_interval" = 250.0       # fs
"transport.kpoints" = [3, 3]
"transport.spectrum_energies" = ""         # no T(E) spectra

# What varies: any setting, as a list of its values; all combinations are run. Others are
# "structure.gap", "structure.apex_width", "dynamics.temperature", "dynamics.time_step", ...
[axes]
"voltage.applied" = [8.0, 0.0]   # V

# Or, instead of [axes], the combinations one by one:
# [[members]]
# "voltage.applied" = 6.0
# "structure.gap" = 6.0
# [[members]]
# "voltage.applied" = 8.0
# "structure.gap" = 7.0

# Conductances, times, stages and geometry are kept of every snapshot of every member. Of the
# atoms, nothing is kept unless this says so:
[keep]
trajectories = "none"     # "none", "all", or a number n: of every n-th member, compressed
snapshots = 10            # of a kept one every tenth snapshot, the first contact and the last
run_directories = false   # true: keep the whole run directory of every member
# reports = "few"         # of devices: the report of each; "few": in campaigns of up to 50
                          # members; "all"; "none"

[executor]
kind = "local"   # "local": cores of this machine; "slurm": jobs of a cluster
# workers = 4    # members at a time; default: as many as there are cores, if the memory is enough
# memory = 1.0   # GB that one member needs; default: measured on the first one
attempts = 3     # a member that fails so often without getting any further is given up
# walltime = 24.0               # slurm: hours of a job
# partition = "standard"        # slurm; also account = "..." and qos = "..."
# extra_lines = ["module load python"]   # slurm: before the command, "#SBATCH ..." too
# submission_script = '''...''' # slurm: a whole script of your own, see docs/tutorial-ensembles.md
"""
