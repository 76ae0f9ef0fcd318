"""Writes a folder of JPEG files of many kinds, sound and damaged, with what libjpeg-turbo makes of them.

    python jpeg_corpus.py FOLDER

`FOLDER/corpus.json` lists the files. Of each:

- `name` is the file's, `group` the kind of file.
- `pixels` names a file of 8-bit samples, row by row, grey or red, green and blue: the picture as libjpeg-turbo decodes it
  (through Pillow). It is missing where libjpeg-turbo refuses the file.
- `expect` is a list of what a reader may do: `exact` (these pixels within rounding, without a word), `notice` (these pixels
  and a notice), `unsupported` or `damaged` (refuse with this code), `warn` (any pixels with a notice).
"""

import io
import json
import pathlib
import random
import sys

import numpy
import simplejpeg
from PIL import Image

from jpeg_encoder import Component, Frame, Scan, adobe, jfif, planes, segment, spectral, successive

FULL, WIDE, TALL, LARGE = (1, 1), (2, 1), (1, 2), (2, 2)
THREE = [
    [FULL, FULL, FULL],
    [WIDE, FULL, FULL],
    [TALL, FULL, FULL],
    [LARGE, FULL, FULL],
    [(4, 1), FULL, FULL],
    [(1, 4), FULL, FULL],
    [(4, 2), FULL, FULL],
    [(2, 4), FULL, FULL],
    [(3, 1), FULL, FULL],
    [(1, 3), FULL, FULL],
    [(3, 2), FULL, FULL],
    # The same, said in another way.
    [WIDE, WIDE, WIDE],
    [TALL, TALL, TALL],
    [LARGE, WIDE, WIDE],
    [LARGE, TALL, TALL],
    [(4, 1), WIDE, WIDE],
    [(1, 4), TALL, TALL],
    # Chroma finer than luma, and each plane in its own way.
    [FULL, WIDE, WIDE],
    [FULL, TALL, TALL],
    [FULL, LARGE, LARGE],
    [FULL, FULL, LARGE],
    [WIDE, TALL, FULL],
    [WIDE, TALL, TALL],
    [TALL, WIDE, WIDE],
    [LARGE, WIDE, TALL],
    [LARGE, WIDE, FULL],
    [LARGE, FULL, TALL],
    [(4, 1), WIDE, FULL],
    [FULL, (3, 1), (3, 1)],
    [FULL, (4, 1), (4, 1)],
    # Not whole multiples of each other.
    [(3, 1), WIDE, FULL],
    [(3, 2), WIDE, FULL],
    [WIDE, (3, 1), FULL],
    [(1, 3), TALL, TALL],
]
ONE = [[FULL], [WIDE], [LARGE], [(4, 4)], [(1, 3)]]
FOUR = [
    [FULL, FULL, FULL, FULL],
    [LARGE, FULL, FULL, LARGE],
    [WIDE, FULL, FULL, WIDE],
    [WIDE, FULL, FULL, FULL],
    [FULL, FULL, FULL, WIDE],
]
SIZES = [(1, 1), (7, 9), (8, 8), (16, 16), (17, 33), (40, 31), (65, 23)]
CODED = {
    "sequential": (lambda count: [Scan(list(range(count)))], False),
    "planes": (planes, False),
    "pair": (lambda count: [Scan([0]), Scan(list(range(1, count)))] if count > 2 else planes(count), False),
    "spectral": (spectral, True),
    "successive": (successive, True),
}


def usual(sampling, coding="sequential"):
    """Whether a reader must not refuse it: luma and black as fine as anything else, chroma whole times coarser."""
    if coding == "pair" and len(sampling) > 2:
        return False
    most_h, most_v = (max(part) for part in zip(*sampling))
    if len(sampling) == 4:
        return sampling[0] == sampling[3] == (most_h, most_v) and sampling[1] == sampling[2]
    divides = all(most_h % h == 0 and most_v % v == 0 for h, v in sampling)
    return len(sampling) == 1 or (sampling[0] == (most_h, most_v) and divides)


def picture(index, x, y):
    """Soft shapes and hard edges, different in each component."""
    wave = [
        numpy.sin(9 * x + 3 * y) * numpy.cos(5 * y),
        numpy.sin(4 * y + 2 * x),
        numpy.cos(5 * x - 3 * y),
        numpy.sin(7 * y) * numpy.cos(3 * x),
    ][index]
    edge = ((x - 0.6) ** 2 + (y - 0.4) ** 2 < 0.05) * [60, -40, 30, 20][index]
    return 128 + [90, 50, 60, 70][index] * wave + edge


