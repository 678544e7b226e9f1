"""Tiers at URLs: the promises of all tiers on real servers, and what is theirs alone."""

import io
import multiprocessing
import pickle
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from neurotools.jobs.cache import disk_cacher
from neurotools.memo.entry import Blob
from neurotools.memo.errors import CorruptEntry, MissingDriver, UntrustedEntry
from neurotools.memo.formats.compressed import Compressed
from neurotools.memo.formats.registry import FORMATS
from neurotools.memo.hierarchy import Hierarchy
from neurotools.memo.seal import seal
from neurotools.memo.signing import Signer
from neurotools.memo.tiers import filesystems, objects
from neurotools.memo.tiers.directory import DirectoryTier
from neurotools.memo.tiers.filesystems import hidden, own_options
from neurotools.memo.tiers.guarded import Guarded
from tests.memo.tiers.promises import KEY, Record, TierPromises, entry, value_in

pytest.importorskip("fsspec")

from neurotools.memo.tiers.remote import RemoteTier

PICKLE = KEY._replace(method="pickle")
SIGNER = Signer(b"a secret")


@pytest.fixture
def tier(s3, bucket):
    return RemoteTier(f"s3://{bucket}/cache", storage_options=s3.options, signer=SIGNER)


@pytest.fixture
def counted(proxy, bucket, s3):
    """Return a tier behind a proxy, whose client is there already."""
    tier = RemoteTier(f"s3://{bucket}/cache", storage_options=s3.options_at(proxy.url))
    assert tier.get(KEY) is None
    proxy.count()
    return tier


def sftp_tier(port, folder, **options):
    login = {"username": "somebody", "password": "secret", "port": port}
    return RemoteTier(f"sftp://127.0.0.1{folder}", storage_options=login, **options)


class _RemotePromises(TierPromises):
    @pytest.mark.parametrize("method", list(FORMATS))
    def test_entries_of_all_methods_are_kept_side_by_side(self, tier, method):
        key = KEY._replace(method=method)
        form = FORMATS[method]
        payload = form.encode(2.0)
        tier.put(KEY, entry(1))
        tier.put(key, seal(payload, Record(2.0, 1.0, payload.layout), key, form, SIGNER))
        assert value_in(tier, key) == 2.0

    def test_marks_are_made_by_one_alone(self, tier):
        marks = tier.marks
        assert marks.is_exclusive
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda n: marks.create("leases/a", b"%d" % n), range(8)))
        assert made.count(True) == 1
        assert marks.read("leases/a") == b"%d" % made.index(True)
        marks.keep("leases/a", b"again")
        assert marks.read("leases/a") == b"again"
        assert marks.names("leases") == ["leases/a"]
        for _ in range(2):
            marks.drop("leases/a")
        assert marks.read("leases/a") is None
        assert marks.names("leases") == []

    def test_marks_are_no_entries(self, tier):
        tier.marks.keep("x/y/z.npy", b"1")
        assert list(tier.keys()) == []

    def test_a_manifest_is_kept_once(self, tier):
        assert tier.get_manifest(KEY.function, KEY.code) is None
        tier.put_manifest(KEY, b"first")
        tier.put_manifest(KEY, b"second")
        assert tier.get_manifest(KEY.function, KEY.code) == b"first"
        assert list(tier.keys()) == []

    def test_it_travels(self, tier):
        tier.put(KEY, entry(1))
        assert value_in(pickle.loads(pickle.dumps(tier))) == 1


class TestS3(_RemotePromises):
    pass


class TestMemory(_RemotePromises):
    @pytest.fixture
    def tier(self):
        return RemoteTier(f"memory://{secrets.token_hex(8)}", signer=SIGNER)


class TestSftp(_RemotePromises):
    @pytest.fixture
    def tier(self, sftp_port, tmp_path):
        return sftp_tier(sftp_port, tmp_path / "cache", signer=SIGNER)


