"""Pictures as planar YUV arrays: unpacking decoded frames pointwise, and packing them again.

Pointwise means: every sample of the result depends on the stored samples of the same pixel only (a chroma sample on
the chroma sample it was stored as). Hiding happens on these planes, so nothing hidden may have leaked sideways before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

from safelight.errors import Code, SafelightError

Samples = NDArray[np.uint8] | NDArray[np.uint16]

# Every tap at one place, no shortcut that reads every other pixel for chroma, the same result on every processor.
_POINTWISE = (
    Interpolation.POINT
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.FULL_CHR_H_INT
    | Interpolation.ACCURATE_RND
    | Interpolation.BITEXACT
)
_SUBSAMPLING = {(1, 1): "444", (2, 1): "422", (2, 2): "420", (4, 1): "411", (1, 2): "440", (4, 4): "410"}
_DEPTHS = (8, 9, 10, 12, 14, 16)


@dataclass
class Planes:
    """One picture as planar YUV (or grey: ``u`` and ``v`` are None), writable, owned by the caller.

    ``y`` has shape (stored_height, stored_width); ``u`` and ``v`` (ceil(height / sub_y), ceil(width / sub_x)).
    ``depth``: significant bits, 8 to 16; values are right-aligned in uint8 (depth 8) or uint16 (deeper).
    """

    y: Samples
    u: Samples | None
    v: Samples | None
    sub_x: int
    sub_y: int
    depth: int
    full_range: bool

    @property
    def black(self) -> tuple[int, int]:
        """The values of (luma, chroma) that show black."""
        return (0 if self.full_range else 16 << (self.depth - 8)), 128 << (self.depth - 8)

    def mirrored(self) -> Planes:
        """The same picture with left and right exchanged; luma and the chroma it shares stay together."""
        u: NDArray[Any] | None = self.u
        v: NDArray[Any] | None = self.v
        sub_x = self.sub_x
        width = self.y.shape[1]
        if u is not None and v is not None and width % sub_x:
            # The last chroma sample stands for fewer pixels than the others; mirrored, it would come first and shift
            # every share. One chroma sample per column has no shares to shift.
            u, v = np.repeat(u, sub_x, axis=1)[:, :width], np.repeat(v, sub_x, axis=1)[:, :width]
            sub_x = 1
        u = None if u is None else u[:, ::-1].copy()
        v = None if v is None else v[:, ::-1].copy()
        return Planes(self.y[:, ::-1].copy(), u, v, sub_x, self.sub_y, self.depth, self.full_range)


def unpack(frame: VideoFrame) -> Planes:
    """A private, writable copy of a decoded frame as planes; alpha is laid over black.

    RGB (and palettes) become 4:4:4 with the BT.709 matrix in full range. Raises SL-UNSUPPORTED for pixel formats that
    no camera or editor writes (raw sensor mosaics).
    """
    layout = frame.format
    full = frame.color_range == ColorRange.JPEG or layout.name.startswith("yuvj")
    if layout.is_bayer:
        raise SafelightError(Code.UNSUPPORTED, f"The pixels are stored as {layout.name}, an unprocessed sensor mosaic.")
    alpha = any(part.is_alpha for part in layout.components) or layout.has_palette
    if layout.is_rgb or layout.has_palette:
        return _unpack_rgb(frame, alpha)
    if not _is_planar_yuv(layout):
        frame = VideoReformatter().reformat(
            frame, format=_planar_name(layout, alpha), interpolation=_POINTWISE, threads=1
        )
        layout = frame.format
    count = len(layout.components)
    sub_x, sub_y = subsampling(layout) if count >= 3 else (1, 1)
    depth = layout.components[0].bits
    planes = [_plane(frame, index) for index in range(count)]
    u, v = (planes[1], planes[2]) if count >= 3 else (None, None)
    result = Planes(planes[0], u, v, sub_x, sub_y, depth, full)
    if count in (2, 4):
        _over_black(result, planes[-1])
    return result


def pack(planes: Planes) -> VideoFrame:
    """The planes as a new frame (yuv4xxp or gray of the same depth); nothing is converted."""
    height, width = planes.y.shape
    frame = VideoFrame(width, height, format_name(planes))
    for index, samples in enumerate((planes.y, planes.u, planes.v)):
        if samples is not None:
            view(frame, index)[:] = samples
    frame.color_range = ColorRange.JPEG if planes.full_range else ColorRange.MPEG
    return frame


def format_name(planes: Planes) -> str:
    """FFmpeg's name of the pixel format of these planes."""
    deep = "" if planes.depth == 8 else f"{planes.depth}le"
    if planes.u is None:
        return f"gray{deep}"
    return f"yuv{_SUBSAMPLING[planes.sub_x, planes.sub_y]}p{deep}"


