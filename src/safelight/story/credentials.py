"""Content credentials (C2PA) on what is published, signed by the desk.

The manifest says that the desk published this and that it was edited; no more. No original is named as ingredient, no
thumbnail is embedded, no person is named: whoever opens the credentials learns the desk's name and no more. The desk's
certificate is its own: readers who want to trust it compare its fingerprint with one they got from the desk.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from safelight import __version__
from safelight.errors import Code, SafelightError
from safelight.names.home import Home

_YEARS = 5
_TYPES = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".png": "image/png"}
_EDITED = "http://cv.iptc.org/newscodes/digitalsourcetype/humanEdits"
_SETTINGS: dict[str, Any] = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"verify_trust": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
}


class DeskKey(BaseModel):
    """The desk's signing key and its certificates, PEM. Lies sealed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["safelight-desk-key"] = "safelight-desk-key"
    version: Literal[1] = 1
    desk: Annotated[str, Field(min_length=1, max_length=64)]
    chain: str
    key: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the desk's own root certificate: what readers may compare."""
        root = x509.load_pem_x509_certificates(self.chain.encode())[-1]
        return root.fingerprint(hashes.SHA256()).hex(":")


def make_key(desk: str) -> DeskKey:
    """A new key, with a root certificate and one for signing (a C2PA reader refuses a root that signs by itself)."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate(desk, root_key, root_key, authority=True)
    leaf = _certificate(desk, key, root_key, authority=False)
    pem = serialization.Encoding.PEM
    return DeskKey(
        desk=desk,
        chain=(leaf.public_bytes(pem) + root.public_bytes(pem)).decode(),
        key=key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
    )


def _certificate(
    desk: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, *, authority: bool
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, desk)])
    subject = name if authority else x509.Name([*name, x509.NameAttribute(NameOID.COMMON_NAME, desk)])
    day = datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(day - datetime.timedelta(days=1))
        .not_valid_after(day + datetime.timedelta(days=365 * _YEARS))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **usage),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(signer, hashes.SHA256())


def load_key(home: Home, file: str) -> DeskKey:
    """The desk's key out of its sealed home. Raises SL-NOT-FOUND, SL-SEALED."""
    data = home.load()
    if data is None:
        raise SafelightError(Code.NOT_FOUND, "There is no desk key.", file=file)
    try:
        return DeskKey.model_validate_json(data)
    except ValidationError as error:
        raise SafelightError(Code.SEALED, "This is no desk key.", file=file) from error


def sign(key: DeskKey, source: Path, target: Path, title: str) -> None:
    """Write a signed copy of a film or picture. ``title``: what it is called in public.

    Raises SL-BUG when the library refuses, or made something that holds a thumbnail or an ingredient.
    """
    media = _TYPES[source.suffix]
    manifest = {
        "claim_generator_info": [{"name": "safelight", "version": __version__}],
        "title": title,
        "assertions": [
            {
                "label": "c2pa.actions",
                "data": {
                    "actions": [{"action": "c2pa.created", "digitalSourceType": _EDITED}, {"action": "c2pa.published"}]
                },
            }
        ],
    }
    context = c2pa.Context(c2pa.Settings.from_dict(_SETTINGS))
    info = c2pa.C2paSignerInfo(alg=b"es256", sign_cert=key.chain.encode(), private_key=key.key.encode(), ta_url=None)
    try:
        with source.open("rb") as plain, target.open("w+b") as signed:
            c2pa.Builder(manifest, context).sign(c2pa.Signer.from_info(info), media, plain, signed)
        told = read(target)
    except c2pa.C2paError as error:
        raise SafelightError(Code.BUG, f"It could not be signed: {str(error)[:300]}.", file=source.name) from error
    active = told["manifests"][told["active_manifest"]]
    if told.get("validation_state") != "Valid" or "thumbnail" in active or active.get("ingredients"):
        raise SafelightError(Code.BUG, "The content credentials are not as they must be.", file=source.name)


def read(path: Path) -> dict[str, Any]:
    """What the credentials of a file say. Raises c2pa.C2paError when there are none."""
    context = c2pa.Context(c2pa.Settings.from_dict(_SETTINGS))
    with path.open("rb") as file:
        said: dict[str, Any] = json.loads(c2pa.Reader(_TYPES[path.suffix], file, context=context).json())
    return said
