"""Who keeps a folder to a budget is told what others store or remove there, or finds out."""

import os
import zipfile

import numpy as np
import pytest

from neurotools.console.main import main
from neurotools.jobs.cache import combine_caches, disk_cacher
from neurotools.memo.tiers import account as account_module
from neurotools.memo.tiers import figures
from neurotools.memo.tiers.census import census
from neurotools.memo.tiers.figures import Counts, Figures, Limits
from neurotools.memo.tiers.folders import Folders
from neurotools.memo.tiers.trust import Trust


def block(i):
    return np.full(1000, float(i))


def paths_in(root):
    return [
        os.path.join(shelf.path, found.name)
        for shelf in census(str(root))
        for found in shelf.entries
    ]


def keeper_of(remembering):
    return remembering._hierarchy.tiers[0]._keeper


def is_doubted(root):
    return figures.read(os.path.join(root, ".neurotools", "budget", "base"))[0].is_doubted


@pytest.fixture
def full(tmp_path):
    """Give a function of which 100 results are kept, in a folder that may have 100."""
    remembering = disk_cacher(tmp_path, max_entries=100)(block)
    for i in range(100):
        remembering(i)
    keeper_of(remembering).keep()
    keeper_of(remembering)._thread.join()
    keeper_of(remembering)._look()  # a file that was there before it was counted, counted twice
    assert keeper_of(remembering)._account.total().entries == len(paths_in(tmp_path)) > 95
    return remembering


def test_a_file_of_an_account_says_what_was_written_to_it(tmp_path):
    said = Figures(Counts(-4096, -1), 7, True, Limits(1, 2, 3))
    path = str(tmp_path / "one")
    descriptor = figures.opened(path, 0o600)
    figures.write(descriptor, said)
    os.close(descriptor)
    assert figures.read(path)[0] == said
    with open(path, "r+b") as file:
        file.truncate(24)
    assert figures.read(path)[0] == Figures(said.counts), "as earlier versions wrote them"
    for content in (b"", b"x" * 64):
        (tmp_path / "one").write_bytes(content)
        assert figures.read(path) is None
    assert figures.read(str(tmp_path)) is None
    assert figures.read(str(tmp_path / "none")) is None


class TestTold:
    def test_what_is_purged_one_by_one_is_counted(self, full, tmp_path):
        for i in range(40, 80):
            full.purge(i)
        assert keeper_of(full)._account.total().entries == len(paths_in(tmp_path))

    @pytest.mark.parametrize(
        "words",
        [
            ["gc", "{root}", "--max-entries", "30"],
            ["prune", "{root}", "--max-entries", "30"],
            ["purge", "block", "--cache", "{root}", "--yes"],
        ],
    )
    def test_what_a_command_removes_is_counted(self, full, tmp_path, words):
        assert main([word.format(root=full.cache_root) for word in words]) == 0
        assert len(paths_in(tmp_path)) <= 30
        assert keeper_of(full)._account.total().entries == len(paths_in(tmp_path))

    def test_who_keeps_no_budget_tells_as_well(self, full, tmp_path):
        plain = disk_cacher(tmp_path)(block)
        plain.purge(50)
        assert keeper_of(full)._account.total().entries == len(paths_in(tmp_path))

    def test_where_there_is_no_budget_nothing_is_written(self, tmp_path):
        plain = disk_cacher(tmp_path)(block)
        plain(1)
        plain(2)
        plain.purge(1)
        plain.purge()
        assert not (tmp_path / "__neurotools_cache__" / ".neurotools" / "budget").exists()

    def test_a_version_that_is_purged_is_looked_at(self, full, tmp_path):
        full.purge()
        assert is_doubted(full.cache_root)
        for i in range(1000, 1090):
            full(i)
        assert len(paths_in(tmp_path)) == 90, "nothing went that need not have"

    def test_what_is_copied_to_it_is_looked_at(self, full, tmp_path):
        source = disk_cacher(tmp_path / "other")(block)
        for i in range(200, 260):
            source(i)
        assert main(["sync", "--to", str(tmp_path / "other"), str(tmp_path)]) == 0
        assert is_doubted(full.cache_root)
        full(300)
        keeper_of(full).keep()
        assert len(paths_in(full.cache_root)) <= 100

    def test_what_is_imported_is_looked_at(self, full, tmp_path):
        source = disk_cacher(tmp_path / "other")(block)
        for i in range(200, 210):
            source(i)
        archive = str(tmp_path / "some.zip")
        assert main(["export", archive, "--cache", source.cache_root]) == 0
        assert zipfile.is_zipfile(archive)
        assert main(["import", archive, full.cache_root]) == 0
        assert is_doubted(full.cache_root)

    def test_what_is_combined_is_looked_at(self, full):
        combine_caches(full.cache_root, full)
        assert is_doubted(full.cache_root)

    def test_who_shares_the_folder_with_a_group_goes_on_doing_so(self, full):
        if os.name == "nt":
            pytest.skip("Windows knows no such modes")
        base = os.path.join(full.cache_root, ".neurotools", "budget", "base")
        os.chmod(base, 0o660)
        account_module._ALL.clear()  # as another process
        account_module.doubt(full.cache_root)
        account_module.say_removed(full.cache_root, Counts(4096, 1))
        assert os.stat(base).st_mode & 0o777 == 0o660


