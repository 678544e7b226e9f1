"""Who can make whom run what: real users, on real folders. `docs/security.rst` has these cases."""

import contextlib
import os
import pickle
import signal
import stat
import struct
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from neurotools.jobs import cache
from neurotools.memo.entry import Key, Record
from neurotools.memo.errors import UnknownChoice, UnusableKey
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.seal import seal
from neurotools.memo.signing import Signer
from neurotools.memo.tiers import trust
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.folders import PRIVATE
from tests.faults.damages import content, write
from tests.faults.users import LAB, ME, OTHER, THIRD, as_user, folder_of, ground, needs_root
from tests.faults.watch import said, within

__all__ = ["ground"]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such users or modes")


class Bomb:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return open, (self.mark, "w")


class Plain:
    """A value that is pickled, and equal to others of its content."""

    def __init__(self, content):
        self.content = content

    def __eq__(self, other):
        return self.content == other.content

    __hash__ = None


def decorated(root, **options):
    """Return a memoized function, and how often it has run."""
    computed = []

    @cache.disk_cacher(root, options.pop("method", "pickle"), True, **options)
    def f(x):
        computed.append(x)
        return Plain(x)

    return f, computed


def bomb_for(f, mark, signer=None):
    """Return where a call's entry is, and the bytes of one that runs code."""
    key = f._key((1,), {})
    form = FORMATS["pickle"]
    payload = form.encode(Bomb(mark))
    blob = seal(payload, Record(1.0, 1.0, payload.layout, {}), key, form, signer)
    return f.locate(1), b"".join(map(bytes, blob.parts))


def called(root, **options):
    """Call twice; return how often it was computed, and what was said."""
    with said() as warnings:
        f, computed = decorated(root, **options)
        assert [f(1), f(1)] == [Plain(1), Plain(1)]
    return len(computed), warnings


def plant(root, mark, mode=0o644, **options):
    """Put an entry that runs code where another user will look for his result."""
    f, _ = decorated(root, **options)
    path, bomb = bomb_for(f, mark)
    os.umask(0)
    for folder in (root, f.cache_root):
        with contextlib.suppress(PermissionError):
            os.chmod(folder, 0o777)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write(path, bomb)
    os.chmod(path, mode)


# ---------------------------------------------------------------- pickles of others


@needs_root
@pytest.mark.parametrize("mode", [0o777, 0o1777], ids=["open", "sticky"])
def test_a_planted_pickle_is_not_opened(ground, mode):
    mark, root = os.path.join(folder_of(ME, f"{ground}/home"), "mark"), f"{ground}/cache"
    folder_of(ME, root, mode)
    as_user(OTHER, plant, root, mark)
    computed, warnings = as_user(ME, called, root)
    assert computed == 2
    assert warnings
    assert not os.path.exists(mark)


@needs_root
def test_a_planted_pickle_in_a_root_that_another_has_made_is_not_opened(ground):
    mark = os.path.join(folder_of(ME, f"{ground}/home"), "mark")
    folder_of(OTHER, f"{ground}/his", 0o755)
    as_user(OTHER, plant, f"{ground}/his/cache", mark)
    computed, warnings = as_user(ME, called, f"{ground}/his/cache")
    assert computed == 2
    assert any(f"user {OTHER} owns it" in warning for warning in warnings)
    assert not os.path.exists(mark)


def own_entry(root):
    f, _ = decorated(root)
    return f(1).content


CHAIN = {
    "private": (0o755, ME, True),
    "sticky": (0o1777, 0, True),
    "others may write": (0o777, ME, False),
    "a group may write": (0o775, ME, False),
    "another's": (0o755, OTHER, False),
    "another's and sticky": (0o1777, OTHER, False),
    "root's and open": (0o777, 0, False),
}


@needs_root
@pytest.mark.parametrize("how", CHAIN)
def test_every_folder_above_counts(ground, how):
    """Whoever can write to a folder above can put another cache in the place of this one."""
    mode, owner, is_safe = CHAIN[how]
    folder_of(ME, f"{ground}/a", 0o755)
    folder_of(ME, f"{ground}/a/b", 0o755)
    as_user(ME, own_entry, f"{ground}/a/b/cache")
    folder_of(owner, f"{ground}/a", mode)
    computed, warnings = as_user(ME, called, f"{ground}/a/b/cache")
    assert (computed == 0) == is_safe
    assert (warnings == []) == is_safe
    assert is_safe or f"will not open {ground}/a:" in warnings[0]
    assert len(warnings) <= 1