def frame(sampling, size, identifiers=(1, 2, 3, 4)):
    """A painted picture."""
    parts = zip(identifiers, sampling)
    components = [Component(identifier, s, 3 if i % 3 == 0 else 5) for i, (identifier, s) in enumerate(parts)]
    return Frame(*size, components).paint(picture)


def coded(made, name="sequential", restart=0, **how):
    scans, progressive = CODED[name]
    return made.encode(scans(len(made.components)), progressive, restart, **how)


def without_a_word(sampling):
    """What a reader says of sound files that it must read: of four inks it warns that their colours are approximate."""
    return "notice" if len(sampling) == 4 else "exact"


def fits(sampling):
    """Whether one interleaved unit has at most the ten blocks that the standard allows."""
    return sum(h * v for h, v in sampling) <= 10


class Corpus:
    def __init__(self):
        self.entries = []

    def add(self, group, name, data, expect, sound=None):
        """`sound` is a file with the same picture, where libjpeg-turbo's reader refuses this one."""
        self.entries.append((group, f"{len(self.entries):04d} {group} {name}", data, expect, sound or data))


def samplings(corpus):
    """Every sampling in every order of scans, with and without restarts, in many sizes."""
    number = 0
    for sampling in [*ONE, *THREE, *FOUR]:
        for coding in CODED:
            if not fits(sampling) and coding != "planes":
                continue
            if len(sampling) < 3 and coding == "pair":
                continue
            for restart in (0, 3):
                for turn in range(2):
                    size = SIZES[(number + 3 * turn) % len(SIZES)] if turn else SIZES[4 + number % 3]
                    number += 1
                    head = b"" if len(sampling) > 3 else jfif()
                    data = coded(frame(sampling, size), coding, restart, head=head)
                    name = f"{'+'.join(f'{h}x{v}' for h, v in sampling)} {coding} restart {restart} {size[0]}x{size[1]}"
                    read = without_a_word(sampling)
                    corpus.add("sampling", name, data, [read] if usual(sampling, coding) else [read, "unsupported"])


def colours(corpus):
    """How colours are stored is said by two segments and by the components' names."""
    heads = {"nothing": b"", "jfif": jfif()}
    heads |= {f"adobe {t}": adobe(t) for t in (0, 1, 2)}
    heads |= {f"jfif, adobe {t}": jfif() + adobe(t) for t in (0, 1, 2)}
    heads |= {f"adobe {t}, jfif": adobe(t) + jfif() for t in (0, 1)}
    names = {"123": (1, 2, 3, 4), "RGB": tuple(b"RGBA"), "rgb": tuple(b"rgba"), "012": (0, 1, 2, 3), "567": (5, 6, 7, 8)}
    names |= {"CMYK": tuple(b"CMYK"), "321": (3, 2, 1, 4)}
    for count in (1, 2, 3, 4):
        for says, head in heads.items():
            for called, identifiers in names.items():
                for sampling in ([FULL] * count, [LARGE, FULL, FULL, LARGE][:count]):
                    if count == 1 and sampling[0] == LARGE:
                        continue
                    coding = "successive" if len(corpus.entries) % 3 == 0 else "sequential"
                    data = coded(frame(sampling, (24, 18), identifiers), coding, head=head)
                    expect = ["unsupported"] if count == 2 else [without_a_word(sampling)]
                    corpus.add("colour", f"{count} {says} {called} {coding} {sampling[0]}", data, expect)


def ends(corpus):
    """Every pixel is there, and the end is not as it should be."""
    for sampling in (ONE[0], THREE[0], THREE[3], THREE[19]):
        expect = ["notice"] if sampling in (ONE[0], *THREE[:4]) else ["notice", "unsupported"]
        for coding in ("sequential", "planes", "spectral", "successive"):
            for restart in (0, 2):
                made = frame(sampling, (40, 31))
                name = f"{sampling[0]} {coding} restart {restart}"
                whole = coded(made, coding, restart, head=jfif())
                corpus.add("no end", name, whole[:-2], expect, whole)
                corpus.add("half an end", name, whole[:-1], expect, whole)
                follows = ["exact", "notice"] if sampling != THREE[19] else ["exact", "notice", "unsupported"]
                for after in (bytes(100), b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 3, whole, b"\r\n"):
                    corpus.add("more behind", name, whole + after, follows)
                fill = coded(made, coding, restart, head=jfif(), end=b"\xff\xff\xff\xd9")
                corpus.add("filling bytes", name, fill, follows)


