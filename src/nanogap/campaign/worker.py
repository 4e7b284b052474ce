"""A process that completes one member: ``python -m nanogap.campaign.worker FOLDER KEY``."""

import sys
import traceback
from pathlib import Path

from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.member import DiskFullError, complete_member
from nanogap.runs.child import end_with_parent

#: Exit statuses: the member failed and the reason is recorded; another process works on it; the
#: disk is full.
FAILED, BUSY, FULL = 3, 76, 77


def main(path: Path, key: str) -> int:
    """Complete a member; return the exit status."""
    end_with_parent()
    try:
        folder = CampaignFolder(path)
        return 0 if complete_member(folder, folder.entry(key)) else BUSY
    except DiskFullError:
        return FULL
    except Exception:
        traceback.print_exc()
        return FAILED


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
