"""Options that would change nothing beside, or without, another are refused and not ignored."""

from collections.abc import Mapping

from nanogap.errors import SettingsError


def refuse_idle(options: Mapping[str, object], why: str) -> None:
    """Refuse options that are given and would change nothing.

    Parameters
    ----------
    options : mapping
        Name of each on the command line, to what was given: None or False if it was not.
    why : str
        Goes on the sentence: beside, or without, what they would change nothing.

    Raises
    ------
    SettingsError
        If one is given.
    """
    idle = [name for name, value in options.items() if value is not None and value is not False]
    if idle:
        them = "it" if len(idle) == 1 else "them"
        raise SettingsError(f"{' and '.join(idle)} would change nothing {why}: leave {them} out")
