"""Opening a stranger's file: by content, without its name, with nothing else within reach.

FFmpeg gets a nameless object with ``read`` and ``seek``. It may use the formats listed here, no protocol, and no second
file: formats that point to other files (playlists, concat scripts, session descriptions) are not in the list, and a
format that tries anyway is refused by :func:`_refuse`.
"""

from __future__ import annotations

import io
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NoReturn

import av
import av.logging
from av.container import InputContainer

from safelight.errors import Code, SafelightError

FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,asf,mpegts,mpeg,mpegvideo,m4v,flv,dv,gif,apng,ivf,ogg,mxf,"
    "mjpeg,h264,hevc,obu,jpeg_pipe,webp_pipe"
)
_CODECS_NAMES = """
h264 hevc mjpeg mpeg4 mpeg2video mpeg1video h263 flv msmpeg4 msmpeg4v1 msmpeg4v2 wmv1 wmv2 wmv3 vc1 vp6 vp6f
vp8 vp9 libvpx libvpx-vp9 av1 libdav1d dvvideo prores dnxhd cfhd ffv1 ffvhuff huffyuv utvideo magicyuv
rawvideo v210 gif apng png webp theora svq3 cinepak qtrle jpeg2000 mvdv
"""
CODECS = frozenset(_CODECS_NAMES.split())
# Complaints that are no sign of damage: these appear in sound films and pictures.
_HARMLESS = ("mmco: unref short failure", "co located POCs unavailable", "invalid TIFF header in EXIF")
# No error to FFmpeg, though it says that parts of a picture were not in the file.
_CONCEALED = "concealing"
# Written into a film that was salvaged with settings of another one, as its comment (safelight.media.salvage).
UNPROVEN = "Safelight: saved with the settings of another film; nothing shows that they are this one's."
MAX_SIDE = 16384
MAX_PIXELS = 8192 * 8192  # 67 million: twice 8K UHD

_SOUND_ONLY = (
    b"ID3",
    b"fLaC",
    b"\xff\xfb",
    b"\xff\xf3",
    b"\xff\xf1",
    b"\xff\xf9",
    b"#!AMR",
    b"MThd",
    b"caff",
)


class Nameless:
    """The bytes of an open file and nothing that tells its name."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
        self.seek = file.seek
        self.tell = file.tell


class Apart(io.RawIOBase):
    """The same open file with a position of its own, so that picture and sound can be read side by side."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._descriptor = file.fileno()
        self._position = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as the file goes; the number of bytes."""
        count = os.preadv(self._descriptor, [buffer], self._position)
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position, as files do."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: os.fstat(self._descriptor).st_size}[whence]
        self._position = max(base + offset, 0)
        return self._position

    def tell(self) -> int:
        """The position."""
        return self._position


class _Listener(logging.Handler):
    """Counts what FFmpeg complains about and prints nothing of it: the text may quote the hostile file.

    Two films may be decoded at a time, each in a thread of its own: a complaint is heard in the thread whose call it is
    about. What is said in a thread that nobody listens in, one of FFmpeg's own, counts for everybody.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._counts: dict[int, int] = {}
        self._elsewhere = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Count one line."""
        told = str(record.msg)
        if told.startswith(_CONCEALED if record.levelno < logging.ERROR else "") and not told.startswith(_HARMLESS):
            here = threading.get_ident()
            if here in self._counts:
                self._counts[here] += 1
            else:
                self._elsewhere += 1

    def count(self) -> int:
        """What was heard so far in the thread that asks, from its first question on, and elsewhere."""
        return self._counts.setdefault(threading.get_ident(), 0) + self._elsewhere


_listener = _Listener()


def listen() -> None:
    """Route FFmpeg's log to the listener; without this PyAV drops it, and with Python's default it is printed."""
    logger = logging.getLogger("libav")
    if _listener not in logger.handlers:
        logger.addHandler(_listener)
        logger.propagate = False
        logger.setLevel(logging.INFO)
        av.logging.set_skip_repeated(False)
    pillow = logging.getLogger("PIL")
    if not pillow.handlers:
        pillow.addHandler(logging.NullHandler())
        pillow.propagate = False
    av.logging.set_level(av.logging.INFO)


class Complaints:
    """How often FFmpeg complained while one reader used it."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Count the complaints of the calls inside."""
        before = _listener.count()
        try:
            yield
        finally:
            self.count += _listener.count() - before


