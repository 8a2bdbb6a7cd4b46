"""Others can open and check it: age, sha256sum, openssl, bagit, an OCFL validator, a database server."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import bagit
import ocfl
import pytest
from pyrage.x25519 import Identity

from custody import c2sp
from custody.conftest import Desk
from program import safelight
from safelight.custody import timestamp
from safelight.custody.case import Facts, create
from safelight.custody.entry import Act
from safelight.custody.export import check, export
from safelight.custody.seal import read_identity, unseal
from safelight.custody.verify import examine
from safelight.errors import Code, SafelightError


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine")
    return found


def run(*words: str | Path, cwd: Path | None = None) -> bytes:
    done = subprocess.run(words, capture_output=True, check=False, cwd=cwd, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


def first_original(folder: Path) -> Path:
    return min(folder.rglob("original.age"), key=lambda path: path.stat().st_size)


def test_age_opens_a_case_from_the_members_key_to_the_original(filled: Desk, tmp_path: Path) -> None:
    age = tool("age")
    (tmp_path / "case.key").write_bytes(run(age, "-d", "-i", filled.key, filled.case / "keys" / "case.age"))
    path = first_original(filled.case)
    assert run(age, "-d", "-i", tmp_path / "case.key", path) == (filled.card / "TIMESET.TXT").read_bytes()
    about = run(age, "-d", "-i", tmp_path / "case.key", path.with_name("about.age"))
    assert hashlib.sha256((filled.card / "TIMESET.TXT").read_bytes()).hexdigest().encode() in about


def test_sha256sum_and_an_ocfl_validator_accept_the_store(filled: Desk) -> None:
    run(
        tool("sha256sum"),
        "--strict",
        "-c",
        "inventory.json.sha256",
        cwd=next(filled.case.rglob("0=ocfl_object*")).parent,
    )
    run(tool("sha256sum"), "-c", "control", cwd=filled.case)
    assert ocfl.StorageRoot(str(filled.case / "store")).validate()


def test_the_checkpoint_holds_for_a_verifier_written_from_the_specification(filled: Desk) -> None:
    with filled.open() as case:
        size, root = c2sp.checkpoint(case.signed_checkpoint.encode(), case.facts.log)
        assert (size, root) == (case.checkpoint.size, case.checkpoint.root)


@pytest.fixture
def package(filled: Desk, tmp_path: Path) -> tuple[Path, Path, str]:
    """A package of two clips for another desk, that desk's key file, and the key of the log."""
    desk = filled.copy(tmp_path)
    other = Identity.generate()
    key = tmp_path / "other.key"
    key.write_text(f"{other}\n")
    with desk.open() as case:
        export(case, [case.clip("1"), case.clip("3")], tmp_path / "package", [str(other.to_public())])
        return tmp_path / "package", key, case.facts.log


def test_a_package_is_accepted_by_bagit_an_ocfl_validator_and_age(package: tuple[Path, Path, str]) -> None:
    folder, key, log = package
    assert bagit.Bag(str(folder)).is_valid()
    assert ocfl.StorageRoot(str(folder / "data" / "store")).validate()
    proofs = sorted((folder / "data" / "log").glob("*.tlog-proof"))
    assert len(proofs) == 3  # two sealed, one plan
    age = shutil.which("age")
    for proof in proofs:
        sealed = proof.with_suffix(".json.age")
        entry = run(age, "-d", "-i", key, sealed) if age else b""
        if entry:
            assert c2sp.included(entry, proof.read_bytes(), log) == int(proof.stem)
            assert b"clip" in entry
    if age is None:
        pytest.skip("age is not on this machine: the entries were not opened by it")


def test_a_package_is_verified_without_our_database(package: tuple[Path, Path, str]) -> None:
    folder, key, log = package
    found = check(folder, read_identity(key), key=log)
    assert (found.problems, found.originals, found.entries) == ([], 2, 3)
    assert check(folder, None, key=log).problems == []
    ran = safelight("case", "verify", folder, "--identity", key)
    assert (ran.status, "The package is whole: 2 originals" in ran.out) == (0, True), ran.err


def test_every_file_of_a_package_that_is_spoilt_is_told(package: tuple[Path, Path, str]) -> None:
    folder, key, log = package
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
        found = check(folder, read_identity(key), key=log)
        name = path.relative_to(folder).as_posix()
        tag_file = path.parent == folder
        assert any(tag_file or name in problem for problem in found.problems), name
        path.write_bytes(whole)
    assert check(folder, read_identity(key), key=log).problems == []


