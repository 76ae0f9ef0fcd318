"""As much of PNG as the tests need: 8 and 16 bits, grey and RGB, no palette, not interlaced."""
import struct
import zlib

MARK = b"\x89PNG\r\n\x1a\n"


def write(width, height, planes, samples):
    """The file of a picture of 8-bit samples."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    lines = [bytes(samples[y * width * planes:(y + 1) * width * planes]) for y in range(height)]
    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2}[planes], 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + line for line in lines))
    return MARK + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def read(data):
    """width, height, planes, samples"""
    assert data[:8] == MARK
    chunks, at = {}, 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        chunks[kind] = chunks.get(kind, b"") + data[at + 8:at + 8 + length]
        at += length + 12
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert depth in (8, 16) and colour in (0, 2) and rest == [0, 0, 0], "a kind of PNG that the tests do not know"
    planes = {0: 1, 2: 3}[colour]
    step = planes * depth // 8
    lines, stride, raw = [bytes(width * step)], width * step, zlib.decompress(chunks[b"IDAT"])
    for y in range(height):
        line = raw[y * (stride + 1):(y + 1) * (stride + 1)]
        lines.append(unfilter(line[0], line[1:], lines[-1], step))
    data = b"".join(lines[1:])
    samples = list(data) if depth == 8 else [high << 8 | low for high, low in zip(data[::2], data[1::2])]
    return width, height, planes, samples


def unfilter(kind, line, above, step):
    out = bytearray()
    for i, byte in enumerate(line):
        left, corner = (out[i - step], above[i - step]) if i >= step else (0, 0)
        up = above[i]
        guess = left + up - corner
        paeth = min((left, up, corner), key=lambda value: abs(guess - value))
        out.append((byte + (0, left, up, (left + up) // 2, paeth)[kind]) & 255)
    return bytes(out)
