"""The state of a campaign as a small page that refreshes itself."""

from nanogap.campaign.device_state import RunningDevice
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.state import (
    AT_WORK,
    CampaignStatus,
    RunningMember,
    contact_words,
    points_rows,
)
from nanogap.report.sections import Section, write_page

#: Seconds after which the browser loads the page anew.
REFRESH = 10


def write_state_page(folder: CampaignFolder, status: CampaignStatus) -> None:
    """Write ``status.html``: the status of a campaign as a page that refreshes itself."""
    rows = [
        ["finished", f"{status.finished} of {status.planned}"],
        ["running", str(len(status.running))],
        ["waiting in the queue", str(status.waiting)],
        ["given up", str(len(status.given_up))],
        *points_rows(status),
        ["core-hours so far", f"{status.core_hours:.2f}"],
        ["time left", status.time_left],
    ]
    if status.first_contact is not None:
        rows.insert(5, ["first contact so far (G0)", contact_words(status.first_contact)])
    unit = "how far" if status.kind == "device" else "time steps"
    sections = [Section("State", head=("", ""), rows=rows)]
    if status.running:
        sections.append(
            Section(
                "Running",
                head=("member", "varied", unit, "last conductances (G0)"),
                rows=[_running_row(one) for one in status.running],
            )
        )
    if status.given_up:
        rows = [[key, reason] for key, reason in status.given_up.items()]
        sections.append(Section("Given up", head=("member", "reason"), rows=rows))
    write_page(
        folder.state_page,
        title=f"Campaign {status.name}",
        lead=f"{status.state.capitalize()}: {status.finished} of {status.planned} "
        "members are finished.",
        sections=sections,
        refresh=REFRESH if status.state in AT_WORK else None,
    )


def _running_row(member: RunningMember | RunningDevice) -> list[str]:
    if isinstance(member, RunningDevice):
        far, conductances = ", ".join(member.words()), member.conductance
    else:
        conductances = member.transmission
        far = f"{member.step} of {member.end_step}" if member.end_step else "beginning"
    return [
        member.key[:8],
        ", ".join(f"{key} = {value}" for key, value in member.axes.items()),
        far,
        " ".join(f"{value:.3g}" for value in conductances),
    ]
