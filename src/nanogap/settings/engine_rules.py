"""Rules of the settings of dynamics and voltage that go together."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nanogap.settings.models import DynamicsSettings, VoltageSettings

#: Settings that only LAMMPS knows, and the values that say nothing.
_OF_LAMMPS = (("processes", 1), ("lammps_options", ""))


def refuse_misfits(dynamics: "DynamicsSettings", voltage: "VoltageSettings") -> None:
    """Refuse what an engine does not do, or has no use for.

    Parameters
    ----------
    dynamics : DynamicsSettings
    voltage : VoltageSettings

    Raises
    ------
    ValueError
        The message names the keys and the remedy.
    """
    _refuse_charges(dynamics, voltage)
    at_potential = voltage.mode == "constant-potential"
    if dynamics.engine != "native" and not at_potential:
        if dynamics.threads != 1:
            raise ValueError(
                f"dynamics.threads = {dynamics.threads} is for dynamics.engine = 'native': "
                "leave it 1, or use dynamics.processes, which LAMMPS shares its work among"
            )
        return
    key = "voltage.mode = 'constant-potential'" if at_potential else "dynamics.engine = 'native'"
    for name, usual in _OF_LAMMPS:
        value = getattr(dynamics, name)
        if value != usual:
            raise ValueError(
                f"dynamics.{name} = {value!r} is for LAMMPS, which {key} does without: leave it "
                f"{usual!r}, or set dynamics.engine = 'reaxff'"
                + (" and voltage.mode = 'steady'" if at_potential else "")
            )


def _refuse_charges(dynamics: "DynamicsSettings", voltage: "VoltageSettings") -> None:
    """Refuse a voltage that an engine has no charges for, and charges that it has of its own."""
    at_potential = voltage.mode == "constant-potential"
    if dynamics.engine != "eam":
        if at_potential:
            raise ValueError(
                "voltage.mode = 'constant-potential' is for dynamics.engine = 'eam', and "
                f"{dynamics.engine!r} has charges of its own: set dynamics.engine = 'eam', or "
                "voltage.mode = 'steady'"
            )
        return
    if voltage.applied != 0.0 and not at_potential:
        raise ValueError(
            f"voltage.applied = {voltage.applied:g}: dynamics.engine = 'eam' has no charges, so "
            "it knows no voltage: set voltage.applied = 0, voltage.mode = 'constant-potential', or "
            "dynamics.engine = 'reaxff'"
        )
    if dynamics.force_field != "packaged":
        raise ValueError(
            f"dynamics.force_field = {dynamics.force_field!r} is for dynamics.engine = "
            "'reaxff': leave it 'packaged' for 'eam'"
        )