# ---------------------------------------------------------------- what lies there


def test_an_object_is_the_file_of_a_folder(s3, tier, tmp_path):
    value = np.arange(10_000.0)
    tier.put(KEY, entry(value))
    folder = DirectoryTier(str(tmp_path))
    folder.put(KEY, entry(value))
    place = f"{tier._store._root}/{KEY.path}"
    content = s3.system().cat_file(place)
    assert content == (tmp_path / KEY.path).read_bytes()
    assert (np.load(io.BytesIO(content)) == value).all()
    assert tier.location(KEY) == f"s3://{place}"


def test_an_entry_of_more_than_100_megabytes(s3, tier, proxy, bucket):
    value = np.random.default_rng(0).integers(0, 9, 13_200_000)
    tier.put(KEY, entry(value))
    assert (value_in(tier) == value).all()
    other = RemoteTier(tier._url, storage_options=s3.options_at(proxy.url))
    assert (value_in(other) == value).all()
    assert proxy.count("GET") == 1 + -(-(tier.size(KEY) - objects.FIRST) // objects.READ_PART)
    other.put(KEY, entry(value))
    assert proxy.count("PUT") == -(-tier.size(KEY) // objects.WRITE_PART)


@pytest.mark.parametrize("size", [objects.FIRST - 1, objects.FIRST, objects.FIRST + 1])
def test_sizes_at_which_one_request_becomes_several(tier, size):
    content = np.random.default_rng(size).bytes(size)
    tier._store.write("x/y", Blob((content,), size))
    if size > objects.FIRST:
        with pytest.raises(CorruptEntry, match="does not end with a seal"):
            tier._store.read("x/y")  # nobody reads on who does not find an entry's end
    else:
        assert tier._store.read("x/y") == content
    assert tier._store.end("x/y", 100) == content[-100:]


@pytest.mark.parametrize("method", ["npy", "pickle"])
def test_compressed_entries(tier, method):
    key, form = KEY._replace(method=method), Compressed(FORMATS[method], 3)
    payload = form.encode(np.zeros(100_000))
    blob = seal(payload, Record(2.0, 1.0, payload.layout), key, form, SIGNER)
    assert blob.size < 10_000
    tier.put(key, blob)
    assert (value_in(tier, key) == np.zeros(100_000)).all()


def test_an_empty_object_is_no_entry(s3, tier):
    tier._store.write(KEY.path, Blob((b"",), 0))
    with pytest.raises(CorruptEntry, match="too few"):
        tier.get(KEY)
    assert not tier.has(KEY)
    assert tier.size(KEY) == 0


def test_what_others_put_there_stays(s3, tier):
    system = s3.system()
    system.pipe_file(f"{tier._store._root}/{KEY.path}", b"somebody's own" * 100)
    for _ in range(2):
        with pytest.raises(CorruptEntry, match="does not end with a seal"):
            tier.get(KEY)
    system.pipe_file(f"{tier._store._root}/pkg/f/code/notes.txt", b"mine")
    system.pipe_file(f"{tier._store._root}/pkg/f/code/below/x.npy", b"mine")
    tier.put(KEY, entry(1))
    assert value_in(tier) == 1
    assert tier.clear("pkg/f", "code") == {"hash.key.npy"}
    assert len(system.find(tier._store._root)) == 2


def test_a_damaged_object_is_replaced(s3, tier, caplog):
    hierarchy = Hierarchy([tier])
    tier.put(KEY, entry(1))
    place = f"{tier._store._root}/{KEY.path}"
    content = bytearray(s3.system().cat_file(place))
    content[3] ^= 1
    s3.system().pipe_file(place, bytes(content))
    assert hierarchy.get(KEY) is None
    assert hierarchy.get(KEY) is None
    assert len(caplog.records) == 1
    hierarchy.put(KEY, entry(2))
    assert value_in(hierarchy) == 2


def test_an_entry_under_another_name_does_not_open(s3, tier):
    tier.put(KEY, entry(1))
    other = KEY._replace(call="hash.other")
    s3.system().cp_file(f"{tier._store._root}/{KEY.path}", f"{tier._store._root}/{other.path}")
    for look in (tier.get, tier.record):
        with pytest.raises(CorruptEntry):
            look(other)


def test_parts_of_an_unfinished_upload_are_removed_when_they_are_old(s3, tier, bucket, monkeypatch):
    # This server says of all uploads that they began in 2010.
    system, size = s3.system(), 2 * objects.WRITE_PART
    system.call_s3("create_multipart_upload", Bucket=bucket, Key=f"cache/{KEY.path}")
    monkeypatch.setattr("neurotools.memo.tiers.s3.LEFT_OVER_SECONDS", 1e9)
    tier._store.write("large", Blob((bytes(size),), size))
    assert len(system.list_multipart_uploads(bucket)) == 1
    monkeypatch.undo()
    again = RemoteTier(tier._url, storage_options=s3.options)
    again._store.write("large", Blob((bytes(size),), size))
    assert system.list_multipart_uploads(bucket) == []


def test_what_killed_processes_left_on_a_file_system_is_removed(sftp_port, tmp_path, monkeypatch):
    writing = tmp_path / "cache" / ".neurotools" / "writing"
    writing.mkdir(parents=True)
    (writing / "left").write_bytes(b"half")
    sftp_tier(sftp_port, tmp_path / "cache").put(KEY, entry(1))
    assert (writing / "left").exists()
    monkeypatch.setattr("neurotools.memo.tiers.stores.LEFT_OVER_SECONDS", -10.0)
    sftp_tier(sftp_port, tmp_path / "cache").put(KEY, entry(1))
    assert list(writing.iterdir()) == []


# ---------------------------------------------------------------- requests


def test_a_hit_a_miss_and_a_store_are_one_request_each(proxy, counted):
    counted.put(KEY, entry(np.zeros(10**6)))
    assert proxy.count() == 1
    counted.get(KEY).value()
    assert proxy.count() == 1
    assert counted.get(KEY._replace(call="none")) is None
    assert proxy.count() == 1


@pytest.mark.parametrize("look", ["has", "size", "record"])
def test_a_look_is_one_request(proxy, counted, look):
    counted.put(KEY, entry(1))
    proxy.count()
    for key in (KEY, KEY._replace(call="none")):
        getattr(counted, look)(key)
        assert proxy.count() == 1


def test_a_store_without_the_condition_is_noticed_at_the_first_mark(counted, monkeypatch):
    async def write(system, place, content):
        await system._pipe_file(place, content)

    monkeypatch.setattr(counted._store, "_create", write)
    assert counted.marks.is_exclusive
    assert counted.marks.create("leases/a", b"one")
    assert not counted.marks.is_exclusive
    assert not counted.marks.create("leases/a", b"two")
    assert counted.marks.create("leases/b", b"two")


def test_a_call_makes_few_requests(proxy, bucket, s3):
    f = disk_cacher(f"s3://{bucket}/x", storage_options=s3.options_at(proxy.url))(lambda x: 2 * x)
    f(1)
    proxy.count()
    f(2)
    # Is it there, is it there by now, here it is; besides, the lease is taken and given back.
    asked = list(proxy.asked)
    assert [one.split()[0] for one in asked if "/leases/" not in one] == ["GET", "GET", "PUT"]
    assert proxy.count() <= 5
    f(2)
    assert proxy.count() == 1


def test_versions_are_told_with_few_requests(proxy, bucket, s3):
    f = disk_cacher(f"s3://{bucket}/x", storage_options=s3.options_at(proxy.url))(lambda x: 2 * x)
    for number in range(5):
        f(number)
    proxy.count()
    (version,) = f.versions()
    assert proxy.count() == 1
    assert (version.entries, version.size_bytes > 500) == (5, True)


def test_many_entries_are_listed_and_removed_with_few_requests(proxy, counted, monkeypatch):
    monkeypatch.setattr("neurotools.memo.tiers.s3._MOST_KEYS", 20)
    keys = [KEY._replace(call=f"hash.{number}") for number in range(30)]
    for key in keys:
        counted.put(key, entry(1, key))
    proxy.count()
    assert set(counted.keys()) == set(keys)
    assert proxy.count() == 2
    assert len(counted.clear(KEY.function, KEY.code)) == 30
    assert proxy.count() == 4
    assert list(counted.keys()) == []


def test_a_listing_is_never_an_old_one(s3, tier):
    assert list(tier.keys()) == []
    s3.system().pipe_file(f"{tier._store._root}/{KEY.path}", b"x")
    assert list(tier.keys()) == [KEY]


# ---------------------------------------------------------------- trust


def signed(value, signer):
    form = FORMATS["pickle"]
    payload = form.encode(value)
    return seal(payload, Record(2.0, 1.0, payload.layout), PICKLE, form, signer)


@pytest.mark.parametrize("signer", [None, Signer(b"another")])
def test_a_pickle_is_opened_only_if_it_is_signed(tier, signer):
    tier.put(PICKLE, signed({1}, signer))
    for look in (tier.get, tier.require_trust):
        with pytest.raises(UntrustedEntry, match="key_file="):
            look(PICKLE)
    tier.put(PICKLE, signed({1}, SIGNER))
    assert value_in(tier, PICKLE) == {1}


def test_pickles_that_nobody_signed_are_told_of_once(s3, bucket, caplog):
    hierarchy = Hierarchy([RemoteTier(f"s3://{bucket}/cache", storage_options=s3.options)])
    for call in ("a", "b", "c"):
        hierarchy.put(PICKLE, signed({1}, None))
        assert hierarchy.get(PICKLE._replace(call=call)) is None
    assert len(caplog.records) == 1
    assert "key_file=" in caplog.text


def test_passwords_are_not_shown():
    assert hidden("sftp://me:secret@host/x") == "sftp://me:***@host/x"
    assert hidden("sftp://me:s@cret:@host/x@y") == "sftp://me:***@host/x@y"
    assert hidden("s3://bucket/a@b:c@d") == "s3://bucket/a@b:c@d"


# ---------------------------------------------------------------- options


def test_options_are_for_all_urls_or_for_each_scheme():
    assert own_options("s3", None) == {}
    assert own_options("s3", {"key": "x"}) == {"key": "x"}
    assert own_options("s3", {"s3": {"key": "x"}, "gs": {}}) == {"key": "x"}
    assert own_options("sftp", {"s3": {"key": "x"}}) == {}
    assert own_options("s3", {"client_kwargs": {"region_name": "x"}}) != {}


def test_options_that_mix_both_are_refused():
    with pytest.raises(ValueError, match="'key' beside it"):
        own_options("s3", {"s3": {"anon": True}, "key": "x"})
    for make in (lambda given: own_options("s3", given), _memory_with):
        with pytest.raises(TypeError, match="give a dict"):
            make("key=x")


def _memory_with(options):
    return RemoteTier("memory://x", storage_options=options)


def test_what_the_user_chose_stays(s3, bucket):
    chosen = {**s3.options, "config_kwargs": {"connect_timeout": 77, "retries": {"mode": "legacy"}}}
    tier = RemoteTier(f"s3://{bucket}/x", storage_options=chosen, patience=3)
    made = tier._store._systems._options["config_kwargs"]
    assert made["connect_timeout"] == 77
    assert made["retries"] == {"mode": "legacy"}
    assert made["read_timeout"] == 6


def test_a_missing_driver_is_named(monkeypatch):
    def gone(scheme):
        raise ImportError("no module")

    monkeypatch.setattr("fsspec.get_filesystem_class", gone)
    with pytest.raises(MissingDriver, match=r"pip install 'neurotools\[remote\]' gcsfs"):
        RemoteTier("gs://bucket/x")
    monkeypatch.setattr(filesystems, "find_spec", lambda _: None)
    with pytest.raises(MissingDriver, match=r"pip install 'neurotools\[remote\]'$"):
        RemoteTier("s3://bucket/x")


def test_what_a_driver_asks_for_later_is_named_at_once(monkeypatch):
    found = filesystems.find_spec
    monkeypatch.setattr(filesystems, "find_spec", lambda n: None if n == "pyarrow" else found(n))
    with pytest.raises(MissingDriver, match=r"pip install 'neurotools\[remote\]' pyarrow"):
        RemoteTier("hdfs://host/x")


def test_credentials_that_are_there_later_are_used(s3, bucket, tmp_path, monkeypatch):
    for name, value in (("HOME", tmp_path), ("AWS_EC2_METADATA_DISABLED", "true")):
        monkeypatch.setenv(name, str(value))
    options = {"endpoint_url": s3.url}
    tier = RemoteTier(f"s3://{bucket}/x", storage_options=options)
    with pytest.raises(PermissionError, match="there are no credentials"):
        tier.put(KEY, entry(1))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    tier.put(KEY, entry(1))
    assert value_in(tier) == 1


def test_tiers_with_other_credentials_are_not_left_alone_with_those_that_were_refused(bucket):
    one, same, other = (
        RemoteTier(f"s3://{bucket}/x", storage_options={"key": key, "secret": "x"}) for key in "aab"
    )
    assert one.health is same.health
    assert one.health is not other.health


# ---------------------------------------------------------------- threads and processes


def test_many_threads_share_a_tier(tier):
    guarded = Guarded(tier)

    def use(number):
        key = KEY._replace(call=f"hash.{number % 8}")
        guarded.put(key, entry(np.full(1000, number % 8), key))
        return int(value_in(guarded, key)[0])

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(use, range(64))) == [number % 8 for number in range(64)]


def test_many_threads_share_a_file_system(sftp_port, tmp_path):
    tier = sftp_tier(sftp_port, tmp_path)

    def use(number):
        key = KEY._replace(call=f"hash.{number % 4}")
        tier.put(key, entry(np.full(50_000, number % 4), key))
        return int(value_in(tier, key)[-1])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(use, range(32))) == [number % 4 for number in range(32)]