@needs_root
@pytest.mark.parametrize(("owner", "is_safe"), [(ME, True), (0, True), (OTHER, False)])
def test_links_above_count_by_who_made_them(ground, owner, is_safe):
    folder_of(ME, f"{ground}/real", 0o700)
    as_user(ME, own_entry, f"{ground}/real/cache")
    os.symlink("real", f"{ground}/link")
    os.lchown(f"{ground}/link", owner, owner)
    computed, warnings = as_user(ME, called, f"{ground}/link/cache")
    assert (computed == 0) == is_safe
    assert is_safe or "made this link" in warnings[0]


@needs_root
def test_a_folder_that_is_opened_later_is_looked_at_again(ground, monkeypatch):
    def opened_later(root):
        f, computed = decorated(root)
        f(1), f(1)
        os.chmod(root + "/__neurotools_cache__", 0o777)
        time.sleep(trust.REMEMBERED_SECONDS + 0.1)
        f(1)
        return len(computed)

    folder_of(ME, f"{ground}/mine", 0o700)
    assert as_user(ME, opened_later, f"{ground}/mine") == 2


def test_a_folder_that_is_made_while_it_is_looked_at_is_no_reason_to_warn(tmp_path, monkeypatch):
    f, computed = decorated(tmp_path)
    f(1)
    folder, real = os.path.dirname(f.locate(1)), os.lstat
    os.rename(folder, f"{folder}-later")

    def later(path, **options):
        try:
            return real(path, **options)
        finally:
            if path == folder and os.path.exists(f"{folder}-later"):
                os.rename(f"{folder}-later", folder)

    tier = DirectoryTier(f.cache_root)
    monkeypatch.setattr(os, "lstat", later)
    assert tier.get(f._key((1,), {})).value() == Plain(1)
    assert len(computed) == 1


@needs_root
def test_a_file_that_others_may_write_is_not_opened(ground):
    def loosened(root):
        f, computed = decorated(root)
        f(1)
        os.chmod(f.locate(1), 0o666)
        f(1)
        return len(computed), stat.S_IMODE(os.stat(f.locate(1)).st_mode)

    folder_of(ME, f"{ground}/mine", 0o700)
    assert as_user(ME, loosened, f"{ground}/mine") == (2, 0o600)


@needs_root
def test_a_hard_link_to_a_file_of_ours_is_not_served_under_another_name(ground):
    """In a folder that others can write, our own old result could be linked to another call."""

    def linked(root):
        f, computed = decorated(root)
        f(1), f(2)
        os.unlink(f.locate(2))
        os.link(f.locate(1), f.locate(2))
        return f(2).content, len(computed)

    folder_of(ME, f"{ground}/mine", 0o700)
    assert as_user(ME, linked, f"{ground}/mine") == (2, 3)


@needs_root
def test_an_unreadable_entry_is_computed_and_replaced(ground):
    def unreadable(root):
        f, computed = decorated(root)
        f(1)
        os.chmod(f.locate(1), 0)
        with said() as warnings:
            assert [f(1).content, f(1).content] == [1, 1]
        return len(computed), len(warnings)

    folder_of(ME, f"{ground}/mine", 0o700)
    assert as_user(ME, unreadable, f"{ground}/mine") == (2, 1)


# ---------------------------------------------------------------- groups and owners


@needs_root
def test_trusted_owners_are_those_that_were_named(ground):
    folder_of(OTHER, f"{ground}/his", 0o755)

    def readable(root):
        f, _ = decorated(root)
        f(1)
        for folder, _, names in os.walk(root):
            os.chmod(folder, 0o755)
            for name in names:
                os.chmod(os.path.join(folder, name), 0o644)

    as_user(OTHER, readable, f"{ground}/his/cache")
    root = f"{ground}/his/cache"
    assert as_user(ME, lambda: called(root, trusted_owners=OTHER)[0]) == 0
    assert as_user(ME, lambda: called(root, trusted_owners=[THIRD, OTHER])[0]) == 0
    assert as_user(ME, lambda: called(root, trusted_owners=THIRD)[0]) == 2
    assert as_user(ME, lambda: called(root)[0]) == 2


