"""Campaigns whose members are made by a program that needs no physics."""

import sys

import pytest

from nanogap.campaign.folder import CampaignFolder

#: A worker like the real one, that follows orders: files in the folder ``orders``.
WORKER = """
import fcntl, os, pathlib, signal, sys, time
folder, key = pathlib.Path(sys.argv[1]), sys.argv[2]
orders = folder / "orders"
lock = open(folder / "locks" / key, "w")
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    sys.exit(76)
with open(folder / "calls", "a") as calls:
    calls.write(key + "\\n")
if (orders / f"{key}.slow").exists() or (orders / "slow").exists():
    time.sleep(0.5)
die = orders / f"{key}.die"
if die.exists():
    left = int(die.read_text())
    if left:
        die.write_text(str(left - 1))
        os.kill(os.getpid(), signal.SIGKILL)
if (orders / f"{key}.full").exists():
    sys.exit(77)
time.sleep(0.02)
(folder / "results" / f"{key}.nc").write_text("result")
"""


@pytest.fixture
def command(tmp_path):
    path = tmp_path / "worker.py"
    path.write_text(WORKER)
    return (sys.executable, str(path))


@pytest.fixture
def make_folder(tmp_path):
    """Return a function that plans a campaign from the lines of a file."""

    def make(text="", name="camp"):
        file = tmp_path / f"{name}.toml"
        file.write_text('base = "quick"\n' + text)
        folder = CampaignFolder.plan(tmp_path / name, file)
        (folder.path / "orders").mkdir(exist_ok=True)
        return folder

    return make
