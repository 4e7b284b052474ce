"""Time and memory that a transmission will take, as a backend estimates it before it begins."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TransmissionCost:
    """Estimated cost of the transmission of some junctions, to a factor of two.

    Attributes
    ----------
    junctions : int
    atoms : int
        Of the largest junction, its leads included.
    kpoints : int
        Wave vectors that are computed.
    energies : int
    seconds : float
        Time on this machine as it is now, s.
    memory : float
        Beyond what the process holds already, bytes.
    """

    junctions: int
    atoms: int
    kpoints: int
    energies: int
    seconds: float
    memory: float

    @property
    def size(self) -> str:
        """Size in words, for example ``2974 atoms, 1 k-point, 21 energies``."""
        parts = [f"{self.junctions} junctions of up to"] if self.junctions > 1 else []
        named = ((self.atoms, "atom"), (self.kpoints, "k-point"))
        counts = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in named]
        counts.append(f"{self.energies} {'energy' if self.energies == 1 else 'energies'}")
        return " ".join([*parts, ", ".join(counts)])