def test_owners_by_name_are_looked_up():
    pwd = pytest.importorskip("pwd")
    me = pwd.getpwuid(os.getuid())
    assert trust.user_numbers(me.pw_name) == trust.user_numbers([me.pw_uid]) == {me.pw_uid}


@pytest.mark.parametrize("owner", ["no such user", "", -1, "a\0b"])
def test_an_owner_that_is_nobody_is_an_error(tmp_path, owner):
    with pytest.raises(ValueError, match="there is no user"):
        cache.disk_cacher(tmp_path, trusted_owners=[owner])


def test_an_owner_that_is_no_user_at_all_is_an_error(tmp_path):
    with pytest.raises(TypeError, match="neither the name nor the number"):
        cache.disk_cacher(tmp_path, trusted_owners=[2.5])


@needs_root
def test_a_group_of_one_is_its_user(ground, monkeypatch):
    """Many systems give each user a group, and let it write to what he makes."""
    folder_of(ME, f"{ground}/mine", 0o775)
    monkeypatch.setattr(trust, "_user_of", lambda group: group if group == ME else None)
    as_user(ME, own_entry, f"{ground}/mine/cache")
    assert as_user(ME, called, f"{ground}/mine/cache") == (0, [])
    os.chown(f"{ground}/mine", ME, LAB)
    assert as_user(ME, called, f"{ground}/mine/cache")[0] == 2


@needs_root
def test_a_list_that_grants_more_than_the_mode_shows_is_seen(ground, monkeypatch):
    """Where a list lets another user write, the mode shows only that the group may."""
    place = folder_of(ME, f"{ground}/mine", 0o755)
    as_user(ME, own_entry, f"{place}/cache")
    # Version 2; owner, another user, group, mask, others.
    entries = [(1, 7, -1), (2, 7, OTHER), (4, 5, -1), (16, 7, -1), (32, 5, -1)]
    packed = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", tag, rights, user & 0xFFFFFFFF) for tag, rights, user in entries
    )
    try:
        os.setxattr(place, "system.posix_acl_access", packed)
    except (OSError, AttributeError) as error:
        pytest.skip(f"no access control lists here: {error}")
    monkeypatch.setattr(trust, "_user_of", lambda group: group if group == ME else None)
    assert as_user(ME, called, f"{place}/cache")[0] == 2


def test_groups_of_one_are_told_by_name_and_members(monkeypatch):
    grp, pwd = pytest.importorskip("grp"), pytest.importorskip("pwd")
    users = {"ann": pwd.struct_passwd(("ann", "x", 7, 70, "", "", ""))}
    groups = {
        70: grp.struct_group(("ann", "x", 70, [])),
        71: grp.struct_group(("lab", "x", 71, [])),
        72: grp.struct_group(("ann", "x", 72, [])),
    }
    monkeypatch.setattr(grp, "getgrgid", groups.__getitem__)
    monkeypatch.setattr(pwd, "getpwnam", users.__getitem__)
    found = [trust._user_of.__wrapped__(group) for group in (70, 71, 72, 73)]
    assert found == [7, None, None, None]
    groups[70] = grp.struct_group(("ann", "x", 70, ["ann", "bob"]))
    assert trust._user_of.__wrapped__(70) is None


