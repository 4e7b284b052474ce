"""The local executor: nothing is lost, nothing is done twice, one bad member stops no other."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial

import pytest

from nanogap.campaign import drive as driving
from nanogap.campaign import local, member
from nanogap.campaign.estimate import Estimate
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.local import LocalExecutor, fitting_workers
from nanogap.campaign.member import DiskFullError
from nanogap.errors import DataFormatError, NanogapError, SettingsError


def calls(folder):
    path = folder.path / "calls"
    return Counter(path.read_text().split()) if path.is_file() else Counter()


def order(folder, name, text=""):
    (folder.path / "orders" / name).write_text(text)


def test_every_member_is_run_once_and_never_again(make_folder, command):
    folder = make_folder("repeats = 7")
    seen = []
    LocalExecutor(folder, 3, command=command).run(folder.pending(), seen.append)
    assert calls(folder) == Counter({entry.key: 1 for entry in folder.entries})
    assert folder.pending() == []
    assert max(progress.running for progress in seen) == 3
    assert seen[-1].finished == seen[-1].planned == 7
    LocalExecutor(folder, 3, command=command).run(folder.pending())
    assert calls(folder).total() == 7
    assert not list((folder.path / "failures").iterdir())


def test_a_campaign_that_grows_runs_only_what_is_new(make_folder, command):
    folder = make_folder("repeats = 2")
    LocalExecutor(folder, 2, command=command).run(folder.pending())
    grown = make_folder("repeats = 5\n[keep]\ntrajectories = 2")
    assert len(grown.pending()) == 3
    LocalExecutor(grown, 2, command=command).run(grown.pending())
    assert set(calls(grown).values()) == {1}


def test_a_changed_setting_never_takes_an_old_result(make_folder, command):
    folder = make_folder("repeats = 2")
    LocalExecutor(folder, 2, command=command).run(folder.pending())
    changed = make_folder("repeats = 2\n[set]\nvoltage.applied = 7.9")
    assert changed.finished() == []
    assert len(make_folder("repeats = 2").finished()) == 2  # and the old ones are still there


def test_a_member_that_dies_is_tried_again_and_given_up_at_the_limit(make_folder, command):
    folder = make_folder("repeats = 4\n[executor]\nattempts = 3")
    lucky, hopeless = folder.entries[0].key, folder.entries[2].key
    order(folder, f"{lucky}.die", "2")
    order(folder, f"{hopeless}.die", "99")
    LocalExecutor(folder, 2, command=command).run(folder.pending())
    assert len(folder.finished()) == 3
    assert calls(folder)[lucky] == calls(folder)[hopeless] == 3
    reasons = folder.given_up()
    assert list(reasons) == [hopeless]
    assert "signal 9" in reasons[hopeless]
    assert folder.pending() == []
    folder.forget_failure(folder.entry(hopeless))
    assert [entry.key for entry in folder.pending()] == [hopeless]


def test_attempts_that_get_further_do_not_count(make_folder):
    folder = make_folder("[executor]\nattempts = 2")
    entry = folder.entries[0]
    for step in (10, 20, 30):
        folder.record_failure(entry, "killed", step)
        assert folder.given_up() == {}
    folder.record_failure(entry, "killed again", 30)
    assert folder.given_up() == {entry.key: "killed again"}


def test_a_campaign_of_which_no_member_succeeds_ends_early(make_folder, command):
    folder = make_folder("repeats = 8\n[executor]\nattempts = 1")
    for entry in folder.entries:
        order(folder, f"{entry.key}.die", "9")
    with pytest.raises(NanogapError, match=r"none succeeded.*signal 9"):
        LocalExecutor(folder, 1, command=command).run(folder.pending())
    assert calls(folder).total() == 3
    with pytest.raises(NanogapError, match="none succeeded"):
        LocalExecutor(folder, 1, command=command).run(folder.pending())
    assert calls(folder).total() == 4


def drive_with(monkeypatch, command):
    """Make the driver use a program that needs no physics, and estimates that need no result."""
    monkeypatch.setattr(driving, "LocalExecutor", partial(LocalExecutor, command=command))
    needs = Estimate(1, 1.0, 1.0, 1e6, 1e3, 1)
    monkeypatch.setattr(driving, "estimate", lambda f, _: needs if f.finished() else None)


def test_the_question_comes_after_the_first_member(make_folder, command, monkeypatch):
    folder = make_folder("repeats = 3")
    drive_with(monkeypatch, command)
    outcome = driving.drive(folder, lambda _: False)
    assert outcome.declined
    assert len(folder.finished()) == 1
    asked = []
    outcome = driving.drive(folder, lambda needs: asked.append(needs) or True)
    assert not outcome.declined
    assert len(asked) == 1
    assert len(folder.finished()) == 3
    assert driving.drive(folder, lambda _: False).estimate is None  # nothing left to ask about


def test_without_a_question_all_members_run_at_once(make_folder, command, monkeypatch):
    folder = make_folder("repeats = 3\n[executor]\nworkers = 3")
    drive_with(monkeypatch, command)
    order(folder, "slow")
    seen = []
    driving.drive(folder, None, seen.append)
    assert max(progress.running for progress in seen) == 3
    assert len(folder.finished()) == 3


def test_two_drivers_share_the_members(make_folder, command):
    folder = make_folder("repeats = 6")
    order(folder, "slow")
    program = (
        "import sys, pathlib; from nanogap.campaign.folder import CampaignFolder; "
        "from nanogap.campaign.local import LocalExecutor; "
        "f = CampaignFolder(pathlib.Path(sys.argv[1])); "
        "LocalExecutor(f, 2, command=sys.argv[2:]).run(f.pending())"
    )
    other = subprocess.Popen([sys.executable, "-c", program, str(folder.path), *command])
    LocalExecutor(folder, 2, command=command).run(folder.pending())
    assert other.wait(timeout=60) == 0
    assert len(folder.finished()) == 6
    assert set(calls(folder).values()) == {1}
    assert not list((folder.path / "failures").iterdir())


def test_a_killed_driver_takes_its_workers_along_and_another_goes_on(make_folder, tmp_path):
    """The real worker, that waits for its lock while the driver dies."""
    folder = make_folder("repeats = 2")
    program = (
        "import sys, pathlib; from nanogap.campaign.folder import CampaignFolder; "
        "from nanogap.campaign.local import LocalExecutor; "
        "f = CampaignFolder(pathlib.Path(sys.argv[1])); "
        "LocalExecutor(f, 2, command=sys.argv[2:]).run(f.pending())"
    )
    sleeper = tmp_path / "sleeper.py"
    sleeper.write_text(
        "import os, pathlib, sys, time\n"
        "from nanogap.runs.child import end_with_parent\n"
        "end_with_parent()\n"
        "(pathlib.Path(sys.argv[1]) / f'{sys.argv[2]}.pid').write_text(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    driver = subprocess.Popen(
        [sys.executable, "-c", program, str(folder.path), sys.executable, str(sleeper)]
    )
    deadline = time.monotonic() + 60.0
    while len(pids := [p for p in folder.path.glob("*.pid") if p.read_text()]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    for path in pids:
        while os.path.exists(f"/proc/{path.read_text()}"):  # noqa: PTH110 a process, no file
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert len(folder.pending()) == 2


def test_a_full_disk_stops_the_campaign_and_blames_no_member(make_folder, command):
    folder = make_folder("repeats = 3")
    order(folder, f"{folder.entries[1].key}.full")
    with pytest.raises(DiskFullError, match="free some space"):
        LocalExecutor(folder, 1, command=command).run(folder.pending())
    assert len(folder.finished()) == 1
    assert not list((folder.path / "failures").iterdir())


@pytest.mark.parametrize(
    ("error", "full", "members_own"),
    [
        (OSError(errno.EIO, "Input/output error"), True, False),
        (OSError(errno.EIO, "Input/output error"), False, True),
        # a quota, or inodes: the disk itself has space
        (OSError(errno.ENOSPC, "No space left on device"), False, False),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), False, False),
    ],
)
def test_a_failure_on_a_full_disk_is_not_the_members(
    make_folder, monkeypatch, error, full, members_own
):
    folder = make_folder()

    def fail(*_):
        try:
            raise error
        except OSError as cause:
            raise NanogapError("the checkpoint could not be written") from cause

    monkeypatch.setattr(member, "_complete", fail)
    monkeypatch.setattr(member, "disk_is_full", lambda _: full)
    with pytest.raises(NanogapError) as caught:
        member.complete_member(folder, folder.entries[0])
    assert isinstance(caught.value, DiskFullError) is not members_own
    assert (folder.failure(folder.entries[0]) is not None) is members_own


def test_the_memory_limits_the_workers(monkeypatch):
    monkeypatch.setattr(local, "cores", lambda: 8)
    monkeypatch.setattr(local, "available_memory", lambda: 10e9)
    assert fitting_workers(None, None) == 8
    assert fitting_workers(None, 2e9) == 4
    assert fitting_workers(None, 50e9) == 1
    assert fitting_workers(5, 50e9) == 5
    assert fitting_workers(None, None, processes=3) == 2
    assert fitting_workers(None, 2e9, processes=4) == 2
    assert fitting_workers(None, None, processes=16) == 1


def test_members_of_several_processes_leave_no_core_to_more(make_folder, monkeypatch):
    monkeypatch.setattr(local, "cores", lambda: 8)
    monkeypatch.setattr(local, "available_memory", lambda: 1e12)
    folder = make_folder('[axes]\n"dynamics.processes" = [1, 4]')
    assert driving._room(folder)[0] == 2  # noqa: SLF001 the decision, without the running


def test_too_little_free_memory_holds_the_next_member_back(make_folder, command, monkeypatch):
    folder = make_folder("repeats = 3")
    monkeypatch.setattr(local, "available_memory", lambda: 1e9)
    seen = []
    LocalExecutor(folder, 3, 2e9, command).run(folder.pending(), seen.append)
    assert max(progress.running for progress in seen) == 1
    assert len(folder.finished()) == 3


def test_a_lock_shows_who_runs_and_goes_with_the_result(make_folder):
    folder = make_folder("repeats = 2")
    entry = folder.entries[0]
    with folder.lock(entry) as taken, folder.lock(entry) as again:
        assert (taken, again) == (True, False)
        assert folder.running() == [entry]
    assert folder.running() == []
    assert (folder.path / "locks" / entry.key).exists()
    with folder.lock(entry):
        folder.result_path(entry).write_text("result")
    assert not (folder.path / "locks" / entry.key).exists()


def test_folders_that_are_no_campaign_are_refused(tmp_path, make_folder):
    with pytest.raises(DataFormatError, match="no campaign folder"):
        CampaignFolder(tmp_path / "nothing")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("mine")
    with pytest.raises(SettingsError, match="choose another -o"):
        make_folder(name="other")
    folder = make_folder()
    (folder.path / "campaign.json").write_text("{")
    with pytest.raises(DataFormatError, match="damaged"):
        CampaignFolder(folder.path)


def test_a_member_that_another_process_holds_is_waited_for(make_folder, command):
    """No process is started for it meanwhile."""
    folder, seen = make_folder("repeats = 2"), []
    with folder.lock(folder.entries[0]):

        def watch(progress):
            seen.append(progress)
            if progress.finished == 1 and progress.elsewhere:
                raise RuntimeError("seen")

        with pytest.raises(RuntimeError, match="seen"):
            LocalExecutor(folder, 2, command=command).run(folder.pending(), watch)
    assert calls(folder) == Counter({folder.entries[1].key: 1})


def test_members_that_another_driver_gave_up_are_not_tried_again(make_folder, command):
    folder = make_folder("repeats = 2\n[executor]\nattempts = 1")
    pending = folder.pending()
    folder.record_failure(folder.entries[0], "it failed", 0)
    seen = []
    LocalExecutor(folder, 2, command=command).run(pending, seen.append)
    assert calls(folder) == Counter({folder.entries[1].key: 1})
    assert seen[-1].given_up == 1
