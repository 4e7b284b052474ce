"""How far a campaign is: as data, and as a small page that refreshes itself."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from nanogap.campaign.collect import result_attributes
from nanogap.campaign.estimate import estimate
from nanogap.campaign.folder import CampaignFolder, Entry
from nanogap.errors import NanogapError
from nanogap.io import read_arrays
from nanogap.report.sections import Section, write_page
from nanogap.run import RunDirectory

#: Seconds after which the browser loads the page anew.
REFRESH = 10

#: Conductances shown of a running member.
_LAST = 20


class CampaignState:
    """Describes a campaign again and again; what finished members say is read once.

    Parameters
    ----------
    folder : CampaignFolder
    """

    def __init__(self, folder: CampaignFolder) -> None:
        self._folder = folder
        self._made: dict[str, dict[str, Any]] = {}
        self._seen: dict[Path, float] = {}
        self._hours_each: float | None = None
        self._begun = time.monotonic()
        self._first_count: int | None = None

    def describe(self) -> dict[str, Any]:
        """Describe the campaign as it is now.

        Returns
        -------
        dict
            ``state`` (running, finished, interrupted: resume it, or incomplete: members were given
            up), ``planned``, ``finished``, ``running`` (members: key, step, end_step,
            the last transmissions), ``given_up`` (key to reason), ``points`` (conductances so far),
            ``first_contact`` (``members``, ``mean``, ``deviation``, G0), ``core_hours``,
            ``hours_left`` (None where unknown) and ``dataset``, ``report`` (path or None).
        """
        folder = self._folder
        finished, given_up, running = folder.finished(), folder.given_up(), folder.running()
        for entry in finished:
            if entry.key not in self._made:
                self._made[entry.key] = result_attributes(folder.result_path(entry))
        made = [self._made[entry.key] for entry in finished]
        contacts = np.array([float(one.get("first_contact", np.nan)) for one in made])
        contacts = contacts[np.isfinite(contacts)]
        left = len(folder.entries) - len(finished) - len(given_up)
        return {
            "state": _state(len(running), left, len(given_up)),
            "name": folder.file.name,
            "planned": len(folder.entries),
            "finished": len(finished),
            "running": [self._running(entry) for entry in running],
            "given_up": given_up,
            "points": int(sum(int(one.get("points", 0)) for one in made)),
            "first_contact": {
                "members": len(contacts),
                "mean": float(contacts.mean()) if len(contacts) else None,
                "deviation": float(contacts.std(ddof=1)) if len(contacts) > 1 else None,
            },
            "core_hours": float(sum(float(one["core_seconds"]) for one in made)) / 3600.0,
            "hours_left": self._hours_left(len(finished), left, len(running)),
            "dataset": _there(folder, "dataset.nc"),
            "report": _there(folder, "report.html"),
        }

    def _running(self, entry: Entry) -> dict[str, Any]:
        """Say how far a member is; it may begin or end at this moment."""
        content: dict[str, Any] = {"key": entry.key, "axes": entry.axes, "repeat": entry.repeat}
        try:
            run = RunDirectory(self._folder.run_path(entry))
            content |= {"step": run.dynamics.step, "end_step": run.dynamics.end_step}
            last = list(run.files.transmissions().values())[-_LAST:]
            content["transmission"] = [self._transmission(path) for path in last]
        except (NanogapError, OSError):
            return {"step": 0, "end_step": 0, "transmission": [], **content}
        return content

    def _transmission(self, path: Path) -> float:
        """Read the transmission of a snapshot at the Fermi energy, once."""
        if path not in self._seen:
            average, energy = read_arrays(path, ["transmission_average", "energy"])
            self._seen[path] = float(average.ravel()[np.argmin(np.abs(energy))])
        return self._seen[path]

    def _hours_left(self, finished: int, left: int, running: int) -> float | None:
        """Estimate from the pace since this object is there, or from what members needed."""
        if not left:
            return 0.0
        if self._first_count is None:
            self._first_count = finished
        gained = finished - self._first_count
        if gained > max(2, running):
            return left * (time.monotonic() - self._begun) / gained / 3600.0
        if self._hours_each is None:
            found = estimate(self._folder, 1)
            if found is None or not found.members:
                return None
            self._hours_each = found.core_hours / found.members
        return self._hours_each * left / max(1, min(running, left))


def _state(running: int, left: int, given_up: int) -> str:
    if running:
        return "running"
    if left:
        return "interrupted"
    return "incomplete" if given_up else "finished"


def _there(folder: CampaignFolder, name: str) -> str | None:
    path = folder.path / name
    return str(path) if path.is_file() else None


def write_state_page(folder: CampaignFolder, content: dict[str, Any]) -> None:
    """Write ``status.html``: what `CampaignState.describe` says, as a page that refreshes."""
    first = content["first_contact"]
    mean, deviation = first["mean"], first["deviation"]
    rows = [
        ["finished", f"{content['finished']} of {content['planned']}"],
        ["running", str(len(content["running"]))],
        ["given up", str(len(content["given_up"]))],
        ["conductances so far", str(content["points"])],
        [
            "first contact so far (G0)",
            "none"
            if mean is None
            else f"{mean:.2f} of {first['members']} members"
            + ("" if deviation is None else f", standard deviation {deviation:.2f}"),
        ],
        ["core-hours so far", f"{content['core_hours']:.2f}"],
        ["time left", hours_text(content["hours_left"])],
    ]
    sections = [Section("State", head=("", ""), rows=rows)]
    if content["running"]:
        sections.append(
            Section(
                "Running",
                head=("member", "varied", "time steps", "last conductances (G0)"),
                rows=[
                    [
                        one["key"][:8],
                        ", ".join(f"{key} = {value}" for key, value in one["axes"].items()),
                        f"{one['step']} of {one['end_step']}" if one["end_step"] else "beginning",
                        " ".join(f"{value:.2f}" for value in one["transmission"]),
                    ]
                    for one in content["running"]
                ],
            )
        )
    if content["given_up"]:
        rows = [[key, reason] for key, reason in content["given_up"].items()]
        sections.append(Section("Given up", head=("member", "reason"), rows=rows))
    write_page(
        folder.path / "status.html",
        title=f"Campaign {content['name']}",
        lead=f"{content['state'].capitalize()}: {content['finished']} of {content['planned']} "
        "members are finished.",
        sections=sections,
        refresh=REFRESH if content["state"] == "running" else None,
    )


def hours_text(hours: float | None) -> str:
    """Write a time in the unit that fits."""
    if hours is None:
        return "unknown"
    if hours < 1.0 / 60.0:
        return f"{3600.0 * hours:.0f} s"
    return f"{60.0 * hours:.0f} min" if hours < 1.0 else f"{hours:.1f} h"
