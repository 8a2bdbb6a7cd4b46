"""Taking in a card: everything sealed, the card only read, interruptions continued, known things recognised."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

import pytest
from benchmarks.killing import Quiet

from custody.conftest import FILES, Desk
from safelight.custody.catalogue import Catalogue
from safelight.custody.disk import Sink
from safelight.custody.intake import Came, intake
from safelight.custody.known import read_known
from safelight.custody.lend import lent
from safelight.custody.seal import NotSealed, seal_stream, unseal_stream
from safelight.errors import Code, SafelightError
from safelight.inputs import Original


def contents(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_everything_is_sealed_and_the_card_is_only_read(desk: Desk) -> None:
    before = contents(desk.card)
    read = {path: path.stat().st_atime_ns for path in desk.card.rglob("*") if path.is_file()}
    arrived = desk.take_in()
    assert [one.came for one in arrived] == [Came.SEALED] * len(FILES)
    assert {path: path.stat().st_atime_ns for path in read} == read
    assert contents(desk.card) == before
    with desk.open() as case:
        clips = case.catalogue.clips()
        assert {clip.path for clip in clips} == set(FILES)
        for clip in clips:
            data = (desk.card / clip.path).read_bytes()
            assert (clip.size, clip.sha256) == (len(data), hashlib.sha256(data).hexdigest())
            with lent(case, clip, "test") as original:
                assert original.sha256() == clip.sha256


def test_who_holds_only_the_folder_reads_no_byte_and_no_name(filled: Desk) -> None:
    """No secret here is shorter than four bytes: three stand in sealed bytes by chance now and then."""
    assert filled.case.exists()
    for path in filled.case.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        for secret in (b"SECRET", b"MOV_0001", b"DCIM", b"TIMESET", b'"S1"', b"anna", b"sealed", b"plan changed"):
            assert secret not in data, path
            assert secret.decode().strip() not in path.name


def test_duplicates_are_recognised_and_noted_once(desk: Desk) -> None:
    desk.take_in()
    copy = desk.card / "again.mp4"
    shutil.copy(desk.card / "DCIM/100/MOV_0001.mp4", copy)
    first = desk.take_in(copy, source="S2")
    assert [one.came for one in first] == [Came.DUPLICATE]
    second = desk.take_in(copy, source="S2")
    assert [(one.came, one.clip) for one in second] == [(Came.ALREADY, first[0].clip)]
    with desk.open() as case:
        assert len(case.catalogue.clips()) == len(FILES)
        assert [a.path for a in case.catalogue.arrivals("S2")] == ["again.mp4"]


def test_a_file_of_the_same_size_is_no_duplicate(desk: Desk) -> None:
    (desk.card / "x").write_bytes(b"1234")
    (desk.card / "y").write_bytes(b"1235")
    assert Came.DUPLICATE not in {one.came for one in desk.take_in()}


def test_an_interrupted_intake_goes_on_without_reading_again(desk: Desk) -> None:
    with desk.open() as case:
        going = intake(case, [desk.card], "S1", known={}, watch=lambda _: Quiet())
        done = [next(going), next(going)]
        going.close()
    for one in done:  # were they read again, they would now be another clip
        facts = one.path.stat()
        one.path.write_bytes(bytes(facts.st_size))
        os.utime(one.path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    arrived = desk.take_in()
    assert [one.came for one in arrived] == [Came.ALREADY, Came.ALREADY, Came.SEALED]
    # the intake has ended; the next one reads everything, whatever name, size and time say
    assert Came.SEALED in {one.came for one in desk.take_in()}


def test_published_material_is_recognised_and_still_sealed(desk: Desk, tmp_path: Path) -> None:
    path = desk.card / "DCIM/100/MOV_0002.mp4"
    listed = tmp_path / "known"
    listed.write_text(f"# theirs\n{hashlib.sha256(path.read_bytes()).hexdigest().upper()}  clip of 3 May\n\n")
    arrived = {one.path: one for one in desk.take_in(known=read_known(listed).hashes)}
    assert (arrived[path].known, arrived[path].came) == (("clip of 3 May",), Came.SEALED)
    with desk.open() as case:
        assert [clip.known for clip in case.catalogue.clips() if clip.known] == [["clip of 3 May"]]


def test_what_cannot_be_taken_in_is_refused_alone(desk: Desk) -> None:
    (desk.card / "empty").touch()
    os.mkfifo(desk.card / "pipe")
    arrived = {one.path.name: one for one in desk.take_in()}
    assert {name: one.refusal.code for name, one in arrived.items() if one.refusal} == {
        "empty": Code.EMPTY,
        "pipe": Code.NOT_A_FILE,
    }
    assert sum(one.came is Came.SEALED for one in arrived.values()) == len(FILES)


class Pulled:
    """A card that is pulled out when the second file has been read half."""

    def __init__(self, card: Path) -> None:
        self.card, self.files = card, 0

    def stage(self, name: str) -> None:
        self.files += 1

    def progress(self, done: int, total: int | None) -> None:
        if self.files == 2:
            self.card.rename(self.card.with_name("elsewhere"))
            raise SafelightError(Code.UNREADABLE, "It could not be read: Input/output error.")


def test_a_card_pulled_out_half_way_loses_nothing_and_the_same_command_goes_on(desk: Desk) -> None:
    pulled = Pulled(desk.card)
    with desk.open() as case:
        arrived = list(intake(case, [desk.card], "S1", known={}, watch=lambda _: pulled))
    assert [one.came for one in arrived] == [Came.SEALED, Came.REFUSED, Came.REFUSED]
    assert all(one.refusal.code in (Code.UNREADABLE, Code.NOT_FOUND) for one in arrived if one.refusal)
    assert not list((desk.case / "work").iterdir())
    desk.card.with_name("elsewhere").rename(desk.card)
    assert sorted(one.came for one in desk.take_in()) == sorted([Came.ALREADY, Came.SEALED, Came.SEALED])


def test_a_card_that_fails_inside_a_file_loses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error comes out of the thread that reads ahead, after some of the file is sealed already."""
    (desk.card / "LONG.MP4").write_bytes(os.urandom(5 << 20))
    real, reads = os.readv, [0]

    def readv(descriptor: int, buffers: list[memoryview]) -> int:
        if os.fstat(descriptor).st_size == 5 << 20:
            reads[0] += 1
            if reads[0] == 4:
                raise OSError(errno.EIO, "planted")
        return real(descriptor, buffers)

    monkeypatch.setattr(os, "readv", readv)
    refused = [one for one in desk.take_in() if one.refusal is not None]
    assert [(one.path.name, one.refusal.code) for one in refused if one.refusal] == [("LONG.MP4", Code.UNREADABLE)]
    assert reads[0] == 4
    assert not list((desk.case / "work").iterdir())
    assert [one.came for one in desk.take_in()].count(Came.SEALED) == 1