def test_a_package_of_another_log_is_told(package: tuple[Path, Path, str], tmp_path: Path) -> None:
    folder, key, _ = package
    (tmp_path / "strange").mkdir()
    create(tmp_path / "strange" / "case", "x", recipient=str(Identity.generate().to_public()), passphrase=None)
    strange = Facts.load(tmp_path / "strange" / "case").log
    assert "signed by another key" in check(folder, read_identity(key), key=strange).problems[0]


def test_a_damaged_original_is_not_handed_over(filled: Desk, tmp_path: Path) -> None:
    desk = filled.copy(tmp_path)
    path = first_original(desk.case)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with desk.open() as case, pytest.raises(SafelightError) as error:
        export(case, case.catalogue.clips(), tmp_path / "package", [str(case.keys.to)])
    assert error.value.code is Code.CASE_BROKEN
    assert not (tmp_path / "package").exists()


AUTHORITY = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = Time stamping for the tests
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
[tsa]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ts]
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
serial = serial
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A time-stamping service made of openssl."""
    openssl, folder = tool("openssl"), tmp_path_factory.mktemp("tsa")
    (folder / "conf").write_text(AUTHORITY)
    (folder / "serial").write_text("01\n")
    new = (openssl, "req", "-config", "conf", "-newkey", "rsa:2048", "-nodes")
    run(*new, "-x509", "-days", "30", "-extensions", "ca", "-keyout", "ca.key", "-out", "ca.pem", cwd=folder)
    run(*new, "-subj", "/CN=stamper", "-keyout", "tsa.key", "-out", "tsa.csr", cwd=folder)
    sign = ("-CA", "ca.pem", "-CAkey", "ca.key", "-days", "30", "-extfile", "conf", "-extensions", "tsa")
    run(openssl, "x509", "-req", "-in", "tsa.csr", *sign, "-out", "tsa.pem", cwd=folder)
    return folder


def stamped(authority: Path, request: Path) -> bytes:
    reply = authority / "reply"
    run(
        tool("openssl"),
        "ts",
        "-reply",
        "-config",
        "conf",
        "-section",
        "ts",
        "-queryfile",
        request,
        "-out",
        reply,
        cwd=authority,
    )
    return reply.read_bytes()


def test_a_timestamp_goes_out_and_comes_in_as_files_and_openssl_accepts_it(
    desk: Desk, authority: Path, tmp_path: Path
) -> None:
    desk.take_in()
    more = ("--identity", desk.key)
    asked = tmp_path / "case.tsq"
    assert safelight("case", "timestamp", desk.case, "--request", asked, *more).status == 0
    (tmp_path / "case.tsr").write_bytes(stamped(authority, asked))
    reply = ("--reply", tmp_path / "case.tsr", "--trust", authority / "ca.pem")
    ran = safelight("case", "timestamp", desk.case, *reply, *more)
    assert ran.status == 0, ran.err
    kept = desk.case / "log" / "timestamps"
    checkpoint = next(kept.glob("*.checkpoint"))
    verify = ("ts", "-verify", "-data", checkpoint, "-in", checkpoint.with_suffix(".tsr"), "-CAfile")
    run(tool("openssl"), *verify, checkpoint.with_suffix(".pem"))
    report = examine(desk.case, identity=desk.key, ask=lambda _: None, older=[checkpoint.read_text()])
    assert report.whole, report.problems
    assert "existed on" in report.stamps[0]
    for path in kept.iterdir():
        whole = path.read_bytes()
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        found = examine(desk.case, identity=desk.key, ask=lambda _: None, older=[])
        assert path.relative_to(desk.case).as_posix() in {problem.file for problem in found.problems}
        path.write_bytes(whole)


def test_a_package_proves_since_when_its_acts_exist(filled: Desk, authority: Path, tmp_path: Path) -> None:
    desk = filled.copy(tmp_path)
    other = Identity.generate()
    folder, trusted = tmp_path / "package", (authority / "ca.pem").read_bytes()
    with desk.open() as case:
        for clip in ("1", "3"):  # stamped twice: each act goes with the older of the stamps that have it
            (tmp_path / "tsq").write_bytes(timestamp.request(case))
            timestamp.keep(case, stamped(authority, tmp_path / "tsq"), trusted)
            case.note(Act.APPROVED, case.clip(clip))
        export(case, [case.clip("1")], folder, [str(other.to_public())])
        log = case.facts.log
    found = check(folder, other, key=log)
    assert found.problems == []
    times = folder / "data" / "log" / "timestamps"
    stems = sorted(path.stem for path in times.glob("*.tsr"))
    assert len(found.times) == len(stems) == 2
    told = sorted(int(path.stem) for path in (folder / "data" / "log").glob("*.tlog-proof"))
    proven = {stem: sorted(int(path.stem) for path in (times / stem).iterdir()) for stem in stems}
    assert [index for stem in stems for index in proven[stem]] == told
    assert all(index < int(stem) for stem, indices in proven.items() for index in indices)
    for stem, indices in proven.items():
        one = times / stem
        verify = ("ts", "-verify", "-data", one.with_suffix(".checkpoint"), "-in", one.with_suffix(".tsr"), "-CAfile")
        run(tool("openssl"), *verify, one.with_suffix(".pem"))
        for index in indices:
            note = (one / f"{index:08}.tlog-proof").read_bytes()
            entry = unseal((folder / "data" / "log" / f"{index:08}.json.age").read_bytes(), other)
            assert note.endswith(one.with_suffix(".checkpoint").read_bytes())
            assert c2sp.included(entry, note, log) == index
    for path in sorted(path for path in times.rglob("*") if path.is_file()):
        whole = path.read_bytes()
        path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
        bagit.Bag(str(folder)).save(manifests=True)  # by somebody who makes the package fit again
        problems = check(folder, other, key=log).problems
        assert path.suffix in (".tsq", ".pem") or problems, path  # those two prove nothing
        path.write_bytes(whole)
    bagit.Bag(str(folder)).save(manifests=True)
    assert check(folder, other, key=log).problems == []


def test_a_reply_that_does_not_hold_is_refused(desk: Desk, filled: Desk, authority: Path, tmp_path: Path) -> None:
    def code(case, reply: bytes, trust: bytes) -> Code:
        with pytest.raises(SafelightError) as error:
            timestamp.keep(case, reply, trust)
        return error.value.code

    trusted = (authority / "ca.pem").read_bytes()
    with desk.open() as case:
        (tmp_path / "tsq").write_bytes(timestamp.request(case))
        reply = stamped(authority, tmp_path / "tsq")
        spoilt = bytearray(reply)
        spoilt[-30] ^= 1
        assert code(case, bytes(spoilt), trusted) is Code.TIMESTAMP
        assert code(case, b"nonsense", trusted) is Code.TIMESTAMP
        assert code(case, reply, b"no certificate") is Code.TIMESTAMP
    (tmp_path / "other").mkdir()
    with filled.copy(tmp_path / "other").open() as other:
        assert code(other, reply, trusted) is Code.TIMESTAMP  # it is for another case


@pytest.fixture
def database() -> Iterator[str]:
    """A PostgreSQL server of our own on a socket; as root it runs as nobody, since it refuses to run as root."""
    server = tool("postgres")
    path = os.pathsep.join([os.environ["PATH"], os.path.dirname(os.path.realpath(server))])
    init = shutil.which("initdb", path=path)
    if init is None:
        pytest.skip("initdb is not on this machine")
    folder = tempfile.mkdtemp()
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    data = os.path.join(folder, "data")
    made = [init, "-D", data, "-A", "trust", "-U", "desk", "--no-sync"]
    subprocess.run(made, check=True, capture_output=True, user=user, cwd=folder)
    words = [server, "-D", data, "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"]
    with subprocess.Popen(words, stderr=subprocess.DEVNULL, user=user, cwd=folder) as process:
        deadline = time.monotonic() + 60
        while not Path(data, "postmaster.pid").exists() or "ready" not in Path(data, "postmaster.pid").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield f"postgresql+psycopg://desk@/postgres?host={folder}"
        process.terminate()
    shutil.rmtree(folder)


def test_the_same_catalogue_on_a_database_server(filled: Desk, database: str) -> None:
    with filled.open() as case:
        wanted = (case.catalogue.clips(), case.catalogue.acts())
    for turn in range(3):  # made, found there, rebuilt
        with filled.open(catalogue=database) as case:
            assert (case.catalogue.clips(), case.catalogue.acts()) == wanted
            if turn == 1:
                case.catalogue.clear()
