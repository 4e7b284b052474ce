"""A real SLURM of one node, started from Debian's slurm-wlm, without root's services."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDERS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
PluginDir={plugins}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,sched_min_interval=0
KillWait=1
MessageTimeout=100
BatchStartTimeout=120
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class SlurmMissingError(Exception):
    """A program of SLURM is not installed."""


def program(name: str) -> Path:
    """Find a program of SLURM.

    Raises
    ------
    SlurmMissingError
        If it is not installed.
    """
    path = shutil.which(name, path=_FOLDERS)
    if path is None:
        raise SlurmMissingError(f"{name} is not installed (Debian: slurm-wlm)")
    return Path(path)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextmanager
def single_node(folder: Path) -> Iterator[None]:
    """Run slurmctld and slurmd of this machine; sbatch finds them while the block lasts."""
    controller, daemon = program("slurmctld"), program("slurmd")
    step = program("slurmstepd")
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    plugins = next(
        path
        for root in controller.resolve().parents
        for path in root.glob("lib/*/slurm-wlm")
        if (path / "auth_none.so").is_file()
    )
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            host=socket.gethostname().split(".")[0],
            ports=_free_ports(2),
            user=getpass.getuser(),
            plugins=plugins,
            folder=folder,
            cpus=len(os.sched_getaffinity(0)),
        )
    )
    before = dict(os.environ)
    os.environ["SLURM_CONF"] = str(configuration)
    os.environ["PATH"] = f"{program('sbatch').parent}{os.pathsep}{os.environ['PATH']}"
    processes: list[subprocess.Popen[bytes]] = []
    try:
        with (folder / "log").open("wb") as log:
            processes.extend(
                subprocess.Popen(command, stdout=log, stderr=log)
                for command in ((controller, "-D"), (daemon, "-D", "-d", step))
            )
        # long, for a busy machine: a daemon that dies is noticed at once
        deadline = time.monotonic() + 120.0
        while _nodes() != ["idle"]:
            if time.monotonic() > deadline or any(p.poll() is not None for p in processes):
                raise RuntimeError((folder / "log").read_text(errors="replace"))
            time.sleep(0.3)
        yield
    finally:
        subprocess.run(
            [program("scancel"), "--user", getpass.getuser()], check=False, capture_output=True
        )
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        os.environ.clear()
        os.environ.update(before)


def _nodes() -> list[str]:
    done = subprocess.run(
        [program("sinfo"), "--noheader", "--format=%T"],
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout.split()