def test_a_failing_card_is_told_apart_from_a_failing_case(desk: Desk, tmp_path: Path) -> None:
    """/proc/self/mem opens and cannot be read from its start: EIO, as from a card that breaks."""
    broken = os.open("/proc/self/mem", os.O_RDONLY)
    with desk.open() as case, pytest.raises(SafelightError) as error:
        seal_stream(broken, tmp_path / "out", [case.keys.to], name="card/a.mp4")
    os.close(broken)
    assert (error.value.code, error.value.file) == (Code.UNREADABLE, "card/a.mp4")


def test_a_sealed_stream_that_was_cut_or_lengthened_is_noticed(desk: Desk, tmp_path: Path) -> None:
    data = os.urandom(300_000)
    (tmp_path / "in").write_bytes(data)
    with desk.open() as case:
        with Original(tmp_path / "in") as original:
            seal_stream(original.descriptor, tmp_path / "out", [case.keys.to], name="in")
        whole = (tmp_path / "out").read_bytes()
        for spoilt, right in ((whole, True), (whole[:-1], False), (whole[:70_000], False), (whole + b"x", False)):
            (tmp_path / "out").write_bytes(spoilt)
            got: list[bytes] = []

            def write(piece: bytes, got: list[bytes] = got) -> int:
                got.append(piece)
                return len(piece)

            with (tmp_path / "out").open("rb", buffering=0) as file:
                if right:
                    assert unseal_stream(file.fileno(), write, case.keys.case)[0] == hashlib.sha256(data).hexdigest()
                    assert b"".join(got) == data
                else:
                    with pytest.raises(NotSealed):
                        unseal_stream(file.fileno(), write, case.keys.case)


def test_an_original_lent_to_a_worker_cannot_be_changed(filled: Desk, tmp_path: Path) -> None:
    with filled.copy(tmp_path).open() as case, lent(case, case.clip("1"), "test") as original:
        for attempt in (lambda: os.write(original.descriptor, b"x"), lambda: os.ftruncate(original.descriptor, 0)):
            with pytest.raises(OSError, match=r"."):
                attempt()
        assert "memfd" in os.readlink(f"/proc/self/fd/{original.descriptor}")


@pytest.mark.parametrize("kind", ["file", "new"])
def test_the_catalogue_is_rebuilt_from_the_log_alone(filled: Desk, tmp_path: Path, kind: str) -> None:
    url = f"sqlite:///{tmp_path}/catalogue.db"
    with filled.open() as case:
        wanted = case.catalogue.clips()
    with filled.open(catalogue=url) as case:
        assert case.catalogue.clips() == wanted
        if kind == "file":
            case.catalogue.clear()
            with Catalogue(url, case.facts.id) as other:
                assert other.clips() == []
    if kind == "new":
        (tmp_path / "catalogue.db").unlink()
    with filled.open(catalogue=url) as case:
        assert case.catalogue.clips() == wanted


@pytest.mark.parametrize("size", [10, 65_537, 300_000])
def test_no_failed_write_goes_unnoticed(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """The cipher swallows an error of the last write; a disk that is full just then must not lose an original."""
    (tmp_path / "in").write_bytes(os.urandom(size))
    real, writes, failing = Sink.write, [0], [0]

    def write(sink: Sink, data: bytes) -> int:
        writes[0] += 1
        if writes[0] == failing[0]:
            raise OSError(errno.ENOSPC, "planted")
        return real(sink, data)

    monkeypatch.setattr(Sink, "write", write)
    with desk.open() as case, Original(tmp_path / "in") as original:
        for turn in range(1, 20):
            writes[0], failing[0] = 0, turn
            os.lseek(original.descriptor, 0, os.SEEK_SET)
            try:
                seal_stream(original.descriptor, tmp_path / f"out{turn}", [case.keys.to], name="in")
            except OSError:
                continue
            assert writes[0] < turn  # it may only go well when there was no such write
            break
        assert turn > 1
