"""Trusted time for checkpoints (RFC 3161): a request goes out as a file, a reply comes in as a file, nothing is sent.

What is kept, `openssl ts -verify` can check: N.checkpoint, N.tsq, N.tsr and the certificates N.pem that were trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import rfc3161_client as rfc3161
from cryptography import x509

from safelight.custody.case import LOG, Case, sha256
from safelight.custody.disk import write_new
from safelight.custody.entry import Act
from safelight.errors import Code, SafelightError
from safelight.inputs import printable
from safelight.outputs import writing

FOLDER = "timestamps"
ENDINGS = (".checkpoint", ".tsq", ".tsr", ".pem")


def request(case: Case) -> bytes:
    """A request for the newest checkpoint; the case keeps both. Asking again for the same checkpoint gives the same."""
    stem = f"{case.checkpoint.size:08}"
    kept = case.path / LOG / FOLDER / f"{stem}.tsq"
    if kept.exists():
        return kept.read_bytes()
    checkpoint = case.signed_checkpoint.encode()
    builder = rfc3161.TimestampRequestBuilder().data(checkpoint).hash_algorithm(rfc3161.HashAlgorithm.SHA256)
    asked = builder.cert_request(cert_request=True).build().as_bytes()
    _keep(case, Act.TIMESTAMP, {f"{stem}.checkpoint": checkpoint, f"{stem}.tsq": asked})
    return asked


def keep(case: Case, reply: bytes, certificates: bytes) -> str:
    """Check a reply against the checkpoint it is for and keep it; returns the proven time.

    ``certificates``: PEM, the authorities to be trusted. Raises SL-TIMESTAMP when it does not hold, or is for nothing
    that was asked for here.
    """
    for checkpoint in sorted((case.path / LOG / FOLDER).glob("*.checkpoint")):
        if _imprint(reply) == hashlib.sha256(checkpoint.read_bytes()).digest():
            said = _proven(checkpoint.read_bytes(), reply, certificates)
            stem = checkpoint.stem
            if not checkpoint.with_suffix(".tsr").exists():
                _keep(case, Act.STAMPED, {f"{stem}.tsr": reply, f"{stem}.pem": certificates})
            return said
    raise SafelightError(Code.TIMESTAMP, "The reply is for no checkpoint that was asked for in this case.")


def proven(log: Path) -> Iterator[tuple[str, str | SafelightError]]:
    """Every kept reply, checked again: its file name below the log, and what it proves or why it does not hold."""
    for reply in sorted((log / FOLDER).glob("*.tsr")):
        name = f"{FOLDER}/{reply.name}"
        try:
            checkpoint, pem = reply.with_suffix(".checkpoint"), reply.with_suffix(".pem")
            time = _proven(checkpoint.read_bytes(), reply.read_bytes(), pem.read_bytes())
            yield name, f"checkpoint {int(reply.stem)} existed on {time}"
        except SafelightError as error:
            yield name, error
        except (OSError, ValueError):
            yield name, SafelightError(Code.TIMESTAMP, "What belongs to it is missing.", file=printable(reply))


def _keep(case: Case, act: Act, files: dict[str, bytes]) -> None:
    with case.staging() as stage, writing(case.path):
        for name, data in files.items():
            write_new(stage / name, data)
        digests = {f"{LOG}/{FOLDER}/{name}": sha256(data) for name, data in files.items()}
        case.act(case.entry(act, files=digests), moves=[(stage / n, case.path / LOG / FOLDER / n) for n in files])


def _imprint(reply: bytes) -> bytes:
    try:
        return rfc3161.decode_timestamp_response(reply).tst_info.message_imprint.message
    except ValueError as error:
        raise SafelightError(Code.TIMESTAMP, "This is no reply of a time-stamping service.") from error


def _proven(checkpoint: bytes, reply: bytes, certificates: bytes) -> str:
    try:
        builder = rfc3161.VerifierBuilder()
        for certificate in x509.load_pem_x509_certificates(certificates):
            builder = builder.add_root_certificate(certificate)
        response = rfc3161.decode_timestamp_response(reply)
        builder.build().verify_message(response, checkpoint)
    except (ValueError, rfc3161.VerificationError) as error:
        raise SafelightError(Code.TIMESTAMP, f"The reply does not hold: {error}.") from error
    return response.tst_info.gen_time.strftime("%Y-%m-%dT%H:%M:%SZ")
