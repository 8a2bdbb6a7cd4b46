"""Still pictures: read as clips of one picture, written afresh without a trace of the file they came from."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, cast

import av
import numpy as np
import pi_heif
from av.codec import CodecContext
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from safelight.errors import Code, SafelightError
from safelight.media import colour, tracks, upright
from safelight.media.facts import ClipFacts, Dropped, Gap
from safelight.media.shot import Shot
from safelight.media.source import Complaints, Nameless, file_size, listen, unreadable

# Importing a plugin is what makes its format readable; nothing else is.
_PLUGINS = (
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
    TiffImagePlugin,
    BmpImagePlugin,
    AvifImagePlugin,
)
_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "HEIF")
_LOSSY = frozenset({"JPEG", "MPO", "WEBP", "AVIF", "HEIF"})
_ORIENTATION = 0x0112
_KINDS = {
    "exif": "Exif data",
    "xmp": "XMP data",
    "icc_profile": "colour profile",
    "photoshop": "IPTC or Photoshop data",
    "comment": "comment",
    "thumbnails": "thumbnail",
    "dpi": "resolution",
    "metadata": "other data",
}
# What Pillow notes about the coding itself, not about the picture's past.
_CODING_NAMES = """
jfif jfif_version jfif_unit jfif_density progressive progression adobe adobe_transform gamma interlace
transparency background compression bit_depth primary chroma chroma_subsampling depth_images aux loop
timestamp duration original_orientation srgb mp mpoffset default_image nclx_profile bbox raw_profile_type
"""
_CODING = frozenset(_CODING_NAMES.split())


class Still:
    """A still picture, readable like a film of one picture."""

    def __init__(self, source: BinaryIO, accept_damaged: bool) -> None:
        file_size(source)
        listen()
        self.missing: list[Gap] = []
        self._accept = accept_damaged
        frame, self.facts, self.mirrored = self._read(source)
        self._shot = Shot(frame, 0, bool(self.missing))

    def close(self) -> None:
        """Nothing is held open."""

    def shots(self) -> Iterator[Shot]:
        """The one picture."""
        yield self._shot

    def _read(self, source: BinaryIO) -> tuple[VideoFrame, ClipFacts, bool]:
        pi_heif.register_heif_opener()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                image = Image.open(cast(BinaryIO, Nameless(source)), formats=_FORMATS)
                kind = image.format or ""
                tracks.check_size(*image.size)
                if getattr(image, "n_frames", 1) > 1 and kind != "MPO":
                    raise SafelightError(Code.UNSUPPORTED, "The file holds several pictures.")
                left = _dropped(image)
                self._load(image)
                orientation = int(image.getexif().get(_ORIENTATION, 1) or 1)
        except UnidentifiedImageError as error:
            raise SafelightError(Code.DAMAGED, "This begins like a picture but cannot be read.") from error
        except Image.DecompressionBombError as error:
            raise SafelightError(Code.TOO_LARGE, "The picture is too large.") from error
        except OSError as error:
            if error.errno:
                raise unreadable(error) from error
            raise SafelightError(Code.DAMAGED, "The picture is damaged.") from error
        except (ValueError, SyntaxError, EOFError, RuntimeError, KeyError, TypeError, IndexError) as error:
            raise SafelightError(Code.DAMAGED, "The picture is damaged.") from error
        mirrored, turn = upright.from_exif(orientation)
        frame = self._stored(image, source, kind)
        # JPEG and lossy WebP always use the BT.601 matrix (JFIF 1.02, RFC 9649); the rest is RGB.
        matrix = colour.SMPTE170M if frame.format.name.startswith("yuv") else colour.BT709
        facts = ClipFacts(
            container=kind.lower(),
            codec="jpeg" if kind == "MPO" else kind.lower(),
            pixel_format=frame.format.name,
            still=True,
            stored_width=frame.width,
            stored_height=frame.height,
            pixel_aspect=1.0,
            turn=turn,
            interlaced=False,
            hdr=False,
            matrix=matrix,
            primaries=colour.BT709,
            transfer=colour.BT709,
            lossy=kind in _LOSSY,
            time_base=(1, 1),
            frames_expected=1,
            rate=None,
            duration=None,
            picture_start=0.0,
            sound=None,
            dropped=left,
        )
        return frame, facts, mirrored

    def _load(self, image: Image.Image) -> None:
        try:
            image.load()
        except OSError as error:
            if error.errno or not self._accept:
                raise
            self._lost()
            image.load()

    def _lost(self) -> None:
        self.missing.append(Gap(after=-1, frames=None, start=None, end=None, reason="Part of the picture is missing"))

    def _stored(self, image: Image.Image, source: BinaryIO, kind: str) -> VideoFrame:
        """The picture as stored: for JPEG and WebP as YUV, before chroma is smoothed over neighbours."""
        if kind in ("JPEG", "MPO", "WEBP") and image.mode in ("RGB", "L"):
            frame = self._decoded(source, "webp" if kind == "WEBP" else "mjpeg")
            if frame is not None and (frame.width, frame.height) == image.size:
                return frame
        if image.mode in ("L", "1"):
            return VideoFrame.from_ndarray(np.asarray(image.convert("L")), format="gray")
        if image.mode == "I;16":
            return VideoFrame.from_ndarray(np.asarray(image), format="gray16le")
        if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or (image.mode == "P" and "transparency" in image.info):
            return VideoFrame.from_ndarray(np.asarray(image.convert("RGBA")), format="rgba")
        return VideoFrame.from_ndarray(np.asarray(image.convert("RGB")), format="rgb24")

    def _decoded(self, source: BinaryIO, codec: str) -> VideoFrame | None:
        try:
            source.seek(0)
            data = source.read()
        except OSError as error:
            raise unreadable(error) from error
        context = cast(VideoCodecContext, CodecContext.create(codec, "r"))
        context.thread_count = 1
        complaints = Complaints()
        frames: list[VideoFrame] = []
        try:
            with complaints.heard():
                frames = [*context.decode(Packet(data)), *context.decode(None)]
        except av.error.FFmpegError:
            return None  # a rare kind of JPEG (arithmetic coding, CMYK) that Pillow has read without complaint
        if complaints.count or any(frame.is_corrupt for frame in frames):
            if not self._accept:
                raise SafelightError(Code.DAMAGED, "The picture is damaged.")
            self._lost()
        return frames[0] if frames else None


def _dropped(image: Image.Image) -> list[Dropped]:
    kinds: Counter[str] = Counter()
    for key, value in image.info.items():
        name = str(key).lower().replace(" ", "_")
        if name not in _CODING and value not in (None, b"", [], {}):
            kinds[_KINDS.get(name, "XMP data" if "xmp" in name else "text tag")] += 1
    for key in getattr(image, "text", {}):
        kinds["text tag"] += str(key) not in image.info
    extra = getattr(image, "n_frames", 1) - 1
    if extra > 0:
        kinds["embedded picture"] += extra
    return [Dropped(kind=kind, count=count) for kind, count in sorted(kinds.items()) if count]