# ---------------------------------------------------------------- signatures


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "key"
    path.write_text("correct horse battery staple\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def open_cache(tmp_path):
    """Return a folder in which everybody can write."""
    place = tmp_path / "open"
    place.mkdir()
    place.chmod(0o777)
    return place


@pytest.mark.parametrize("compress", [None, "zstd"])
@pytest.mark.parametrize("mode", [None, "r", "c"])
def test_signed_pickles_are_opened_where_others_can_write(open_cache, key_file, compress, mode):
    options = {"key_file": key_file, "compress": compress, "mmap_mode": mode}
    assert called(open_cache, **options) == (1, [])
    assert called(open_cache, **options) == (0, [])
    computed, warnings = called(open_cache, compress=compress)
    assert (computed, len(warnings)) == (2, 1)


def test_a_key_may_stand_in_the_environment(open_cache, monkeypatch, key_file):
    monkeypatch.setenv("NEUROTOOLS_CACHE_KEY", key_file.read_text())
    assert called(open_cache) == (1, [])
    monkeypatch.delenv("NEUROTOOLS_CACHE_KEY")
    assert called(open_cache, key_file=key_file) == (0, [])
    monkeypatch.setenv("NEUROTOOLS_CACHE_KEY", "another key")
    assert called(open_cache)[0] == 1


def signature_in(file):
    """Return the signature of an entry: it stands before the record."""
    record_size = int.from_bytes(file[-48:-40], "little")
    return file[: -64 - record_size][-32:]


class Wrong(Signer):
    """Signs with what can be found in a file."""

    signed = b"a signature of 32 bytes, plainly"

    def sign(self, key, parts):
        return self.signed


FORGERIES = {
    "unsigned": lambda old, bomb, forged: bomb,
    "signed with another key": lambda old, bomb, forged: forged,
    "signed with zeros": lambda old, bomb, forged: forged.replace(Wrong.signed, bytes(32)),
    "signed for another": lambda old, bomb, forged: forged.replace(Wrong.signed, signature_in(old)),
}


@pytest.mark.parametrize("how", FORGERIES)
def test_forged_pickles_are_a_miss_with_one_warning(open_cache, key_file, tmp_path, how):
    f, computed = decorated(open_cache, key_file=key_file)
    f(1)
    path, bomb = bomb_for(f, str(tmp_path / "mark"))
    signer = (Wrong if "for" in how or "zeros" in how else Signer)(b"another key")
    _, forged = bomb_for(f, str(tmp_path / "mark"), signer)
    new = FORGERIES[how](content(path), bomb, forged)
    write(path, resealed(new, f._key((1,), {})))
    with said() as warnings:
        assert [f(1), f(1), f(1)] == [Plain(1)] * 3
    assert len(computed) == 2
    assert len(warnings) == 1
    assert "not signed with your key" in warnings[0]
    assert not (tmp_path / "mark").exists()


def resealed(file, key):
    """Return a file with the checksum that fits it: that is no secret."""
    import xxhash

    from neurotools.memo.seal import seed

    return file[:-16] + xxhash.xxh3_128_digest(file[:-16], seed(key))


def test_a_signature_covers_payload_record_seal_and_name(open_cache, key_file):
    f, computed = decorated(open_cache, key_file=key_file)
    f(1), f(2)
    key, other = f._key((1,), {}), f._key((2,), {})
    path, good = f.locate(1), content(f.locate(1))
    for byte in range(0, len(good) - 16, 3):
        new = bytearray(good)
        new[byte] ^= 1
        write(path, resealed(bytes(new), key))
        with said() as warnings:
            entry = f._hierarchy.tiers[0]
            assert f._hierarchy.get(key) is None, byte
        assert warnings or entry
    write(f.locate(2), resealed(good, other))
    assert f(2) == Plain(2)
    assert len(computed) == 3


def test_signed_pickles_open_without_us(open_cache, key_file):
    f, _ = decorated(open_cache, key_file=key_file)
    f(1)
    with open(f.locate(1), "rb") as file:
        assert pickle.load(file) == Plain(1)


def test_only_what_could_run_code_is_signed_and_other_files_stay_as_they_were():
    record = Record(1.0, 1.0, {}, {})
    for method in FORMATS:
        key, form = Key("pkg/f", "code", "hash.key", method), FORMATS[method]
        payload = form.encode(1)
        record = Record(1.0, 1.0, payload.layout, {})
        plain, signed = (
            seal(payload, record, key, form),
            seal(payload, record, key, form, Signer(b"k")),
        )
        assert signed.size - plain.size == (32 if method == "pickle" else 0)
        assert signed.size == len(b"".join(map(bytes, signed.parts)))


def test_unsigned_pickles_of_before_are_still_opened_in_private_folders(tmp_path, key_file):
    private = tmp_path / "private"
    assert called(private) == (1, [])
    assert called(private, key_file=key_file) == (0, [])


def test_a_signature_travels_with_promotion(tmp_path, open_cache, key_file):
    def calls(places):
        computed = []

        @cache.hierarchical_cacher(places, "pickle", key_file=key_file, allow_mutable_bindings=True)
        def f(x):
            computed.append(x)
            return Plain(x)

        return f(1).content, len(computed)

    slow = open_cache / "slow"
    assert calls([slow]) == (1, 1)
    assert calls([open_cache / "fast", slow]) == (1, 0)
    assert calls([open_cache / "fast"]) == (1, 0)
    assert calls(["ram://", slow]) == (1, 0)


def test_combining_signs_anew(open_cache, key_file):
    f, computed = decorated(open_cache, key_file=key_file)
    f(1)
    old = os.path.dirname(f.locate(1))
    before, key = f.keys.fingerprint.manifest, f._key((1,), {})
    tier = DirectoryTier(f.cache_root, signer=f.access["signer"])
    earlier = key._replace(code="earlier-code--")
    payload = FORMATS["pickle"].encode(Plain(1))
    record = Record(1.0, 1.0, payload.layout, {})
    tier.put(earlier, seal(payload, record, earlier, FORMATS["pickle"], f.access["signer"]))
    tier.put_manifest(earlier, before.to_json().encode())
    os.unlink(f.locate(1))
    assert os.path.isdir(old)
    assert len(cache.combine_caches(f.cache_root, f).merged) == 1
    assert f(1) == Plain(1)
    assert len(computed) == 1


def test_the_key_does_not_travel(open_cache, key_file, monkeypatch, tmp_path):
    signer = decorated(open_cache, key_file=key_file)[0].access["signer"]
    sent = pickle.dumps(signer)
    assert b"horse" not in sent
    assert "horse" not in repr(signer)
    assert pickle.loads(sent).has_key
    key_file.unlink()
    with said() as warnings:
        assert not pickle.loads(sent).has_key
    assert "nothing is signed" in warnings[0]
    monkeypatch.setenv("NEUROTOOLS_CACHE_KEY", "horse")
    sent = pickle.dumps(decorated(open_cache)[0].access["signer"])
    assert b"horse" not in sent
    assert pickle.loads(sent).has_key


BAD_KEYS = {
    "missing": lambda path: path.unlink(),
    "readable by others": lambda path: path.chmod(0o604),
    "writable by a group": lambda path: path.chmod(0o620),
    "empty": lambda path: path.write_text(" \n"),
    "long": lambda path: path.write_text("x" * 5000),
    "folder": lambda path: (path.unlink(), path.mkdir()),
    "fifo": lambda path: (path.unlink(), os.mkfifo(path, 0o600)),
    "device": lambda path: (path.unlink(), path.symlink_to("/dev/zero")),
}


@pytest.mark.parametrize("how", BAD_KEYS)
def test_a_key_file_must_be_private_and_hold_a_key(tmp_path, key_file, how):
    BAD_KEYS[how](key_file)
    with within(60), pytest.raises(UnusableKey, match="cannot sign with the key in"):
        cache.disk_cacher(tmp_path, key_file=key_file)


@needs_root
def test_a_key_file_of_another_user_is_refused(ground, tmp_path, key_file):
    os.chown(key_file, OTHER, OTHER)
    with pytest.raises(UnusableKey, match=f"user {OTHER} owns it"):
        cache.disk_cacher(tmp_path, key_file=key_file)


# ---------------------------------------------------------------- what else is read


@pytest.mark.parametrize("method", ["npy", "mat", "hdf5"])
def test_files_of_other_formats_run_nothing(tmp_path, method):
    """A pickle in place of an array, with a layout that says so, and a checksum that fits."""
    mark = tmp_path / "mark"
    f, computed = decorated(tmp_path / "cache", method=method)
    bomb = pickle.dumps(Bomb(str(mark)))
    array = np.array([Bomb(str(mark))], dtype=object)
    np.save(tmp_path / "o.npy", array, allow_pickle=True)
    for body in (bomb, content(tmp_path / "o.npy")):
        for layout in ({}, {"buffers": []}, {"zstd": {}}, {"structure": {"array": 0}}):
            plant_payload(f, method, body, layout)
            with said():
                assert isinstance(f(1), Plain)
    assert not mark.exists()
    assert len(computed) == 8


def plant_payload(f, method, body, layout):
    from neurotools.memo.formats.base import Payload

    key = f._key((1,), {})
    blob = seal(Payload((body,), layout), Record(1.0, 1.0, layout, {}), key, FORMATS[method])
    write_at(f.locate(1), b"".join(map(bytes, blob.parts)))


def write_at(path, new):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write(path, new)


def test_hdf5_files_lead_nowhere(tmp_path):
    """External links and virtual datasets are not followed: nothing in the file is."""
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["x"] = np.arange(3)
    for name in ("link", "virtual", "external"):
        with h5py.File(tmp_path / name, "w") as file:
            if name == "link":
                file["varargout"] = h5py.ExternalLink(str(secret), "x")
            elif name == "virtual":
                layout = h5py.VirtualLayout((3,), "i8")
                layout[:] = h5py.VirtualSource(str(secret), "x", (3,))
                file.create_virtual_dataset("varargout", layout)
            else:
                file.create_dataset("varargout", (3,), "i8", external=[(str(secret), 0, 24)])
        with pytest.raises(ValueError, match="layout"):
            FORMATS["hdf5"].decode(memoryview(content(tmp_path / name)), {})


def test_scanning_combining_and_listing_unpickle_nothing(open_cache, tmp_path):
    f, _ = decorated(open_cache)
    path, bomb = bomb_for(f, str(tmp_path / "mark"))
    write_at(path, bomb)
    earlier = os.path.join(os.path.dirname(os.path.dirname(path)), "earlier-code--")
    write_at(os.path.join(earlier, os.path.basename(path)), bomb)
    with said():
        cache.scan_cachedir(f.cache_root, "pickle"), f.lscache(), f.versions()
        assert not f.explain(1).hit
        assert not f.check_call_in_cache(1)
        assert not cache.combine_caches(f.cache_root, f).merged
        with pytest.raises(PermissionError, match="will not open"):
            cache.read_cache_entry(path, "pickle")
    assert not (tmp_path / "mark").exists()


def test_notes_are_believed_only_where_nobody_else_can_write(tmp_path):
    tier = DirectoryTier(str(tmp_path / "cache"))
    tier.keep_note("source-x", b"a note")
    assert tier.note("source-x") == b"a note"
    os.chmod(tier.root, 0o777)
    assert DirectoryTier(tier.root).note("source-x") is None
    os.chmod(tier.root, 0o700)
    path = os.path.join(tier.root, PRIVATE, "notes", "source-x")
    os.chmod(path, 0o666)
    assert DirectoryTier(tier.root).note("source-x") is None


MODULE = """
import pathlib
pathlib.Path({mark!r}).touch()
def g(): return 1
"""


@pytest.mark.parametrize(("mode", "is_loaded"), [(0o777, False), (0o700, True)])
def test_records_load_modules_only_where_nobody_else_can_write(
    tmp_path, monkeypatch, mode, is_loaded
):
    name = f"named_in_a_record_{mode}"
    (tmp_path / f"{name}.py").write_text(MODULE.format(mark=str(tmp_path / "mark")))
    monkeypatch.syspath_prepend(str(tmp_path))
    f, computed = decorated(tmp_path / "cache", method="npy", trace=True)
    f._function = lambda x: computed.append(x) or 5
    key = f._key((1,), {})
    payload = FORMATS["npy"].encode(5)
    details = {"traced": [["code", f"{name}:g", "a digest", ""]]}
    blob = seal(payload, Record(1.0, 1.0, {}, details), key, FORMATS["npy"])
    f._hierarchy.put(key, blob)
    os.chmod(f.cache_root, mode)
    assert f(1) == 5
    assert len(computed) == 1
    assert (tmp_path / "mark").exists() == is_loaded


# ---------------------------------------------------------------- modes


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def modes(root):
    """Return the modes of all folders and all files of a cache."""
    folders, files = {stat.S_IMODE(os.stat(root).st_mode)}, set()
    for place, below, names in os.walk(root):
        folders |= {stat.S_IMODE(os.stat(os.path.join(place, name)).st_mode) for name in below}
        files |= {stat.S_IMODE(os.stat(os.path.join(place, name)).st_mode) for name in names}
    return folders, files


@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o277, 0o777])
def test_what_is_made_is_private_whatever_the_umask(tmp_path, umask, mask):
    umask(mask)
    f, _ = decorated(tmp_path / "a" / "b")
    f(1), f(2)
    write(f.locate(1), b"damage")
    with said():
        f(1)
    umask(0o022)
    folders, files = modes(tmp_path / "a")
    assert folders == {0o700}
    assert files - {stat.S_IMODE(0o666 & ~mask), 0o644, 0o666} <= {0o600}
    assert stat.S_IMODE(os.stat(f.locate(1)).st_mode) == 0o600


