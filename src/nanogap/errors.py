"""The errors a user can meet; each message names the thing, the allowed range and the remedy."""

#: Why a tight-binding Hamiltonian is of one element, for the messages that refuse two.
ONE_METAL = (
    "two-centre integrals between two elements, and a Fermi level that both share, are not fitted"
)


class NanogapError(Exception):
    """Base of every error that a user can cause or mend."""


class SettingsError(NanogapError):
    """A setting, a command-line value or a settings file is wrong."""


class StructureError(NanogapError):
    """A geometry cannot be built, or a snapshot cannot be cut into a junction."""


class EngineError(NanogapError):
    """A physics engine stopped, lost atoms or did not converge."""


class InstrumentError(NanogapError):
    """A measuring instrument cannot be reached, or answers what it should not."""


class DataFormatError(NanogapError):
    """A file is missing, unreadable, truncated or not what it should be."""


class OtherStateError(DataFormatError):
    """A state is whole, but not of this device."""


class NoDataError(DataFormatError):
    """A file holds no measurement at all: in a folder it is passed over, with a note."""
