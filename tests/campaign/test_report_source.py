"""Datasets that reports rest on: collected anew, as they are, alone, in a read-only folder."""

import errno
import io
import json
import shutil

import h5netcdf
import h5py
import pytest
from tests.campaign.synthetic import rewiring

from nanogap.campaign import collect as collecting
from nanogap.campaign.collect import collect
from nanogap.campaign.folder import CampaignFolder
from nanogap.campaign.page import write_campaign_report
from nanogap.campaign.source import open_source
from nanogap.campaign.state import CampaignState
from nanogap.errors import DataFormatError, SettingsError
from nanogap.io import write_bytes, write_dataset


@pytest.fixture
def folder(make_folder):
    """A campaign of four members, all finished."""
    made = make_folder("repeats = 4")
    for entry in made.entries:
        write_dataset(rewiring(entry.number, length=6), made.result_path(entry))
    return made


@pytest.fixture
def _unwritable(folder, monkeypatch):
    """A folder that takes nothing: root may write where permissions forbid it."""

    def refuse(path, content):
        if path.is_relative_to(folder.path):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        write_bytes(path, content.encode() if isinstance(content, str) else content)

    monkeypatch.setattr("nanogap.io.ensemble.write_bytes", refuse)
    monkeypatch.setattr("nanogap.report.sections.write_text", refuse)


def test_the_report_of_a_folder_whose_results_are_gone(folder):
    collect(folder)
    before = folder.dataset.read_bytes()
    for name in ("results", "members", "locks", "failures", "jobs", "logs"):
        shutil.rmtree(folder.path / name, ignore_errors=True)
    written = write_campaign_report(folder.path)
    assert written.summary.members == 4
    page = written.path.read_text(encoding="utf-8")
    assert "the results of 4 members are gone" in page
    assert "4 of 4 members are finished" in page
    assert folder.dataset.read_bytes() == before
    with pytest.raises(DataFormatError, match="holds 4 members whose results are gone"):
        collect(CampaignFolder(folder.path))
    assert folder.dataset.read_bytes() == before


def test_the_report_of_a_dataset_alone(folder, tmp_path, monkeypatch):
    collect(folder)
    alone = tmp_path / "alone.nc"
    shutil.copyfile(folder.dataset, alone)
    expected = write_campaign_report(folder.path).summary
    shutil.rmtree(folder.path)
    monkeypatch.chdir(tmp_path)
    written = write_campaign_report(alone)
    assert str(written.path) == "report.html"
    assert written.summary.statement == expected.statement
    assert "Campaign campaign" in (tmp_path / "report.html").read_text(encoding="utf-8")
    # the folder with nothing but it
    (tmp_path / "rest").mkdir()
    shutil.copyfile(alone, tmp_path / "rest" / "dataset.nc")
    other = write_campaign_report(tmp_path / "rest", output=tmp_path / "other.html")
    assert other.path == tmp_path / "other.html"


def test_a_dataset_that_is_up_to_date_is_not_collected_again(folder, monkeypatch):
    collect(folder)
    with monkeypatch.context() as patch:
        patch.setattr("nanogap.campaign.source.collect", lambda *_: pytest.fail("collected again"))
        with open_source(folder.path) as source:
            assert source.collected.members == 4
    last = folder.entries[-1]
    write_dataset(rewiring(77, length=6), folder.result_path(last))
    with open_source(folder.path) as source:
        again = source.dataset["transmission"].isel(member=3, energy=0).load()
    assert float(again.max()) == pytest.approx(float(rewiring(77, length=6)["transmission"].max()))


def test_a_grown_campaign_is_collected_again(folder, tmp_path):
    collect(folder)
    file = tmp_path / "camp.toml"
    file.write_text('base = "quick"\nrepeats = 6\n')
    grown = CampaignFolder.plan(folder.path, file)
    with open_source(folder.path) as source:
        assert source.collected.planned == 6
    write_dataset(rewiring(9, length=6), grown.result_path(grown.entries[4]))
    with open_source(folder.path) as source:
        assert source.collected.members == source.dataset.sizes["member"] == 5


@pytest.mark.usefixtures("_unwritable")
def test_a_folder_that_cannot_be_written_has_status_and_report(folder, tmp_path):
    assert CampaignState(CampaignFolder(folder.path)).describe().finished == 4
    output = tmp_path / "elsewhere.html"
    written = write_campaign_report(folder.path, output=output)
    assert written.summary.members == 4
    page = output.read_text(encoding="utf-8")
    assert "dataset.nc could not be written (Read-only file system)" in page
    assert not folder.dataset.exists()
    assert not folder.report.exists()
    with pytest.raises(SettingsError, match=r"cannot write .*report\.html .*another output"):
        write_campaign_report(folder.path)


def test_no_lock_of_the_library_is_needed(folder, monkeypatch):
    """Each file is opened without one: a file system may have none."""
    opened = []

    real = h5py.h5f.open

    def spy(name, flags, fapl):
        opened.append(fapl.get_file_locking()[0])
        return real(name, flags, fapl)

    monkeypatch.setattr(h5py.h5f, "open", spy)
    CampaignState(folder).describe()
    collect(folder)
    with open_source(folder.path) as source:
        source.dataset["time"].load()
    assert len(opened) > 8
    assert set(opened) == {False}


def test_the_library_never_writes_to_the_disk_itself(folder, monkeypatch):
    """It crashes the process (signal 11) on a disk that becomes full."""
    written, real = [], h5netcdf.File

    def spy(place, mode="r", **options):
        if mode != "r":
            written.append(place)
        return real(place, mode, **options)

    monkeypatch.setattr(h5netcdf, "File", spy)
    collect(folder)
    assert [isinstance(one, io.BytesIO) for one in written] == [True]


@pytest.mark.parametrize("content", [b"", b"no netCDF", None])
def test_a_file_that_is_no_dataset_is_one_sentence(tmp_path, content):
    path = tmp_path / "odd.nc"
    if content is None:
        write_dataset(rewiring(0, length=6), path)  # a member, not a campaign
    else:
        path.write_bytes(content)
    with pytest.raises(DataFormatError, match=r"odd\.nc") as caught:
        write_campaign_report(path, output=tmp_path / "page.html")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "page.html").exists()


def test_a_dataset_without_what_is_needed_is_one_sentence(folder, tmp_path):
    collect(folder)
    with h5py.File(folder.dataset, "r+") as content:
        del content["time"]
    with pytest.raises(DataFormatError, match="no variable 'time'"):
        write_campaign_report(folder.dataset, output=tmp_path / "page.html")
    with h5py.File(folder.dataset, "r+") as content:
        content.attrs["given_up"] = "{"
    with pytest.raises(DataFormatError, match="no dataset of a campaign"):
        write_campaign_report(folder.dataset, output=tmp_path / "page.html")


def test_the_versions_of_members_are_still_told(folder):
    collected = collect(folder)
    assert collected.notes == []
    assert collecting.stored_keys(folder.dataset) == [entry.key for entry in folder.entries]
    with open_source(folder.path) as source:
        assert json.loads(source.dataset.attrs["versions"]) == [{"nanogap": "0"}]