class TestFoundOut:
    def test_a_stranger_who_removes_much_makes_nothing_else_go(self, full, tmp_path):
        for path in paths_in(tmp_path)[::2]:
            os.unlink(path)
        before = len(paths_in(tmp_path))
        for i in range(1000, 1045):
            full(i)
        # Until the first is missed that was to go, something may go.
        assert before + 45 - 15 <= len(paths_in(tmp_path)) <= 100

    def test_what_others_have_removed_and_told_is_no_reason_to_look(self, full, tmp_path):
        keeper, gone = keeper_of(full), paths_in(tmp_path)[::2]
        for i in range(1000, 1010):
            full(i)
        for path in gone:
            if os.path.exists(path):
                os.unlink(path)
                account_module.say_removed(full.cache_root, Counts(12288, 1))
        for i in range(2000, 2100):
            full(i)
        keeper.keep()
        assert not is_doubted(full.cache_root)
        assert len(paths_in(tmp_path)) <= 101


def test_who_ends_just_now_is_not_counted_twice(tmp_path, monkeypatch):
    account = account_module.Account(Folders(str(tmp_path), Trust()))
    account.look(account.moved(), Counts(40960, 10))
    place = tmp_path / ".neurotools" / "budget"
    other = place / "other"

    def write(name, said):
        descriptor = figures.opened(str(place / name), 0o600)
        figures.write(descriptor, said)
        os.close(descriptor)

    def ends(moved=account._moved):
        found = moved()
        os.unlink(other)
        write("base", Figures(Counts(45056, 11)))
        return found

    write("other", Figures(Counts(4096, 1)))
    monkeypatch.setattr(account, "_moved", ends)
    assert account.total().entries <= 11
    monkeypatch.undo()
    assert account.total() == Counts(45056, 11)


def test_who_ends_stands_in_one_place_at_a_time(tmp_path, monkeypatch):
    account = account_module.Account(Folders(str(tmp_path), Trust()))
    account.look(account.moved(), Counts(40960, 10))
    account.add(Counts(4096, 1))
    assert account.total() == Counts(45056, 11)
    seen = []

    def noted(descriptor, said, write=figures.write):
        seen.append(sorted(os.listdir(tmp_path / ".neurotools" / "budget")))
        write(descriptor, said)

    monkeypatch.setattr(figures, "write", noted)
    account.end()
    assert seen == [["base"]]
    assert account.total() == Counts(45056, 11)