def lossless_changes(corpus):
    """Legal oddities: segments between scans, comments, tables that come early or twice."""
    for sampling in (THREE[0], THREE[3]):
        for coding in ("sequential", "planes", "successive"):
            data = coded(frame(sampling, (40, 31)), coding, 2, head=jfif())
            at = data.index(b"\xff\xda")
            expect = ["exact"]
            corpus.add("oddity", f"comment before a scan {coding}", data[:at] + segment(0xFE, b"\xff\xd9 \xff\xda") + data[at:], expect)
            corpus.add("oddity", f"filling before a scan {coding}", data[:at] + b"\xff\xff\xff" + data[at:], expect)
            exif = segment(0xE1, b"Exif\0\0" + b"\xff\xd9\xff\xd8" * 9)
            corpus.add("oddity", f"camera's segment {coding}", data[:2] + exif + data[2:], expect)
            tables = data[data.index(b"\xff\xdb") :][: 2 + 67]
            corpus.add("oddity", f"a table twice {coding}", data[:at] + tables + data[at:], expect)
    for sampling in (ONE[0], THREE[0], THREE[3]):
        for coding in ("planes", "spectral", "successive"):
            data = coded(frame(sampling, (40, 31)), coding, 2, head=jfif())
            scans = [at for at in range(len(data)) if data[at : at + 2] == b"\xff\xda"]
            # A table that changes between two scans is not for the planes whose scans have begun.
            other = segment(0xDB, b"\0" + bytes([9] * 64))
            allowed = ["exact", "unsupported"] if len(scans) > 1 else ["exact"]
            corpus.add("oddity", f"a table changes {coding}", data[: scans[-1]] + other + data[scans[-1] :], allowed)
            start, end = scan_ends(data)[-1]
            last = max(data.rfind(bytes([0xFF, mark]), start, end) for mark in range(0xD0, 0xD8))
            again = bytes([0xFF, 0xD0 + (data[last + 1] + 1) % 8])
            corpus.add("oddity", f"a restart at the end {coding}", data[:end] + again + data[end:], ["exact"])
            at = data.index(b"\xff\xdb")
            wide = segment(0xDB, b"\x10" + b"".join(bytes([0, step]) for step in data[at + 5 : at + 69]))
            corpus.add("oddity", f"steps of 16 bits {coding}", data[:at] + wide + data[at + 69 :], ["exact"])
    made = frame(THREE[3], (40, 31))
    for restart in (1, 5, 1000, 65535):
        for coding in ("sequential", "successive"):
            corpus.add("oddity", f"restarts every {restart} {coding}", coded(made, coding, restart), ["exact"])
    corpus.add("oddity", "lines said behind the scan", coded(made, number_of_lines=True), ["exact", "unsupported"])
    corpus.add("oddity", "lines said behind the scan, planes", coded(made, "planes", number_of_lines=True), ["exact", "unsupported"])


def scan_ends(data):
    """Where the entropy-coded data of each scan starts and ends."""
    at, found = 2, []
    while data[at + 1] != 0xD9:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        start = at + 2 + length
        if data[at + 1] == 0xDA:
            end = start
            while data[end] != 0xFF or data[end + 1] in (0, *range(0xD0, 0xD8)):
                end += 1
            found.append((start, end))
            start = end
        at = start
    return found