@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o777])
def test_what_is_shared_with_a_group_has_its_modes(tmp_path, umask, mask):
    umask(mask)
    f, _ = decorated(tmp_path / "a", shared="group")
    f(1)
    umask(0o022)
    folders, files = modes(tmp_path / "a")
    assert folders == {0o2770}
    assert files == {0o660}


@needs_root
def test_the_group_is_that_of_the_folder(ground):
    folder_of(0, f"{ground}/lab", 0o770, LAB)
    f, _ = decorated(f"{ground}/lab/cache", shared="group")
    f(1)
    for place in (f.cache_root, os.path.dirname(f.locate(1)), f.locate(1)):
        assert os.stat(place).st_gid == LAB or place == f.cache_root
    folder_of(0, f"{ground}/set", 0o2770, LAB)
    f, _ = decorated(f"{ground}/set/cache", shared="group")
    f(1)
    for place in (f.cache_root, os.path.dirname(f.locate(1)), f.locate(1)):
        assert os.stat(place).st_gid == LAB


def test_there_are_no_other_ways_to_share(tmp_path):
    with pytest.raises(UnknownChoice, match="unknown shared 'all'; choose None or group"):
        cache.disk_cacher(tmp_path, shared="all")


# ---------------------------------------------------------------- folders where all can write


