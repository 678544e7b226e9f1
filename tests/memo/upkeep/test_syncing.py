"""Copying what one of two tiers lacks."""

import os

import numpy as np
import pytest

from neurotools.memo.background.unsent import Unsent
from neurotools.memo.entry import Key
from neurotools.memo.errors import CopyStopped
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.seal import Record, seal
from neurotools.memo.signing import Signer
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.guarded import Guarded
from neurotools.memo.upkeep import syncing
from tests.faults.away import Away, entries_in, marks_in
from tests.memo.tiers.promises import KEY, entry, value_in


@pytest.fixture
def tiers(tmp_path):
    return DirectoryTier(str(tmp_path / "fast")), DirectoryTier(str(tmp_path / "slow"))


def keys(*numbers, method="npy"):
    return [Key(f"pkg/f{n % 2}", "code", f"hash.{n}", method) for n in numbers]


def fill(tier, chosen, version="{}"):
    for key in chosen:
        tier.put(key, entry(key.call, key))
        tier.put_manifest(key, version.encode())


def synced(fast, slow, **options):
    """Copy in both directions; return both ways."""
    found = syncing.compare(fast, slow)
    for way in (found.to, found.back):
        syncing.copy(way, **options)
    syncing.settle(found)
    return found.to, found.back


@pytest.mark.parametrize("threads", [1, 4, None])
@pytest.mark.parametrize("verify", [True, False])
def test_each_side_gets_what_the_other_has(tiers, threads, verify):
    fast, slow = tiers
    fill(fast, keys(*range(20)))
    fill(slow, keys(*range(15, 40)))
    found = syncing.compare(fast, slow)
    assert (len(found.to.missing), len(found.back.missing), found.in_both) == (15, 20, 5)
    to, back = synced(fast, slow, threads=threads, verify=verify)
    assert (len(to.copied), len(back.copied), to.bad, back.bad) == (15, 20, {}, {})
    assert to.size_bytes == sum(fast.size(key) for key in keys(*range(15)))
    for tier in tiers:
        assert set(tier.keys()) == set(keys(*range(40)))
        assert all(value_in(tier, key) == key.call for key in keys(*range(40)))
    assert synced(fast, slow)[0].missing == []


def test_bytes_are_copied_as_they_are(tiers):
    fast, slow = tiers
    fill(fast, keys(1))
    synced(fast, slow)
    contents = [b"".join(tier.get(keys(1)[0]).blob.parts) for tier in tiers]
    assert contents[0] == contents[1]


def test_manifests_are_copied(tiers):
    fast, slow = tiers
    fill(fast, keys(0, 1), "{1}")
    fill(slow, keys(1, 3), "{2}")
    synced(fast, slow)
    assert slow.get_manifest("pkg/f0", "code") == b"{1}"
    assert slow.get_manifest("pkg/f1", "code") == b"{2}"


def test_each_side_is_listed_once_whatever_it_holds(tmp_path, tiers):
    (tmp_path / "away").mkdir()
    away, used = Away(tmp_path / "away"), []
    fill(away, keys(*range(50)))
    fill(tiers[0], keys(*range(50)))
    use = away._use
    away._use = lambda action, *rest: (used.append(action), use(action, *rest))[1]
    synced(tiers[0], away)
    assert used == ["keys"]


def test_a_bad_entry_is_named_and_the_others_are_copied(tiers):
    fast, slow = tiers
    fill(fast, keys(*range(10)))
    bad = keys(3)[0]
    with open(fast.location(bad), "r+b") as file:
        file.write(b"damage")
    to, _ = synced(fast, slow)
    assert list(to.bad) == [bad]
    assert fast.location(bad) in to.bad[bad]
    assert len(to.copied) == 9
    assert not slow.has(bad)


def test_what_was_damaged_is_had_again_from_the_other_side(tiers):
    fast, slow = tiers
    fill(fast, keys(1))
    synced(fast, slow)
    with open(fast.location(keys(1)[0]), "r+b") as file:
        file.write(b"damage")
    os.unlink(slow.location(keys(1)[0]))
    synced(fast, slow)
    fill(slow, keys(1))
    synced(fast, slow)
    assert value_in(fast, keys(1)[0]) == "hash.1"


def test_a_copy_that_is_not_what_was_written_is_noticed(tiers, monkeypatch):
    fast, slow = tiers
    fill(fast, keys(1, 2))
    put = slow.put

    def put_badly(key, blob):
        put(key, entry("another", key) if key == keys(1)[0] else blob)

    monkeypatch.setattr(slow, "put", put_badly)
    to, _ = synced(fast, slow, verify=True)
    assert to.copied == keys(2)
    assert "not what was written" in to.bad[keys(1)[0]]


def test_a_copy_that_is_lost_is_noticed(tiers, monkeypatch):
    fast, slow = tiers
    fill(fast, keys(1))
    monkeypatch.setattr(slow, "put", lambda *_: None)
    assert "is not there" in synced(fast, slow, verify=True)[0].bad[keys(1)[0]]