def damages(corpus):
    """Data are missing, though the end marker is there; or tables, scans or restarts are."""
    refuse = ["damaged", "warn"]
    for sampling in (ONE[0], THREE[0], THREE[1], THREE[3], THREE[17], THREE[19]):
        expect = refuse if sampling in (ONE[0], *THREE[:4]) else [*refuse, "unsupported"]
        for coding in ("sequential", "planes", "spectral", "successive"):
            for restart in (0, 3):
                made = frame(sampling, (65, 40))
                whole = coded(made, coding, restart, head=jfif())
                name = f"{sampling[0]}{sampling[-1]} {coding} restart {restart}"
                add = lambda kind, data: corpus.add("damage", f"{kind} {name}", data, expect)
                scans = scan_ends(whole)
                for which in {0, len(scans) - 1}:
                    start, end = scans[which]
                    if end - start < 24:
                        continue
                    middle = (start + end) // 2
                    add(f"half of scan {which} missing", whole[:middle] + whole[end:])
                    add(f"all of scan {which} missing", whole[:start] + whole[end:])
                    add(f"8 bytes of scan {which} missing", whole[: middle - 4] + whole[middle + 4 :])
                    add(f"last 4 bytes of scan {which} missing", whole[: end - 4] + whole[end:])
                    add(f"file cut in scan {which}, end put behind", whole[:middle] + b"\xff\xd9")
                    add(f"file cut in scan {which}", whole[:middle])
                    if restart:
                        marks = [i for i in range(start, end) if whole[i] == 0xFF and 0xD0 <= whole[i + 1] <= 0xD7]
                        if len(marks) < 4:
                            continue
                        a, b, c = marks[1], marks[2], marks[3]
                        add(f"interval of scan {which} lost", whole[:a] + whole[b:])
                        add(f"interval of scan {which} emptied", whole[: a + 2] + whole[b:])
                        add(f"restart of scan {which} lost", whole[:a] + whole[a + 2 :])
                        add(f"restarts of scan {which} swapped", whole[:a] + whole[b:c] + whole[a:b] + whole[c:])
                        add(f"restart of scan {which} misnamed", whole[: a + 1] + b"\xd7" + whole[a + 2 :])
                        add(f"restart of scan {which} twice", whole[:a] + whole[a : a + 2] + whole[a:])
                if coding != "sequential":
                    headers = [i for i in range(len(whole)) if whole[i : i + 2] == b"\xff\xda"]
                    tables = whole.rindex(b"\xff\xc4", 0, headers[-1])
                    add("last scan missing", whole[:tables] + b"\xff\xd9")
                    add("last scan and end missing", whole[:tables])
                table = whole.index(b"\xff\xc4")
                length = 2 + int.from_bytes(whole[table + 2 : table + 4], "big")
                add("first code table missing", whole[:table] + whole[table + length :])
                table = whole.index(b"\xff\xdb")
                add("quantisation table missing", whole[:table] + whole[table + 69 :])
                header = whole.index(b"\xff\xda")
                add("scan of an unknown component", whole[: header + 5] + b"\x63" + whole[header + 6 :])


def changes(corpus):
    """Bytes changed at random. Where libjpeg-turbo has no complaint, the change cannot be found; where it has one, it must."""
    chance = random.Random(16)
    files = [coded(frame(s, (48, 40)), c, r, head=jfif()) for s in (ONE[0], *THREE[:4]) for c in CODED for r in (0, 2)]
    for number in range(600):
        whole = files[number % len(files)]
        data = bytearray(whole)
        start = whole.index(b"\xff\xda")
        for _ in range(chance.choice((1, 1, 2, 5))):
            at = chance.randrange(start if chance.random() < 0.8 else 2, len(data) - 2)
            kind = chance.randrange(4)
            if kind == 0:
                data[at] ^= 1 << chance.randrange(8)
            elif kind == 1:
                data[at] = chance.randrange(256)
            elif kind == 2:
                del data[at : at + chance.choice((1, 2, 17))]
            else:
                data[at:at] = chance.randbytes(chance.choice((1, 3)))
        data = bytes(data)
        try:
            grey = simplejpeg.decode_jpeg_header(data)[2] == "Gray"
            simplejpeg.decode_jpeg(data, "GRAY" if grey else "RGB", strict=True)
            expect = ["exact", "notice", "damaged", "unsupported", "large"]
        except ValueError:
            expect = ["damaged", "unsupported", "warn", "large"]
        corpus.add("change", f"{number}", data, expect)


def saved(samples, **how):
    """A file by libjpeg-turbo's own encoder."""
    out = io.BytesIO()
    Image.fromarray(samples).save(out, "JPEG", **how)
    return out.getvalue()


def restepped(data, change):
    """The same file with other quantisation tables: `change` gets the body of one, and gives another."""
    at, out = 2, [data[:2]]
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        out.append(segment(0xDB, change(data[at + 4 : end])) if data[at + 1] == 0xDB else data[at:end])
        at = end
    return b"".join(out) + data[at:]


