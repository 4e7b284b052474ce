"""A process that completes one member: ``python -m nanogap.campaign.worker FOLDER KEY [job]``.

It ends with the process that started it, which holds the other end of its stdin; as a job of a
cluster (``job``) it has nobody to end with.
"""

import sys
import traceback
from pathlib import Path

from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.member import DiskFullError, complete_member
from nanogap.runs.child import end_with_parent

#: Exit statuses: the member failed and the reason is recorded; another process works on it; the
#: disk is full.
FAILED, BUSY, FULL = 3, 76, 77


def main(path: Path, key: str, *, alone: bool = False) -> int:
    """Complete a member; return the exit status."""
    if not alone:
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
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], alone=sys.argv[3:] == ["job"]))
