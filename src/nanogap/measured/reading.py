"""Notes on reading the files of a campaign, told once and in the same words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nanogap.measured.compliance import Exclusion, told_exclusions
from nanogap.measured.subtracted import Subtracted

if TYPE_CHECKING:
    from nanogap.measured.files import Trace


@dataclass
class Reading:
    """Notes on what was left out of the files of a campaign, or assumed of them.

    Attributes
    ----------
    said : list of (str, str)
        File and what reading it said.
    exclusions : list of Exclusion
        Points of every file that the instrument limited.
    passed_over : list of str
        Files without a measurement, and why.
    series : Subtracted
        What was subtracted of each measured device.
    """

    said: list[tuple[str, str]] = field(default_factory=list)
    exclusions: list[Exclusion] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)
    series: Subtracted = field(default_factory=Subtracted)

    def add(self, trace: "Trace") -> None:
        """Remember what a file, or the first piece of one, says."""
        self.said.append((trace.name, trace.notes))
        if not trace.simulated:
            self.series.add(trace.dataset, trace.source, trace.series)

    def add_file(self, trace: "Trace") -> None:
        """Remember what a whole file says and which of its points the instrument limited."""
        self.add(trace)
        self.exclusions.append(trace.exclusion)

    @property
    def sentences(self) -> list[str]:
        """Sentences on what was left out or assumed; empty if nothing was."""
        return [
            *(f"passed over: {one}" for one in dict.fromkeys(self.passed_over)),
            *grouped(self.said),
            *told_exclusions(self.exclusions),
        ]

    @property
    def notes(self) -> list[str]:
        """The same, and sentences on the series resistances."""
        return self.sentences + self.series.sentences


def grouped(said: Iterable[tuple[str, str]]) -> list[str]:
    """Join what several files say alike.

    Examples
    --------
    >>> grouped([("a.csv", "no unit"), ("b.csv", ""), ("c.csv", "no unit")])
    ['a.csv, c.csv: no unit']
    """
    files: dict[str, list[str]] = {}
    for name, note in said:
        if note:
            files.setdefault(note, []).append(name)
    return [f"{_names(names)}: {note}" for note, names in files.items()]


def _names(names: Sequence[str]) -> str:
    if len(names) <= 3:
        return ", ".join(names)
    return f"{names[0]}, {names[1]} and {len(names) - 2} others"