def view(frame: VideoFrame, index: int) -> NDArray[Any]:
    """One plane of a planar frame as an array over the frame's own memory, shape (rows, columns)."""
    part = frame.format.components[index]
    kind = np.dtype(np.uint16 if part.bits > 8 else np.uint8)
    plane = frame.planes[index]
    stride = plane.line_size // kind.itemsize
    memory = np.frombuffer(cast(memoryview, plane), dtype=kind, count=stride * plane.height)
    rows: NDArray[Any] = memory.reshape(plane.height, stride)[:, : plane.width]
    return rows


def subsampling(layout: VideoFormat) -> tuple[int, int]:
    """How many luma columns and rows share one chroma sample."""
    return _step(layout, horizontal=True), _step(layout, horizontal=False)


def has_luma(layout: VideoFormat) -> bool:
    """Whether luma lies in a plane of its own, one byte a pixel, with nothing transparent over it."""
    parts = layout.components
    alone = parts[0].plane == 0 and all(part.plane != 0 for part in parts[1:])
    opaque = not any(part.is_alpha for part in parts) and not layout.has_palette
    return alone and opaque and parts[0].bits == 8 and not layout.is_rgb and not layout.is_bayer


def _step(layout: VideoFormat, *, horizontal: bool) -> int:
    return 64 // (layout.chroma_width(64) if horizontal else layout.chroma_height(64))


def _plane(frame: VideoFrame, index: int) -> Samples:
    return np.array(view(frame, index))


def _is_planar_yuv(layout: VideoFormat) -> bool:
    """Whether each component has a plane of its own, right-aligned, in this machine's byte order."""
    parts = layout.components
    return (
        sorted(part.plane for part in parts) == list(range(len(parts)))
        and not layout.is_big_endian
        and not layout.is_bit_stream
        and all(part.bits == parts[0].bits for part in parts)
        and parts[0].bits in _DEPTHS
        and layout.name.startswith(("yuv", "gray", "ya"))
        and "msb" not in layout.name
    )


def _planar_name(layout: VideoFormat, alpha: bool) -> str:
    """The planar format that takes all samples of a packed one as they are."""
    bits = max(part.bits for part in layout.components)
    depth = next((d for d in _DEPTHS if d >= bits), 0)
    deep = "" if depth == 8 else f"{depth}le"
    chroma = any(part.is_chroma for part in layout.components)
    subs = _SUBSAMPLING.get(subsampling(layout), "") if chroma else ""
    if not depth or (chroma and not subs):
        raise SafelightError(Code.UNSUPPORTED, f"The pixels are stored as {layout.name}.")
    if not chroma:
        return f"yuva444p{deep}" if alpha else f"gray{deep}"
    return f"yuv{'a' if alpha else ''}{subs}p{deep}"


def _unpack_rgb(frame: VideoFrame, alpha: bool) -> Planes:
    bits = max(part.bits for part in frame.format.components)
    deep = bits > 8
    scaler = VideoReformatter()
    if alpha:
        packed = scaler.reformat(frame, format="rgba64le" if deep else "rgba", interpolation=_POINTWISE, threads=1)
        pixels = packed.to_ndarray()
        top = 65535 if deep else 255
        colour = pixels[..., :3].astype(np.uint32)
        colour = (colour * pixels[..., 3:].astype(np.uint32) + top // 2) // top
        frame = VideoFrame.from_ndarray(
            np.ascontiguousarray(colour.astype(pixels.dtype)), format="rgb48le" if deep else "rgb24"
        )
    depth = next(d for d in (8, 10, 12, 16) if d >= min(bits, 16))
    planar = VideoReformatter().reformat(
        frame,
        format="yuv444p" if depth == 8 else f"yuv444p{depth}le",
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.JPEG,
        dst_colorspace=Colorspace.ITU709,
        interpolation=_POINTWISE,
        threads=1,
    )
    return Planes(_plane(planar, 0), _plane(planar, 1), _plane(planar, 2), 1, 1, depth, True)


def _over_black(planes: Planes, alpha: Samples) -> None:
    """Lay the picture over black, in place."""
    top = (1 << planes.depth) - 1
    luma, chroma = planes.black
    shared = alpha[:: planes.sub_y, :: planes.sub_x]
    for samples, part, black in (
        (planes.y, alpha, luma),
        (planes.u, shared, chroma),
        (planes.v, shared, chroma),
    ):
        if samples is not None:
            delta = (samples.astype(np.int64) - black) * part
            samples[:] = black + np.round(delta / top).astype(np.int64)
