"""The same campaigns as jobs of a cluster; the campaign folder decides what is done."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from tests.campaign.fake_queue import FakeQueue
from validation.slurm import program, single_node

from nanogap.campaign.cluster import ClusterExecutor, job_name, submission
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.local import LocalExecutor
from nanogap.campaign.slurm import Job, Slurm, SlurmError
from nanogap.campaign.state import CampaignState
from nanogap.errors import NanogapError, SettingsError

SILENT = SlurmError("sbatch", "error: Batch job submission failed: Socket timed out on send/recv")
REFUSED = SlurmError("sbatch", "error: invalid partition specified: gpu")


def calls(folder):
    return Counter((folder.path / "calls").read_text().split())


def cluster(folder, command, queue=None, **options):
    """An executor whose jobs are processes of this machine."""
    return ClusterExecutor(
        folder, command, queue=queue or FakeQueue(), **{"poll": 0.1, "patience": 0.5, **options}
    )


def test_members_are_run_once_and_never_again(make_folder, command):
    folder = make_folder('repeats = 5\n[executor]\nkind = "slurm"\nworkers = 2')
    (folder.path / "orders" / "slow").touch()
    seen = []
    cluster(folder, command).run(folder.pending(), seen.append)
    assert set(calls(folder).values()) == {1}
    assert len(folder.finished()) == 5
    assert max(progress.running for progress in seen) == 2
    assert folder.submitted() == set()


def test_a_job_asks_for_what_the_file_says(make_folder, command):
    folder = make_folder(
        'repeats = 2\n[set]\n"dynamics.processes" = 3\n[executor]\nkind = "slurm"\n'
        'walltime = 0.5\nmemory = 1.2\npartition = "short"\naccount = "silver"\nqos = "long"\n'
        'extra_lines = ["#SBATCH --constraint=skylake", "ulimit -s unlimited"]'
    )
    queue = FakeQueue()
    cluster(folder, command, queue).run(folder.pending())
    entry = folder.entries[0]
    assert queue.asked[0] == {
        "job-name": f"nanogap-{entry.key}",
        "output": f"logs/{entry.key}.log",
        "open-mode": "append",
        "ntasks": "1",
        "cpus-per-task": "3",
        "time": "30",
        "mem": "2G",
        "partition": "short",
        "account": "silver",
        "qos": "long",
    }
    lines = queue.scripts[0].splitlines()
    assert lines[:3] == ["#!/bin/bash", "#SBATCH --constraint=skylake", "ulimit -s unlimited"]
    assert "OMP_NUM_THREADS=1" in lines[3]
    assert len(folder.finished()) == 2


def test_a_job_has_a_core_for_each_thread(make_folder, command):
    folder = make_folder(
        'repeats = 1\n[set]\n"dynamics.engine" = "native"\n"dynamics.threads" = 2\n'
        '[executor]\nkind = "slurm"'
    )
    queue = FakeQueue()
    cluster(folder, command, queue).run(folder.pending())
    assert queue.asked[0]["cpus-per-task"] == "2"
    assert "NUMBA_NUM_THREADS=2" in queue.scripts[0]


def test_a_member_that_dies_is_tried_again_and_given_up_at_the_limit(make_folder, command):
    folder = make_folder('repeats = 2\n[executor]\nkind = "slurm"\nattempts = 2')
    lucky, hopeless = (entry.key for entry in folder.entries)
    (folder.path / "orders" / f"{lucky}.die").write_text("1")
    (folder.path / "orders" / f"{hopeless}.die").write_text("99")
    cluster(folder, command).run(folder.pending())
    assert [entry.key for entry in folder.finished()] == [lucky]
    assert calls(folder)[hopeless] == 2
    assert "died without a word" in folder.given_up()[hopeless]
    assert f"{hopeless}.log" in folder.given_up()[hopeless]


def test_a_silent_controller_costs_no_member_an_attempt(make_folder, command, monkeypatch):
    """It is asked again after a while, and what it said is told."""
    monkeypatch.setattr("nanogap.campaign.cluster._PAUSES", (0.1, 0.2))
    folder = make_folder('repeats = 3\n[executor]\nkind = "slurm"')
    queue, seen = FakeQueue([SILENT] * 7), []
    cluster(folder, command, queue, refusal=0.0).run(folder.pending(), seen.append)
    assert len(folder.finished()) == 3
    assert not list((folder.path / "failures").iterdir())
    assert any("Socket timed out" in progress.note for progress in seen)
    assert seen[-1].note == ""


@pytest.mark.parametrize(
    ("error", "words"), [(SILENT, "Socket timed out"), (REFUSED, "invalid partition")]
)
def test_a_controller_that_goes_on_refusing_ends_the_driver(
    make_folder, command, monkeypatch, error, words
):
    monkeypatch.setattr("nanogap.campaign.cluster._PAUSES", (0.05, 0.1))
    folder = make_folder('repeats = 3\n[executor]\nkind = "slurm"')
    with pytest.raises(NanogapError, match=words):
        cluster(folder, command, FakeQueue([error] * 99), silence=0.3, refusal=0.3).run(
            folder.pending()
        )
    assert len(folder.pending()) == 3
    assert not list((folder.path / "failures").iterdir())
    assert not list((folder.path / "jobs").iterdir())


def test_a_limit_on_jobs_is_waited_for_while_some_run(make_folder, command, monkeypatch):
    monkeypatch.setattr("nanogap.campaign.cluster._PAUSES", (0.1, 0.1))
    folder = make_folder('repeats = 2\n[executor]\nkind = "slurm"')
    (folder.path / "orders" / "slow").touch()

    class Limited(FakeQueue):
        def submit(self, *arguments):
            if self.jobs(folder.path):
                raise SlurmError("sbatch", "error: QOSMaxSubmitJobPerUserLimit")
            return super().submit(*arguments)

    cluster(folder, command, Limited(), silence=5.0, refusal=0.0).run(folder.pending())
    assert set(calls(folder).values()) == {1}
    assert len(folder.finished()) == 2


def test_the_jobs_of_a_killed_driver_are_found_and_not_submitted_again(make_folder, command):
    """Whether they wait in the queue or run."""
    folder = make_folder('repeats = 4\n[executor]\nkind = "slurm"')
    (folder.path / "orders" / "slow").touch()
    queue = FakeQueue(slots=1)
    first = cluster(folder, command, queue)
    with pytest.raises(RuntimeError, match="killed"):
        first.run(folder.pending(), lambda seen: _killed(seen.running == 4))
    state = CampaignState(folder)
    assert len(folder.submitted()) == 4
    assert state.describe().state in {"running", "waiting"}
    cluster(folder, command, queue).run(folder.pending())
    assert len(queue.asked) == 4
    assert set(calls(folder).values()) == {1}


def _killed(now):
    if now:
        raise RuntimeError("killed")


def test_a_member_that_another_process_holds_is_waited_for(make_folder, command):
    folder = make_folder('repeats = 2\n[executor]\nkind = "slurm"')
    entry, queue, seen = folder.entries[0], FakeQueue(), []
    released = threading.Event()

    def hold():
        with folder.lock(entry) as taken:
            assert taken
            released.wait(6.0)

    holder = threading.Thread(target=hold)
    holder.start()
    time.sleep(0.2)
    threading.Timer(4.0, released.set).start()
    cluster(folder, command, queue).run(folder.pending(), seen.append)
    holder.join()
    assert len(folder.finished()) == 2
    assert len(queue.asked) == 2
    assert any(progress.elsewhere for progress in seen)


def test_two_drivers_submit_a_member_once(make_folder, command):
    folder = make_folder('repeats = 3\n[executor]\nkind = "slurm"')
    (folder.path / "orders" / "slow").touch()
    queue, notes = FakeQueue(), []
    one, other = (cluster(folder, command, queue) for _ in range(2))
    threads = [
        threading.Thread(
            target=executor.run, args=(folder.pending(), lambda seen: notes.append(seen.note))
        )
        for executor in (one, other)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert len(queue.asked) == 3
    assert len(folder.finished()) == 3
    assert any("another driver" in note for note in notes)


def test_waiting_in_the_queue_is_not_interrupted(make_folder, monkeypatch):
    folder = make_folder('repeats = 3\n[executor]\nkind = "slurm"')
    first, second, _ = folder.entries
    jobs = {job_name(first): Job("1", "PENDING"), job_name(second): Job("2", "COMPLETED")}
    monkeypatch.setattr("nanogap.campaign.slurm.shutil.which", lambda name: name)
    monkeypatch.setattr(Slurm, "jobs", lambda *_: jobs)
    status = CampaignState(folder).describe()
    assert (status.state, status.waiting) == ("waiting", 1)
    monkeypatch.setattr(Slurm, "jobs", lambda *_: {})
    assert CampaignState(folder).describe().state == "interrupted"
    with folder.driver_lock.hold():
        assert CampaignState(folder).describe().state == "waiting"


def test_a_local_driver_between_two_members_is_running(make_folder):
    folder = make_folder("repeats = 3")
    assert CampaignState(folder).describe().state == "interrupted"
    with folder.driver_lock.hold():
        assert CampaignState(folder).describe().state == "running"


def test_a_local_campaign_goes_on_on_the_cluster(make_folder, command):
    """One line of the file decides what runs a campaign, and changes no key."""
    folder = make_folder("repeats = 3")
    LocalExecutor(folder, 1, command=command).run(folder.pending()[:1])
    moved = make_folder('repeats = 3\n[executor]\nkind = "slurm"')
    assert len(moved.finished()) == 1
    cluster(moved, command).run(moved.pending())
    assert set(calls(moved).values()) == {1}


def test_slurm_without_slurm_is_one_sentence(make_folder, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    folder = make_folder('[executor]\nkind = "slurm"')
    with pytest.raises(SettingsError, match="no sbatch"):
        ClusterExecutor(folder)


def test_a_script_of_ones_own_is_a_template(make_folder):
    folder = make_folder(
        '[executor]\nkind = "slurm"\naccount = "silver"\nwalltime = 2.0\n'
        'submission_script = "{{account}} {{run_time_max}} {{cores}} {{job_name}}\\n{{command}}"'
    )
    entry = folder.entries[0]
    script, options = submission(folder, entry)
    assert script.splitlines()[0] == f"silver 7200 1 {job_name(entry)}"
    assert options == [f"--job-name={job_name(entry)}"]
    broken = make_folder('[executor]\nkind = "slurm"\nsubmission_script = "{{"', name="broken")
    with pytest.raises(SettingsError, match="no template"):
        submission(broken, broken.entries[0])


@pytest.mark.parametrize(
    ("words", "silence", "limit"),
    [
        ("sbatch: error: Batch job submission failed: Socket timed out on send/recv", True, False),
        ("Unable to contact slurm controller (connect failure)", True, False),
        ("error: QOSMaxSubmitJobPerUserLimit", False, True),
        ("error: AssocMaxSubmitJobLimit", False, True),
        ("error: invalid partition specified: gpu", False, False),
        ("Requested node configuration is not available", False, False),
        ("Memory specification can not be satisfied", False, False),
        ("Invalid account or account/partition combination specified", False, False),
    ],
)
def test_what_the_controller_says_is_told_apart(words, silence, limit):
    error = SlurmError("sbatch", words)
    assert (error.is_silence, error.is_limit) == (silence, limit)


def test_a_real_slurm_runs_members_and_tries_again_those_that_it_killed(
    make_folder, command, tmp_path
):
    """One job is cancelled from outside, as a walltime or a node failure would end it.

    The folder has a name that a shell would take apart; one driver is killed, and what it submitted
    is not submitted again; the controller says nothing for a while.
    """
    folder = make_folder(
        'repeats = 3\n[executor]\nkind = "slurm"\nworkers = 2\nwalltime = 0.1', name="ä b'$c%"
    )
    key = folder.entries[0].key
    member = tmp_path / "is_cancelled_once.py"
    member.write_text(
        "import os, pathlib, runpy, signal, subprocess, sys, time\n"
        "mark = pathlib.Path(sys.argv[1]) / 'cancelled'\n"
        f"if sys.argv[2] == {key!r} and not mark.exists():\n"
        "    mark.write_text('')\n"
        # so that the job dies first, as it does where a node fails
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    while subprocess.run(['scancel', os.environ['SLURM_JOB_ID']]).returncode:\n"
        "        time.sleep(1)\n"
        "    time.sleep(600)\n"
        f"runpy.run_path({command[1]!r})\n"
    )
    with single_node(tmp_path / "slurm"):
        _silent_once(tmp_path, program("sbatch"))
        os.environ["PATH"] = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        ClusterExecutor(folder, (command[0], str(member)), poll=0.5, patience=1.0).run(
            folder.pending()
        )
    assert len(folder.finished()) == 3
    assert set(calls(folder).values()) == {1}
    assert folder.failure(folder.entries[0]).attempts == 1
    assert "CANCELLED" in folder.failure(folder.entries[0]).reason
    assert (tmp_path / "silent").exists()


def _silent_once(folder, sbatch):
    """Write an sbatch that does not answer the first time."""
    stand_in = folder / "bin" / "sbatch"
    stand_in.parent.mkdir()
    stand_in.write_text(
        f'#!/bin/sh\n[ -e {folder}/silent ] && exec {sbatch} "$@"\n'
        f"touch {folder}/silent\necho 'sbatch: error: Socket timed out' >&2\nexit 1\n"
    )
    stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)


def _partition(state):
    change = [program("scontrol"), "update", "PartitionName=short", f"State={state}"]
    subprocess.run(change, check=True)


def test_a_real_slurm_lists_what_waits_and_a_second_driver_submits_nothing(
    make_folder, command, tmp_path
):
    folder = make_folder('repeats = 3\n[executor]\nkind = "slurm"')
    (folder.path / "orders" / "slow").touch()
    text = (
        "import sys, pathlib; from nanogap.campaign.folder import CampaignFolder; "
        "from nanogap.campaign.cluster import ClusterExecutor; "
        "f = CampaignFolder(pathlib.Path(sys.argv[1])); "
        "ClusterExecutor(f, sys.argv[2:], poll=0.5).run(f.pending())"
    )
    arguments = [sys.executable, "-c", text, str(folder.path), *command]
    with single_node(tmp_path / "slurm"):
        _partition("DOWN")  # jobs are accepted, and do not begin
        driver = subprocess.Popen(arguments)
        while len(Slurm().jobs(folder.path.resolve())) < 3:
            assert driver.poll() is None
            time.sleep(0.2)
        assert CampaignState(folder).describe().state == "waiting"
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        status = CampaignState(CampaignFolder(folder.path)).describe()
        assert (status.state, status.waiting) == ("waiting", 3)
        _partition("UP")
        assert subprocess.run(arguments, check=False).returncode == 0
        squeue = [program("squeue"), "--noheader", "--states=all"]
        listed = subprocess.check_output(squeue, text=True)
    assert len(listed.splitlines()) == 3
    assert set(calls(folder).values()) == {1}
    assert len(folder.finished()) == 3


def test_a_campaign_file_may_bring_its_own_submission_script(make_folder, command, tmp_path):
    folder = make_folder(
        '[executor]\nkind = "slurm"\npartition = "short"\nsubmission_script = """\n'
        "#!/bin/bash\n#SBATCH --partition={{partition}}\n#SBATCH --chdir={{working_directory}}\n"
        f"touch {tmp_path}/own\n{{{{command}}}}\n"
        '"""'
    )
    with single_node(tmp_path / "slurm"):
        ClusterExecutor(folder, command, poll=0.5).run(folder.pending())
    assert len(folder.finished()) == 1
    assert (tmp_path / "own").exists()