def _refuse(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise ValueError("a media file may not open other files")


def file_size(source: BinaryIO) -> int:
    """Length in bytes; leaves the position at the start. Raises SL-EMPTY, SL-UNREADABLE."""
    try:
        size = source.seek(0, os.SEEK_END)
        source.seek(0)
    except OSError as error:
        raise unreadable(error) from error
    if size == 0:
        raise SafelightError(Code.EMPTY, "The file is empty.")
    return size


def unreadable(error: OSError) -> SafelightError:
    """The refusal for a disk that does not give its bytes."""
    return SafelightError(Code.UNREADABLE, f"Reading failed: {os.strerror(error.errno or 5)}.")


def head(source: BinaryIO, length: int = 64) -> bytes:
    """The first bytes, wherever somebody has read to before; leaves the position at the start."""
    try:
        source.seek(0)
        start = source.read(length)
        source.seek(0)
    except OSError as error:
        raise unreadable(error) from error
    return start


def open_container(source: BinaryIO, complaints: Complaints) -> InputContainer:
    """Open a film for reading.

    Raises SafelightError: SL-NOT-MEDIA for anything that is no film in an allowed format, SL-DAMAGED for a
    broken index, SL-NO-PICTURE for sound files, SL-UNREADABLE, SL-EMPTY.
    """
    file_size(source)
    start = head(source)
    if start.startswith(_SOUND_ONLY) or start[8:12] in (b"WAVE", b"AIFF", b"AIFC"):
        raise SafelightError(Code.NO_PICTURE, "This is a sound recording.")
    listen()
    options = {"max_pixels": str(MAX_PIXELS), "threads": "1"}
    container_options = {
        "format_whitelist": FORMATS,
        "protocol_whitelist": "",
        "codec_whitelist": ",".join(sorted(CODECS | _SOUND_CODECS)),
        "probesize": str(50 << 20),
        "analyzeduration": str(20_000_000),
        "max_streams": "100",
        "err_detect": "crccheck",
        "export_all": "1",
        "export_xmp": "1",
    }
    try:
        with complaints.heard():
            opened: Any = av.open(
                Nameless(source),
                mode="r",
                options=options,
                container_options=container_options,
                metadata_errors="replace",
                io_open=_refuse,
                buffer_size=1 << 16,
            )
    except (av.error.FFmpegError, ValueError, EOFError) as error:
        raise _not_opened(start) from error
    except OSError as error:
        raise unreadable(error) from error
    container: InputContainer = opened
    return container


_SOUND_CODECS_NAMES = """
aac aac_fixed aac_latm ac3 eac3 mp1float mp2 mp2float mp3 mp3float opus vorbis flac alac amrnb amrwb wmav1
wmav2 wmapro pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_u8 pcm_s8 pcm_alaw pcm_mulaw pcm_dvd
pcm_bluray pcm_f32le pcm_f32be adpcm_ima_wav adpcm_ima_qt adpcm_ms dvaudio dca truehd qcelp g726
"""
_SOUND_CODECS = frozenset(_SOUND_CODECS_NAMES.split())


def _not_opened(start: bytes) -> SafelightError:
    known = {
        b"RIFF": "AVI",
        b"\x1a\x45\xdf\xa3": "Matroska",
        b"FLV\x01": "FLV",
        b"\x30\x26\xb2\x75": "Windows Media",
    }
    if start[:4] == b"RIFF" and start[8:12] != b"AVI ":
        known = {}
    name = known.get(start[:4]) or ("MP4 or MOV" if start[4:8] in (b"ftyp", b"moov") else "")
    if name:
        return SafelightError(Code.DAMAGED, f"This begins like {name} but its index cannot be read.")
    return SafelightError(Code.NOT_MEDIA, "This is no film or picture in a format Safelight reads.")


_BOXES = frozenset(
    [
        b"ftyp",
        b"moov",
        b"mdat",
        b"free",
        b"skip",
        b"wide",
        b"uuid",
        b"pnot",
        b"moof",
        b"mfra",
        b"sidx",
        b"styp",
        b"meta",
        b"pdin",
        b"udta",
        b"emsg",
        b"prft",
    ]
)
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_MAX_BOXES = 1 << 20
SYNC = 0x47  # begins each packet of a transport stream
UNITS = ((188, 0), (192, 4), (204, 0))  # bytes from packet to packet, and before the sync byte
ALIKE = 5  # sync bytes in a row that are no accident


def unit_of(start: bytes) -> tuple[int, int] | None:
    """Bytes from packet to packet and before the first sync byte, if a file that begins so is a transport stream."""
    for unit, sync in UNITS:
        if len(start) > sync + (ALIKE - 1) * unit and all(start[sync + n * unit] == SYNC for n in range(ALIKE)):
            return unit, sync
    return None


def promised_size(source: BinaryIO, size: int) -> int:
    """How long the file claims to be, where its structure tells; else its real length. Never less than that.

    AVI: the RIFF length. Windows Media: the file properties object (ASF 3.2). MP4 and MOV: the end of the last box
    (ISO/IEC 14496-12, 4.2). Transport streams and DV: whole
    packets and frames. Leaves the position at the start. Raises SL-TRUNCATED for an MP4 or MOV without index.
    """
    start = head(source, 1024)
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return max(int.from_bytes(start[4:8], "little") + 8, size)
    if start[:4] == b"\x30\x26\xb2\x75":
        at = head(source, 1 << 16).find(_ASF_PROPERTIES)
        return max(int.from_bytes(head(source, at + 48)[at + 40 : at + 48], "little"), size) if at > 0 else size
    if start[4:8] in _BOXES - {b"meta", b"udta"}:
        return _boxes_end(source, size)
    if packets := unit_of(start):
        return -(-size // packets[0]) * packets[0]
    if start[:3] == b"\x1f\x07\x00" and len(start) > 3:  # IEC 61834: header section of a DV frame
        unit = 144000 if start[3] & 0x80 else 120000
        return -(-size // unit) * unit
    return size


def _boxes_end(source: BinaryIO, size: int) -> int:
    kinds: set[bytes] = set()
    position = 0
    try:
        for _ in range(_MAX_BOXES):
            if position + 8 > size:
                break
            source.seek(position)
            header = source.read(16)
            length, kind = int.from_bytes(header[:4], "big"), header[4:8]
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            elif length == 0:
                length = size - position
            complete = position + length <= size
            if length < 8 or (kind not in _BOXES and kinds) or (kind == b"moov" and not complete):
                break  # what follows the last box is not part of the film; FFmpeg stops here as well
            kinds.add(kind)
            position += length
        source.seek(0)
    except OSError as error:
        raise unreadable(error) from error
    if b"moov" not in kinds and b"meta" not in kinds:
        raise SafelightError(Code.TRUNCATED, "The index (moov) of this MP4 or MOV file is missing.")
    return max(position, size)
