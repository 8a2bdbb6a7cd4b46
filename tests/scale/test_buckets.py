"""`s3://` buckets as source and target, against a server on this machine."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from examples.clip import write_clip

from program import safelight
from safelight.account import Account
from safelight.buckets import brought, expand_all, in_bucket, sent
from safelight.errors import Code, SafelightError
from safelight.outputs import Names
from tests.scale.chaos import make_card
from tests.scale.storm import cut_until_done, served, wrong_in

obstore = pytest.importorskip("obstore", reason="the extra `bucket` is not installed")
servers = pytest.importorskip("moto.server", reason="moto is not installed")
SENT = [".json", "-plan.json", "-report.html", "-report.json", "-sheet.png", ".mp4"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = servers.ThreadedMotoServer("127.0.0.1", 0)
    running.start()
    yield "http://{}:{}".format(*running.get_host_and_port())
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """An empty bucket called as the test's folder is, and an environment that leads there."""
    for name, value in {
        "AWS_ENDPOINT": server,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)
    name = f"footage-{abs(hash(tmp_path)) % 10**9}"
    made = obstore.store.HTTPStore.from_url(server, client_options={"allow_http": True})
    obstore.put(made, name, b"", use_multipart=False)
    store = obstore.store.S3Store(name)
    store.safelight_name = name
    return store


def names(store: Any) -> list[str]:
    return sorted(entry["path"] for many in obstore.list(store) for entry in many)


def test_from_a_bucket_into_a_bucket_once(bucket: Any, tmp_path: Path) -> None:
    clip = tmp_path / "walk.mp4"
    write_clip(clip, 192, 108, 0.6)
    obstore.put(bucket, "card/day one/walk.mp4", clip)
    url, table = f"s3://{bucket.safelight_name}", f"sqlite:///{tmp_path / 'jobs.db'}"
    words = ("protect", "--quick", "-q", "--table", table, "-o", f"{url}/copies", f"{url}/card")
    ran = safelight(*words)
    assert ran.status == 0, ran.err
    stem = "copies/day one/walk.safelight"
    assert names(bucket) == sorted(["card/day one/walk.mp4", *(stem + end for end in SENT)])
    account = Account.model_validate_json(bytes(obstore.get(bucket, f"{stem}.json").bytes()))
    assert account.copy_.size == obstore.head(bucket, f"{stem}.mp4")["size"]
    before = obstore.head(bucket, f"{stem}.mp4")["last_modified"]
    again = safelight(*words)
    assert again.status == 0, again.err
    assert "already done" in again.err
    assert obstore.head(bucket, f"{stem}.mp4")["last_modified"] == before
    assert "--table" in safelight("protect", "-o", f"{url}/copies", clip).err


def test_a_refusal_takes_an_earlier_copy_out_of_the_bucket(bucket: Any) -> None:
    place = Names(Path(f"s3://{bucket.safelight_name}/out"), "walk")
    for name in ("out/walk.safelight.json", "out/walk.safelight.mp4", "out/walk.safelight-plan.json"):
        obstore.put(bucket, name, name.encode())

    def refused() -> None:
        with sent(place) as local:
            assert local.plan.read_bytes() == b"out/walk.safelight-plan.json"
            local.account.unlink()
            local.copy(".mp4").unlink()
            local.report.write_text("why")
            raise SafelightError(Code.LEAK, "seen")

    with pytest.raises(SafelightError):
        refused()
    assert names(bucket) == ["out/walk.safelight-plan.json", "out/walk.safelight-report.html"]


def test_what_somebody_else_sent_meanwhile_stays(bucket: Any) -> None:
    place = Names(Path(f"s3://{bucket.safelight_name}/out"), "walk")

    def late() -> None:
        with sent(place) as local:
            obstore.put(bucket, "out/walk.safelight.json", b"theirs")
            local.copy(".mp4").write_bytes(b"mine")
            local.account.write_bytes(b"mine")

    with pytest.raises(SafelightError) as refused:
        late()
    assert refused.value.code is Code.BUCKET
    assert names(bucket) == ["out/walk.safelight.json"]
    assert bytes(obstore.get(bucket, "out/walk.safelight.json").bytes()) == b"theirs"


def test_names_in_a_bucket_lead_nowhere_else(bucket: Any, tmp_path: Path) -> None:
    for key in ("a/plain.mp4", "a/b/deep.mp4", "a/copies/made.mp4"):
        obstore.put(bucket, key, b"film")
    root = Path(f"s3://{bucket.safelight_name}")
    items = list(expand_all([root / "a", tmp_path], leave_out=root / "a" / "copies"))
    assert [(str(item.path.relative_to(root)), str(item.below)) for item in items] == [
        ("a/b/deep.mp4", "b"),
        ("a/plain.mp4", "."),
    ]
    assert all(in_bucket(item.path) for item in items)
    from safelight.buckets import _item

    assert _item(root, "", "../../etc/x.mp4").below == Path()


def test_a_bucket_that_is_not_there(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SafelightError) as refused, brought(Path(f"s3://{bucket.safelight_name}/no.mp4")):
        pass
    assert refused.value.code is Code.NOT_FOUND
    with pytest.raises(SafelightError) as refused:
        list(expand_all([Path("s3://no-such-bucket-here")], leave_out=Path("out")))
    assert refused.value.code in (Code.BUCKET, Code.NOT_FOUND)


def test_nothing_asks_for_keys_that_the_environment_lacks(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without them a cloud's own address would be asked, which nobody named."""
    from safelight.buckets import _store

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    _store.cache_clear()
    assert _store("anything").config["skip_signature"] in (True, "true")
    _store.cache_clear()


def test_a_line_that_is_cut_leaves_nothing_half_done(tmp_path: Path) -> None:
    """Two clips; `python -m benchmarks.chaos --bucket` is the long one."""
    make_card(tmp_path / "card", 2)
    table = f"sqlite:///{tmp_path / 'jobs.db'}"
    with served() as (line, store):
        struck = cut_until_done(tmp_path / "card", table, line, store, strikes=4, dice=random.Random(3))
        assert sum(struck.values()) == 4
        assert not wrong_in(store, tmp_path / "card", table, finished=True)