def values(corpus):
    """Coefficients times steps: as large as pictures give, which nobody is to be warned of, and larger."""
    noise = numpy.random.default_rng(5)
    y, x = numpy.mgrid[:40, :48]
    pictures = {
        "noise": noise.integers(0, 256, (40, 48, 3)),
        "black and white": noise.choice([0, 255], (40, 48, 3)),
        "primaries": noise.choice([0, 255], (5, 6, 3)).repeat(8, 0).repeat(8, 1),
        "checks": 255 * ((x + y) % 2)[:, :, None].repeat(3, 2),
        "stripes": 255 * (x // 2 % 2)[:, :, None].repeat(3, 2),
    }
    pictures = {name: samples.astype(numpy.uint8) for name, samples in pictures.items()}
    for name, samples in pictures.items():
        for quality in range(1, 101):
            how = {"progressive": quality % 3 == 0, "subsampling": quality % 2 * 2}
            corpus.add("honest values", f"{name} quality {quality}", saved(samples, quality=quality, **how), ["exact"])
        grey = saved(samples[:, :, 0], quality=1)
        corpus.add("honest values", f"{name} grey", grey, ["exact"])
        for quality in (30, 80, 95):
            for progressive in (False, True):
                data = saved(samples, quality=quality, progressive=progressive)
                called = f"{name} quality {quality}{' progressive' * progressive}"
                for factor in (2, 4, 8, 16, 200):
                    more = lambda table: table[:1] + bytes(min(255, factor * step) for step in table[1:])
                    corpus.add("large values", f"{called} x {factor}", restepped(data, more), ["exact", "warn"])
                for step in (256, 1000, 5000, 32767, 65535):
                    wide = lambda table: bytes([16 + table[0]]) + step.to_bytes(2, "big") * 64
                    expect = ["exact", "warn"]
                    corpus.add("large values", f"{called} steps of {step}", restepped(data, wide), expect)


def known_codes(corpus):
    """Frames of Motion JPEG have no Huffman codes: the standard's examples are meant."""
    samples = numpy.random.default_rng(6).integers(0, 256, (40, 48, 3)).astype(numpy.uint8)
    for source in (samples, samples[:, :, 0]):
        whole = saved(source, quality=80, restart_marker_blocks=4)
        at, out = 2, [whole[:2]]
        while whole[at + 1] != 0xDA:
            end = at + 2 + int.from_bytes(whole[at + 2 : at + 4], "big")
            out.append(b"" if whole[at + 1] == 0xC4 else whole[at:end])
            at = end
        corpus.add("known codes", f"{source.ndim} axes", b"".join(out) + whole[at:], ["exact"])
        corpus.add("two starts", f"{source.ndim} axes", whole[:2] + whole, ["damaged"])


def others(corpus):
    """Sound files of processes that this reader need not know, by their frame's marker; only the headers are theirs."""
    data = coded(frame(THREE[3], (40, 31)), head=jfif())
    at = data.index(b"\xff\xc0")
    for marker in (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF, 0xF7):
        corpus.add("process", f"{marker:X}", data[: at + 1] + bytes([marker]) + data[at + 2 :], ["unsupported"])
    corpus.add("process", "12 bits", data[: at + 1] + b"\xc1\0\x11\x0c" + data[at + 5 :], ["unsupported"])
    corpus.add("process", "16 bits, lossless", data[: at + 1] + b"\xc3\0\x11\x10" + data[at + 5 :], ["unsupported"])
    corpus.add("process", "hierarchical", data[:at] + segment(0xDE, data[at + 4 : at + 19]) + data[at:], ["unsupported"])
    arithmetic = segment(0xCC, b"\0\x10") + data[at:at + 1] + b"\xc9" + data[at + 2 :]
    corpus.add("process", "arithmetic", data[:at] + arithmetic, ["unsupported"])


def decoded(data):
    """libjpeg-turbo's picture, or nothing where it refuses. Four inks are taken for inverted, as all programs do."""
    try:
        image = Image.open(io.BytesIO(data))
        if image.format != "JPEG":
            return None
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
    if image.mode == "CMYK":
        image = image.convert("RGB")
    return numpy.asarray(image)


def main(folder):
    corpus = Corpus()
    for part in (samplings, colours, ends, lossless_changes, damages, changes, values, known_codes, others):
        part(corpus)
    entries = []
    for group, name, data, expect, sound in corpus.entries:
        (folder / f"{name}.jpg").write_bytes(data)
        entry = {"name": name, "group": group, "expect": expect}
        pixels = decoded(sound)
        if pixels is not None:
            (folder / f"{name}.raw").write_bytes(pixels.tobytes())
            height, width, *channels = pixels.shape
            entry |= {"pixels": f"{name}.raw", "width": width, "height": height, "channels": channels[0] if channels else 1}
        entries.append(entry)
    (folder / "corpus.json").write_text(json.dumps(entries))
    print(len(entries), "files")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
