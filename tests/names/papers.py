"""Documents of every kind with words planted in every place that can hold some."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo
from pypdf import PdfWriter

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def _zip(path: Path, parts: dict[str, str | bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def docx(path: Path, words: str, *, split: bool = False, where: str = "body", picture: bytes = b"") -> None:
    """A DOCX; ``where``: body, comment, property or part name. ``split``: the words lie in several runs."""
    runs = [words[:3], words[3:7], words[7:]] if split else [words]
    body = "".join(f"<w:r><w:t>{run}</w:t></w:r>" for run in runs) if where == "body" else ""
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": "<Types/>",
        "word/document.xml": f'<w:document xmlns:w="{W}"><w:body><w:p>{body}</w:p></w:body></w:document>',
    }
    if where == "comment":
        parts["word/comments.xml"] = f'<w:comments xmlns:w="{W}"><w:comment w:author="{words}"/></w:comments>'
    if where == "property":
        parts["docProps/core.xml"] = f"<core><lastModifiedBy>{words}</lastModifiedBy></core>"
    if where == "part name":
        parts[f"word/media/{words}.xml"] = "<x/>"
    if picture:
        parts["word/media/image1.jpg"] = picture
    _zip(path, parts)


def odt(path: Path, words: str) -> None:
    """An ODT with the words over two spans."""
    text = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
    half = len(words) // 2
    _zip(
        path,
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f'<d xmlns:text="{text}"><text:p><text:span>{words[:half]}</text:span>'
            f"<text:span>{words[half:]}</text:span></text:p></d>",
        },
    )


def pdf(path: Path, words: str, *, where: str = "property") -> None:
    """A PDF; ``where``: property, page or attachment."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    if where == "property":
        writer.add_metadata({"/Author": words})
    elif where == "attachment":
        writer.add_attachment(f"{words}.txt", b"x")
    else:
        stream = f"BT /F1 12 Tf 20 100 Td ({words}) Tj ET".encode()
        head = b"%PDF-1.4\n"
        objects = [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
            b"<</Length %d>>stream\n%s\nendstream" % (len(stream), stream),
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        ]
        out, places = io.BytesIO(head), []
        out.seek(0, 2)
        for number, body in enumerate(objects, 1):
            places.append(out.tell())
            out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        start = out.tell()
        table = b"".join(b"%010d 00000 n \n" % place for place in places)
        out.write(b"xref\n0 6\n0000000000 65535 f \n" + table)
        out.write(b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start)
        path.write_bytes(out.getvalue())
        return
    writer.write(path)


def jpeg(words: str = "") -> bytes:
    """A small JPEG with the words as EXIF description."""
    out = io.BytesIO()
    picture = Image.new("RGB", (32, 24), (40, 90, 120))
    exif = Image.Exif()
    if words:
        exif[0x010E] = words.encode()  # UTF-8, as cameras write it; Pillow would make question marks of it
    picture.save(out, "JPEG", exif=exif if words else b"")
    return out.getvalue()


def sign(words: str) -> bytes:
    """A JPEG in which the words can be read."""
    out = io.BytesIO()
    picture = Image.new("RGB", (480, 240), (120, 140, 130))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((40, 80, 440, 140), fill=(240, 235, 225))
    draw.text((60, 92), words, font=ImageFont.load_default(26), fill=(30, 30, 40))
    picture.save(out, "JPEG", quality=80)
    return out.getvalue()


def png(path: Path, words: str) -> None:
    """A small PNG with the words in a text chunk."""
    notes = PngInfo()
    notes.add_itxt("Comment", words)
    Image.new("RGB", (32, 24)).save(path, pnginfo=notes)


PLACES: dict[str, Callable[[Path, str], None]] = {
    "a.txt": lambda p, w: p.write_text(f"Yesterday {w} was seen.\n"),
    "utf16.txt": lambda p, w: p.write_text(f"Yesterday {w} was seen.\n", encoding="utf-16"),
    "bold.md": lambda p, w: p.write_text(f"Then **{w[:5]}**{w[5:]} left.\n"),
    "comment.md": lambda p, w: p.write_text(f"Then\n\n<!-- ask {w} -->\n"),
    "front.md": lambda p, w: p.write_text(f"---\nslug: {w.lower().replace(' ', '-')}\n---\nText\n"),
    "a.srt": lambda p, w: p.write_text(f"1\n00:00:01,000 --> 00:00:02,000\n<i>{w}</i>\n"),
    "note.vtt": lambda p, w: p.write_text(f"WEBVTT\n\nNOTE from {w}\n\n00:01.000 --> 00:02.000\nHello\n"),
    "voice.vtt": lambda p, w: p.write_text(f"WEBVTT\n\n00:01.000 --> 00:02.000\n<v {w}>Hello\n"),
    "a.ass": lambda p, w: p.write_text(f"[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,D,{w[:4]}{{\\i1}}{w[4:]}\n"),
    "alt.html": lambda p, w: p.write_text(f'<p>Hi <img alt="{w}" src="x.jpg"></p>'),
    "inline.html": lambda p, w: p.write_text(f"<p>Hi {w[:4]}<b>{w[4:]}</b></p>"),
    "entity.html": lambda p, w: p.write_text("<p>" + "".join(f"&#{ord(c)};" for c in w) + "</p>"),
    "comment.html": lambda p, w: p.write_text(f"<p>Hi</p><!-- {w} -->"),
    "link.html": lambda p, w: p.write_text(f'<a href="/{w.replace(" ", "%20")}">x</a>'),
    "a.json": lambda p, w: p.write_text(json.dumps({"a": [{"note": w}]})),
    "key.json": lambda p, w: p.write_text(json.dumps({w: 1})),
    "a.geojson": lambda p, w: p.write_text(
        json.dumps({"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"name": w}}]})
    ),
    "body.docx": docx,
    "runs.docx": lambda p, w: docx(p, w, split=True),
    "author.docx": lambda p, w: docx(p, w, where="comment"),
    "property.docx": lambda p, w: docx(p, w, where="property"),
    "part.docx": lambda p, w: docx(p, w, where="part name"),
    "picture.docx": lambda p, w: docx(p, "Hi", picture=jpeg(w)),
    "sign.docx": lambda p, w: docx(p, "Hi", picture=sign(w)),
    "a.odt": odt,
    "property.pdf": pdf,
    "page.pdf": lambda p, w: pdf(p, w, where="page"),
    "attachment.pdf": lambda p, w: pdf(p, w, where="attachment"),
    "exif.jpg": lambda p, w: p.write_bytes(jpeg(w)),
    "sign.jpg": lambda p, w: p.write_bytes(sign(w)),
    "note.png": png,
}
