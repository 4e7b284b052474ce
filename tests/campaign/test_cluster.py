"""The same campaigns as jobs of a cluster; the campaign folder decides what is done."""

import os
import signal
import sys
import threading
import time
from collections import Counter

import pytest
from tests.campaign.fake_engine import FakeEngine
from validation.slurm import single_node

from nanogap.campaign.cluster import SUBMISSION_SCRIPT, ClusterExecutor
from nanogap.campaign.local import LocalExecutor
from nanogap.errors import SettingsError

# executorlib 1.11 is written for an older pydantic
pytestmark = pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")


def calls(folder):
    return Counter((folder.path / "calls").read_text().split())


def cluster(folder, command, engine=None, **options):
    """An executor whose jobs are processes of this machine."""
    return ClusterExecutor(folder, command, make_engine=engine or FakeEngine(), **options)


def test_members_are_run_once_and_never_again(make_folder, command):
    folder = make_folder('repeats = 5\n[executor]\nkind = "slurm"\nworkers = 2')
    (folder.path / "orders" / "slow").touch()
    engine, seen = FakeEngine(), []
    cluster(folder, command, engine).run(folder.pending(), seen.append)
    assert set(calls(folder).values()) == {1}
    assert len(folder.finished()) == 5
    assert max(progress.running for progress in seen) == 2
    assert engine.shut_down
    assert not list((folder.path / "executorlib").iterdir())


def test_a_job_asks_for_what_the_file_says(make_folder, command):
    folder = make_folder(
        'repeats = 2\n[set]\n"dynamics.processes" = 3\n[executor]\nkind = "slurm"\n'
        'walltime = 0.5\nmemory = 1.2\npartition = "short"'
    )
    engine = FakeEngine()
    cluster(folder, command, engine).run(folder.pending())
    assert len({asked["cache_key"] for asked in engine.asked}) == 2
    first = engine.asked[0]
    assert first.pop("cache_key").startswith(folder.entries[0].key)
    assert first == {
        "cores": 1,
        "threads_per_core": 1,
        "job_name": f"nanogap-{folder.entries[0].key[:8]}",
        "run_time_max": 1800,
        "memory_max": 2,
        "partition": "short",
        "cpus_per_task": 3,
        "submission_template": SUBMISSION_SCRIPT,
    }


def test_a_member_that_dies_is_tried_again_and_given_up_at_the_limit(make_folder, command):
    folder = make_folder('repeats = 2\n[executor]\nkind = "slurm"\nattempts = 2')
    lucky, hopeless = (entry.key for entry in folder.entries)
    (folder.path / "orders" / f"{lucky}.die").write_text("1")
    (folder.path / "orders" / f"{hopeless}.die").write_text("99")
    engine = FakeEngine()
    cluster(folder, command, engine).run(folder.pending())
    assert [entry.key for entry in folder.finished()] == [lucky]
    assert calls(folder)[hopeless] == 2
    assert "signal 9" in folder.given_up()[hopeless]
    # an engine that remembers jobs by name must not answer the second from the first
    assert len({asked["cache_key"] for asked in engine.asked}) == 4


def test_a_job_that_the_cluster_ends_is_tried_again(make_folder, command):
    folder = make_folder('[executor]\nkind = "slurm"')
    engine = FakeEngine([RuntimeError("the node\n failed")])
    cluster(folder, command, engine).run(folder.pending())
    assert len(folder.finished()) == 1
    failure = folder.failure(folder.entries[0])
    assert failure.attempts == 1
    assert "the job died: RuntimeError: the node failed" in failure.reason


def test_a_job_that_is_killed_with_everything_in_it_is_noticed(make_folder, tmp_path, command):
    """The cluster does not say that a job died: the lock tells."""
    folder = make_folder('[executor]\nkind = "slurm"')
    key = folder.entries[0].key
    program = tmp_path / "hangs_once.py"
    program.write_text(
        "import fcntl, os, pathlib, runpy, sys, time\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "pid = folder / 'pids'\n"
        "if not pid.exists():\n"
        "    lock = open(folder / 'locks' / sys.argv[2], 'w')\n"
        "    fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "    pid.write_text(f'{os.getpid()} {os.getppid()}')\n"
        "    time.sleep(600)\n"
        f"runpy.run_path({command[1]!r})\n"
    )

    def kill():
        path = folder.path / "pids"
        deadline = time.monotonic() + 120.0
        while not path.is_file() or len(path.read_text().split()) < 2:
            if time.monotonic() > deadline:
                return
            time.sleep(0.05)
        for pid in reversed(path.read_text().split()):  # the job first, then the member
            os.kill(int(pid), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    cluster(folder, (command[0], str(program)), patience=5.0).run(folder.pending())
    killer.join()
    assert [entry.key for entry in folder.finished()] == [key]
    assert folder.failure(folder.entries[0]).attempts == 1


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


def test_without_executorlib_it_is_one_sentence(make_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "executorlib", None)
    folder = make_folder('[executor]\nkind = "slurm"')
    with pytest.raises(SettingsError, match=r"needs executorlib: pip install 'nanogap\[cluster\]'"):
        ClusterExecutor(folder)


def test_a_real_slurm_runs_members_and_tries_again_those_that_it_killed(
    make_folder, command, tmp_path
):
    """One job is cancelled from outside, as a walltime or a node failure would end it."""
    folder = make_folder('repeats = 3\n[executor]\nkind = "slurm"\nworkers = 2\nwalltime = 0.1')
    key = folder.entries[0].key
    program = tmp_path / "is_cancelled_once.py"
    program.write_text(
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
        ClusterExecutor(folder, (command[0], str(program))).run(folder.pending())
    assert len(folder.finished()) == 3
    assert set(calls(folder).values()) == {1}
    assert folder.failure(folder.entries[0]).attempts == 1
    assert "the job died" in folder.failure(folder.entries[0]).reason


def test_a_campaign_file_may_bring_its_own_submission_script(make_folder, command, tmp_path):
    folder = make_folder(
        '[executor]\nkind = "slurm"\npartition = "short"\nsubmission_script = """\n'
        "#!/bin/bash\n#SBATCH --partition={{partition}}\n#SBATCH --chdir={{working_directory}}\n"
        f"touch {tmp_path}/own\n{{{{command}}}}\n"
        '"""'
    )
    with single_node(tmp_path / "slurm"):
        ClusterExecutor(folder, command).run(folder.pending())
    assert len(folder.finished()) == 1
    assert (tmp_path / "own").exists()