def _use_elsewhere(tier, number, answers):
    key = KEY._replace(call=f"hash.{number}")
    tier.put(key, entry(number, key))
    answers.put((value_in(tier, key), value_in(tier)))


_STARTS = multiprocessing.get_all_start_methods()


@pytest.mark.parametrize(
    ("kind", "method"), [*(("s3", start) for start in _STARTS), ("sftp", _STARTS[0])]
)
def test_other_processes_use_a_tier_that_was_used_here(kind, method, tier, sftp_port, tmp_path):
    tier = tier if kind == "s3" else sftp_tier(sftp_port, tmp_path)
    tier.put(KEY, entry("here"))
    assert value_in(tier) == "here"
    context = multiprocessing.get_context(method)
    answers = context.Queue()
    others = [context.Process(target=_use_elsewhere, args=(tier, n, answers)) for n in range(2)]
    for other in others:
        other.start()
    told = sorted(answers.get(timeout=60) for _ in others)
    for other in others:
        other.join(60)
    assert told == [(0, "here"), (1, "here")]
    assert [other.exitcode for other in others] == [0, 0]
    assert value_in(tier) == "here"


def test_threads_that_ask_for_the_first_client_share_it(s3, bucket):
    tier = RemoteTier(f"s3://{bucket}/x", storage_options={**s3.options, "max_concurrency": 7})
    made, together = [], threading.Barrier(8)

    def ask(_):
        together.wait()
        with tier._store._systems.lent() as system:
            made.append(system)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert len(set(map(id, made))) == 1