def shared_ground(ground, mode=0o1777):
    return folder_of(0, f"{ground}/all", mode)


@needs_root
def test_nobody_is_kept_waiting_by_a_lock_of_another(ground):
    place = f"{shared_ground(ground)}/__neurotools_cache__"

    def hold(root):
        import fcntl

        os.umask(0)
        os.makedirs(f"{root}/{PRIVATE}", 0o777)
        held = os.open(f"{root}/{PRIVATE}/locks", os.O_RDWR | os.O_CREAT, 0o666)
        taken, tell = os.pipe()
        child = os.fork()
        if child:
            os.read(taken, 1)
            return child
        fcntl.lockf(held, fcntl.LOCK_EX)
        os.write(tell, b"!")
        # Among them what tells that this user is done.
        os.closerange(0, held)
        os.closerange(held + 1, 65536)
        signal.alarm(120)
        signal.pause()
        os._exit(0)

    folder_of(OTHER, place, 0o1777)
    holder = as_user(OTHER, hold, place)
    try:

        def call():
            f, _ = decorated(f"{ground}/all", method="npy")
            f._function = lambda x: 5
            return f(1)

        # In less time than users are given; the lock is held for longer.
        assert as_user(ME, call) == 5
    finally:
        os.kill(holder, 9)


@needs_root
@pytest.mark.parametrize("what", ["module", PRIVATE, "writing", "notes"])
def test_links_of_others_are_not_gone_through(ground, what):
    """What we write, move or remove stays in the cache."""
    place = f"{shared_ground(ground, 0o777)}/__neurotools_cache__"
    folder_of(ME, place, 0o777)
    folder_of(ME, f"{ground}/home", 0o700)

    def link(root):
        names = {"module": "tests", "writing": f"{PRIVATE}/writing", "notes": f"{PRIVATE}/notes"}
        path = os.path.join(root, names.get(what, what))
        os.umask(0)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(f"{ground}/home", path)

    def work():
        with said() as warnings:
            f, computed = decorated(f"{ground}/all", method="npy")
            f._function = lambda x: computed.append(x) or 5
            assert [f(1), f(1)] == [5, 5]
            f.purge()
        return os.listdir(f"{ground}/home"), warnings

    as_user(OTHER, link, place)
    left, warnings = as_user(ME, work)
    assert left == []
    assert len(warnings) <= 2