def test_what_is_removed_meanwhile_is_no_error(tiers):
    fast, slow = tiers
    fill(fast, keys(1, 2))
    found = syncing.compare(fast, slow)
    fast.discard(keys(1)[0])
    syncing.copy(found.to)
    assert (found.to.copied, found.to.bad) == (keys(2), {})


def test_marks_go_with_what_has_arrived(tiers):
    fast, slow = tiers
    fill(fast, keys(1, 2))
    unsent = Unsent(Guarded(fast), slow.name)
    for key in keys(1, 2):
        unsent.add(key)
    Unsent(Guarded(fast), "elsewhere").add(KEY)
    synced(fast, slow)
    assert len(marks_in(fast.root)) == 1


def test_what_is_marked_is_sent_although_an_older_one_is_there(tiers):
    fast, slow = tiers
    fast.put(KEY, entry("new"))
    slow.put(KEY, entry("old"))
    Unsent(Guarded(fast), slow.name).add(KEY)
    synced(fast, slow)
    assert value_in(slow) == "new"


# ---------------------------------------------------------------- trust


def test_what_is_not_trusted_does_not_become_so(tiers):
    fast, slow = tiers
    own, planted = keys(0, 2, method="pickle")
    fill(fast, [own])
    fill(slow, [planted])
    os.chmod(slow.location(planted), 0o666)
    to, back = synced(fast, slow)
    assert to.copied == [own]
    assert back.copied == []
    assert "will not open" in back.bad[planted]
    assert not fast.has(planted)


def test_a_record_that_names_code_does_not_become_trusted(tiers):
    fast, slow = tiers
    form, chosen = FORMATS["npy"], keys(0, 2, 4)
    for key, kind in zip(chosen, ("code", "file", "code"), strict=True):
        payload = form.encode(1)
        details = {"traced": [[kind, "evil:run", "digest"]]}
        slow.put(key, seal(payload, Record(1.0, 1.0, payload.layout, details), key, form))
    for key in chosen[:2]:
        os.chmod(slow.location(key), 0o666)
    _, back = synced(fast, slow)
    assert sorted(back.copied) == sorted(chosen[1:])
    assert "names code" in back.bad[chosen[0]]


def test_a_signed_pickle_is_copied_from_anywhere(tmp_path):
    signer = Signer(b"secret")
    fast, slow = (DirectoryTier(str(tmp_path / name), signer=signer) for name in ("a", "b"))
    form, (key, unsigned) = FORMATS["pickle"], keys(0, 2, method="pickle")
    payload = form.encode(1)
    slow.put(key, seal(payload, Record(1.0, 1.0, payload.layout, {}), key, form, signer))
    fill(slow, [unsigned])
    os.chmod(slow.root, 0o777)
    _, back = synced(fast, slow)
    assert back.copied == [key]
    assert list(back.bad) == [unsigned]


def test_what_is_ours_is_signed_on_its_way(tmp_path):
    signer = Signer(b"secret")
    fast, slow = (DirectoryTier(str(tmp_path / name), signer=signer) for name in ("a", "b"))
    fill(fast, keys(0, method="pickle"))
    os.chmod(slow.root, 0o777)
    synced(fast, slow, signer=signer, verify=True)
    assert value_in(slow, keys(0, method="pickle")[0]) == "hash.0"


# ---------------------------------------------------------------- places that fail


def test_a_place_that_fails_is_told_and_not_tried_for_each_entry(tmp_path, tiers, monkeypatch):
    monkeypatch.setattr(syncing, "PATIENCE_SECONDS", 0.5)
    (tmp_path / "away").mkdir()
    away = Away(tmp_path / "away")
    fill(tiers[0], keys(*range(200)))
    found = syncing.compare(tiers[0], away)
    put, stored = away.put, []

    def put_some(key, blob):
        if len(stored) >= 50:
            raise OSError(113, "No route to host")
        stored.append(key)
        put(key, blob)

    monkeypatch.setattr(away, "put", put_some)
    with pytest.raises(CopyStopped, match="cannot be used now") as stop:
        syncing.copy(found.to)
    assert (stop.value.location, stop.value.copied) == (away.name, 50)
    assert len(entries_in(away.place)) == 50
    monkeypatch.setattr(away, "put", put)
    found = syncing.compare(tiers[0], away)
    assert len(found.to.missing) == 150
    syncing.copy(found.to)
    assert len(entries_in(away.place)) == 200


def test_a_place_that_comes_back_is_used_again(tmp_path, tiers, monkeypatch):
    (tmp_path / "away").mkdir()
    away = Away(tmp_path / "away")
    fill(tiers[0], keys(*range(30)))
    put, tries = away.put, []

    def put_later(key, blob):
        tries.append(key)
        if 10 < len(tries) < 15:
            raise OSError(113, "No route to host")
        put(key, blob)

    monkeypatch.setattr(away, "put", put_later)
    to, _ = synced(tiers[0], away, threads=4)
    assert (len(to.copied), to.bad) == (30, {})


def test_large_entries_are_copied(tiers):
    fast, slow = tiers
    fast.put(KEY, entry(np.arange(3_000_000)))
    to, _ = synced(fast, slow, verify=True)
    assert to.copied == [KEY]
    assert (value_in(slow) == np.arange(3_000_000)).all()
