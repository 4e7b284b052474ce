"""The state of a campaign as a small page that refreshes itself."""

from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.state import (
    AT_WORK,
    CampaignStatus,
    RunningMember,
    contact_words,
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
        ["conductances so far", str(status.points)],
        ["first contact so far (G0)", contact_words(status.first_contact)],
        ["core-hours so far", f"{status.core_hours:.2f}"],
        ["time left", status.time_left],
    ]
    sections = [Section("State", head=("", ""), rows=rows)]
    if status.running:
        sections.append(
            Section(
                "Running",
                head=("member", "varied", "time steps", "last conductances (G0)"),
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


def _running_row(member: RunningMember) -> list[str]:
    return [
        member.key[:8],
        ", ".join(f"{key} = {value}" for key, value in member.axes.items()),
        f"{member.step} of {member.end_step}" if member.end_step else "beginning",
        " ".join(f"{value:.2f}" for value in member.transmission),
    ]