@needs_root
def test_clearing_removes_nothing_behind_a_link_of_another(ground):
    folder_of(ME, f"{ground}/home", 0o755)
    place = f"{shared_ground(ground, 0o777)}"

    def precious():
        f, _ = decorated(f"{ground}/home")
        f(1)
        for folder, _, _ in os.walk(f"{ground}/home"):
            os.chmod(folder, 0o755)
        return os.path.dirname(f.locate(1)), f.locate(1)

    def link(target):
        f, _ = decorated(place)
        os.umask(0)
        version = cache.get_cache_path(f.cache_root, f).rstrip("/")
        os.makedirs(os.path.dirname(version))
        os.symlink(target, version)

    def purge(kept):
        f, _ = decorated(place)
        with said():
            f.purge()
        return os.path.exists(kept)

    os.umask(0o022)
    folder, kept = as_user(ME, precious)
    folder_of(ME, f"{place}/__neurotools_cache__", 0o777)
    as_user(OTHER, link, folder)
    assert as_user(ME, purge, kept)


def test_a_file_in_place_of_a_temporary_one_does_no_harm(tmp_path):
    tier = DirectoryTier(str(tmp_path / "cache"))
    victim = tmp_path / "victim"
    victim.write_text("precious")
    f, computed = decorated(tmp_path / "cache")
    f(0)
    from neurotools.memo.tiers.unfinished import _ALL

    names = _ALL[f.cache_root]
    folder = os.path.dirname(f.locate(0))
    for make in (os.symlink, os.link):
        taken = names.take(folder)
        make(victim, taken)
        names.give_back(taken)
        with said() as warnings:
            f(make.__name__), f(make.__name__)
        assert warnings == []
    assert len(computed) == 3
    assert victim.read_text() == "precious"
    assert tier.root


