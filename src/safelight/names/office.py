"""Passages of DOCX, ODT and their kin, and of PDF. Runs inside a worker: these files may be a stranger's.

A document in a zip archive is read whole: every part that is XML, every attribute in it, the properties, and the
names of the parts. Words may be split over many elements; they are joined by paragraph.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import pypdf
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from pypdf.errors import PyPdfError
from pypdf.generic import DictionaryObject, IndirectObject

from safelight.errors import Code, SafelightError
from safelight.names.passages import MOST, Passage, decoded, of_text

ZIP, PDF = b"PK\x03\x04", b"%PDF-"
PICTURES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp", ".heic", ".emf", ".wmf")
_XML = (".xml", ".rels", ".opf", ".ncx", ".xhtml", ".html", ".htm", ".svg", ".rdf", ".vml")
_PARAGRAPHS = ("p", "h", "title", "creator", "tc", "table-cell", "si", "li", "text-box", "comment")
_OBJECTS_MOST = 200_000


def of_archive(source: BinaryIO) -> Iterator[Passage | tuple[str, bytes]]:
    """Passages of a zipped document; its pictures come as (name, bytes) to be read by whoever reads pictures.

    Raises SL-DOCUMENT-INVALID when it is damaged, encrypted, too large unpacked, or hostile XML.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > 8 * MOST or len(members) > 20_000:
                raise SafelightError(Code.DOCUMENT_INVALID, "The document is too large unpacked.")
            if archive.comment:
                yield Passage("comment of the archive", archive.comment.decode("utf-8", "replace"))
            for member in members:
                yield Passage("name of a part", member.filename, caseless=True)
                if member.is_dir():
                    continue
                data = archive.read(member)
                lower = member.filename.lower()
                if lower.endswith(_XML):
                    yield from _of_xml(data, member.filename)
                elif lower.endswith(PICTURES):
                    yield member.filename, data
                elif lower.endswith((".txt", ".json", ".css", ".csv", ".md")) or lower == "mimetype":
                    text = decoded(data, member.filename)
                    yield from of_text(text, "." + lower.rpartition(".")[2], member.filename)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise SafelightError(Code.DOCUMENT_INVALID, f"The archive cannot be read: {str(error)[:200]}.") from error


def _of_xml(data: bytes, name: str) -> Iterator[Passage]:
    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise SafelightError(Code.DOCUMENT_INVALID, f"Its part {name[:80]} cannot be read.") from error
    text: list[str] = []
    for event, element in _walk(root):
        tag = _local(element.tag)
        if event == "start":
            for key, value in element.attrib.items():
                yield Passage(f"{name}, attribute {_local(key)}", value)
            text.append(element.text or "")
        else:
            if tag in _PARAGRAPHS or tag in ("tab", "br", "line-break"):
                text.append("\n")
            text.append(element.tail or "")
    yield Passage(name, "".join(text))


def _walk(root: Any) -> Iterator[tuple[str, Any]]:
    """Elements in reading order, at their start and at their end, without recursion: nesting may be deep."""
    stack: list[tuple[str, Any]] = [("start", root)]
    while stack:
        event, element = stack.pop()
        yield event, element
        if event == "start":
            stack.append(("end", element))
            stack.extend(("start", child) for child in reversed(element))


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]


def of_pdf(source: BinaryIO) -> Iterator[Passage]:
    """Pages, properties, XMP, notes, bookmarks, forms and attachments of a PDF. Raises SL-DOCUMENT-INVALID."""
    try:
        reader = pypdf.PdfReader(source)
        if reader.is_encrypted and not reader.decrypt(""):
            raise SafelightError(Code.DOCUMENT_INVALID, "The PDF is encrypted.")
        for number, page in enumerate(reader.pages, 1):
            yield Passage(f"page {number}", page.extract_text())
        for place, text in _strings(reader):
            yield Passage(place, text)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise SafelightError(Code.DOCUMENT_INVALID, "The PDF cannot be read.") from error


def _strings(reader: pypdf.PdfReader) -> Iterator[tuple[str, str]]:
    """Every string of every object that is no page's content: properties, notes, titles, names of attachments, XMP."""
    stack: list[tuple[str, Any]] = [("PDF property", reader.trailer)]
    seen: set[tuple[int, int]] = set()
    looked = 0
    while stack:
        place, value = stack.pop()
        looked += 1
        if looked > _OBJECTS_MOST:
            raise SafelightError(Code.DOCUMENT_INVALID, "The PDF has too many parts.")
        if isinstance(value, IndirectObject):
            key = (value.idnum, value.generation)
            if key in seen:
                continue
            seen.add(key)
            value = value.get_object()
        if isinstance(value, str) and not value.startswith("/"):
            yield place, str(value)
        elif isinstance(value, DictionaryObject):
            stack += [(f"PDF {key}", part) for key, part in value.items()]
            if value.get("/Type") in ("/Metadata", "/EmbeddedFile") and hasattr(value, "get_data"):
                yield "PDF XMP or attachment", value.get_data().decode("utf-8", "replace")
        elif isinstance(value, list):
            stack += [(place, part) for part in value]


def read_bytes(source: BinaryIO) -> io.BytesIO:
    """The whole source in memory. Raises SL-DOCUMENT-INVALID when it is too large."""
    source.seek(0)
    data = source.read(MOST + 1)
    if len(data) > MOST:
        raise SafelightError(Code.DOCUMENT_INVALID, f"It is larger than {MOST >> 20} MiB.")
    return io.BytesIO(data)