# ---------------------------------------------------------------- hostile names


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        ".",
        "..",
        "a/b",
        "../x",
        "/etc",
        "a\\b",
        "C:",
        "a\0b",
        "a\n",
        "x.",
        "x ",
        "con",
        "NUL.txt",
    ],
)
def test_identifiers_that_are_no_folder_names_are_refused(tmp_path, identifier):
    with pytest.raises(ValueError, match="cache_identifier"):
        cache.disk_cacher(tmp_path, cache_identifier=identifier)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("..", ".."),
        ("/etc", "passwd"),
        ("a..b", ""),
        ("", "f"),
        ("\0", "a\nb"),
        (".neurotools", "writing"),
        ("con", "aux.x"),
        ("m.", "x" * 5000),
        ("~", "$HOME"),
        ("\udcff", "\u202e"),
    ],
)
def test_functions_of_any_name_stay_in_the_cache(tmp_path, module, name):
    def f(x):
        return x

    f.__module__, f.__qualname__ = module, name
    remembered = cache.disk_cacher(tmp_path / "cache", "npy", True, False, False, True)(f)
    assert remembered(5) == 5
    path = os.path.realpath(remembered.locate(5))
    assert path.startswith(str(tmp_path / "cache" / "__neurotools_cache__") + os.sep)
    assert PRIVATE not in os.path.relpath(path, remembered.cache_root).split(os.sep)
    assert os.listdir(tmp_path) == ["cache"]


# ---------------------------------------------------------------- a lab that shares a cache

LAB_MEMBER = """
import os, sys
from neurotools.jobs.cache import disk_cacher

@disk_cacher(sys.argv[1], "pickle", shared="group")
def f(x):
    print("computed")
    return {x: {x}}

assert f(7) == {7: {7}}
f(int(sys.argv[2]))
f(int(sys.argv[2]))
"""


@needs_root
def test_two_users_share_a_cache_by_group_and_key(ground):
    """What the one has computed, the other does not compute again; a third gets in nowhere."""
    if subprocess.run(["setpriv", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("there is no setpriv here")
    folder_of(0, f"{ground}/lab", 0o2770, LAB)
    write(f"{ground}/member.py", textwrap.dedent(LAB_MEMBER).encode())
    os.chmod(f"{ground}/member.py", 0o644)

    def member(user, number, key="the lab's key"):
        command = [
            *("setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={LAB}"),
            *(sys.executable, f"{ground}/member.py", f"{ground}/lab/cache", str(number)),
        ]
        return subprocess.run(
            command,
            cwd="/",
            env={"PATH": os.environ["PATH"], "NEUROTOOLS_CACHE_KEY": key},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    first = member(ME, 1)
    if first.returncode and "assert" not in first.stderr and "memo" not in first.stderr:
        pytest.skip(f"other users cannot run this Python: {first.stderr}")
    assert (first.returncode, first.stdout.count("computed"), first.stderr) == (0, 2, "")
    second = member(OTHER, 2)
    assert (second.returncode, second.stdout.count("computed"), second.stderr) == (0, 1, "")
    third = member(THIRD, 1, key="a key of his own")
    assert third.returncode == 0
    assert third.stdout.count("computed") >= 2
    assert third.stderr.count("not signed with your key") == 2
