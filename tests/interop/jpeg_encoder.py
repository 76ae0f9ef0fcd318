"""A small JPEG encoder that writes what usual encoders do not: every sampling, every order of scans, any markers.

It follows ITU-T T.81. Samples are given for each component at the component's own size. Huffman codes all have one
length within a scan: the files are larger than they need to be, and valid.
"""

import numpy

ZIGZAG = sorted(range(64), key=lambda k: (k // 8 + k % 8, k // 8 if (k // 8 + k % 8) % 2 else k % 8))
_ANGLES = numpy.outer(2 * numpy.arange(8) + 1, numpy.arange(8)) * numpy.pi / 16
_DCT = numpy.where(numpy.arange(8) == 0, numpy.sqrt(0.125), 0.5) * numpy.cos(_ANGLES)


class Component:
    """One colour plane: its sampling factors, its identifier, and its quantised coefficients in zigzag order."""

    def __init__(self, identifier, sampling, step=4):
        self.identifier = identifier
        self.h, self.v = sampling
        self.step = step

    def measure(self, width, height, most_h, most_v):
        """Sets the size in samples, and in blocks: those that hold samples, and those of whole interleaved units."""
        self.width, self.height = _ceil(width * self.h, most_h), _ceil(height * self.v, most_v)
        self.across, self.down = _ceil(self.width, 8), _ceil(self.height, 8)
        self.stored_across = _ceil(width, 8 * most_h) * self.h
        self.stored_down = _ceil(height, 8 * most_v) * self.v

    def transform(self, samples):
        """Takes the plane's samples, from 0 to 255, repeats the last row and column as padding, and keeps the coefficients."""
        stored_width, stored_height = 8 * self.stored_across, 8 * self.stored_down
        rows = numpy.minimum(numpy.arange(stored_height), self.height - 1)
        columns = numpy.minimum(numpy.arange(stored_width), self.width - 1)
        padded = samples[numpy.ix_(rows, columns)].astype(float) - 128
        blocks = padded.reshape(self.stored_down, 8, self.stored_across, 8).transpose(0, 2, 1, 3)
        frequencies = _DCT.T @ blocks @ _DCT
        quantised = numpy.rint(frequencies / self.step).astype(int)
        self.blocks = quantised.reshape(self.stored_down, self.stored_across, 64)[:, :, ZIGZAG].tolist()


class Scan:
    """Which components, by their place in the frame, which coefficients, and which bits of them."""

    def __init__(self, components, first=0, last=63, high=0, low=0):
        self.components = components
        self.first, self.last, self.high, self.low = first, last, high, low


def planes(count):
    """Sequential scans with one component each."""
    return [Scan([i]) for i in range(count)]


def spectral(count):
    """A progressive order that sends low frequencies first, and every bit at once."""
    return [Scan(list(range(count)), 0, 0)] + [
        Scan([i], first, last) for i in range(count) for first, last in ((1, 5), (6, 63))
    ]


def successive(count):
    """A progressive order that sends high bits first and refines them twice."""
    scans = [Scan(list(range(count)), 0, 0, 0, 1)]
    scans += [Scan([i], 1, 63, 0, 2) for i in range(count)]
    scans += [Scan([i], 1, 63, 2, 1) for i in reversed(range(count))]
    scans += [Scan(list(range(count)), 0, 0, 1, 0)]
    return scans + [Scan([i], 1, 63, 1, 0) for i in range(count)]


class Frame:
    """A picture to be written: size, components, and how it is coded."""

    def __init__(self, width, height, components):
        self.width, self.height, self.components = width, height, components
        self.most_h = max(component.h for component in components)
        self.most_v = max(component.v for component in components)
        for component in components:
            component.measure(width, height, self.most_h, self.most_v)

    def paint(self, picture):
        """Fills every component from `picture(index, x, y)`, with x and y from 0 to 1."""
        for index, component in enumerate(self.components):
            x = (numpy.arange(component.width) + 0.5) / component.width
            y = (numpy.arange(component.height) + 0.5) / component.height
            component.transform(numpy.clip(picture(index, x[None, :], y[:, None]), 0, 255))
        return self

    def encode(self, scans, progressive=False, restart=0, head=b"", number_of_lines=False, end=b"\xff\xd9"):
        """The file. `head` are the segments behind the start; with `number_of_lines` the height follows the first scan."""
        out = [b"\xff\xd8", head]
        steps = sorted({component.step for component in self.components})
        for index, step in enumerate(steps):
            out.append(segment(0xDB, bytes([index]) + bytes([step] * 64)))
        height = 0 if number_of_lines else self.height
        frame = bytes([8]) + height.to_bytes(2, "big") + self.width.to_bytes(2, "big") + bytes([len(self.components)])
        for component in self.components:
            frame += bytes([component.identifier, component.h << 4 | component.v, steps.index(component.step)])
        out.append(segment(0xC2 if progressive else 0xC0, frame))
        if restart:
            out.append(segment(0xDD, restart.to_bytes(2, "big")))
        for number, scan in enumerate(scans):
            out.append(self.encode_scan(scan, progressive, restart))
            if number_of_lines and number == 0:
                out.append(segment(0xDC, self.height.to_bytes(2, "big")))
        return b"".join([*out, end])

    def encode_scan(self, scan, progressive, restart):
        intervals = self.symbols(scan, progressive, restart)
        codes, tables = {}, []
        used = {(kind, symbol) for interval in intervals for kind, symbol, _, _ in interval if kind != "raw"}
        for number, kind in enumerate(("dc", "ac")):
            symbols = sorted(symbol for of, symbol in used if of == kind)
            if not symbols and (progressive or kind == "dc"):
                continue
            # One code more than needed: the last one, all ones, is not allowed.
            length = max(1, len(symbols).bit_length())
            counts = bytes(len(symbols) if i == length else 0 for i in range(1, 17))
            tables.append(segment(0xC4, bytes([number << 4]) + counts + bytes(symbols)))
            codes.update({(kind, symbol): (code, length) for code, symbol in enumerate(symbols)})
        header = bytes([len(scan.components)])
        for index in scan.components:
            header += bytes([self.components[index].identifier, 0])
        header += bytes([scan.first, scan.last, scan.high << 4 | scan.low])
        data = []
        for number, interval in enumerate(intervals):
            if number:
                data.append(bytes([0xFF, 0xD0 + (number - 1) % 8]))
            data.append(_pack(interval, codes))
        return b"".join(tables) + segment(0xDA, header) + b"".join(data)

    def units(self, scan):
        """The minimum coded units: lists of a component's place in the scan and a block."""
        if len(scan.components) == 1:
            component = self.components[scan.components[0]]
            return [[(0, component.blocks[y][x])] for y in range(component.down) for x in range(component.across)]
        units = []
        for row in range(_ceil(self.height, 8 * self.most_v)):
            for column in range(_ceil(self.width, 8 * self.most_h)):
                unit = []
                for place, index in enumerate(scan.components):
                    component = self.components[index]
                    for y in range(component.v):
                        for x in range(component.h):
                            block = component.blocks[row * component.v + y][column * component.h + x]
                            unit.append((place, block))
                units.append(unit)
        return units

    def symbols(self, scan, progressive, restart):
        """Of every restart interval what is written: table, symbol, value and number of the bits that follow it."""
        units = self.units(scan)
        size = restart or len(units)
        writer = _Progressive(scan) if progressive else _Sequential(scan)
        intervals = []
        for start in range(0, len(units), size):
            writer.start()
            for unit in units[start : start + size]:
                for place, block in unit:
                    writer.block(place, block)
            intervals.append(writer.finish())
        return intervals


class _Sequential:
    def __init__(self, scan):
        self.count = len(scan.components)

    def start(self):
        self.before, self.out = [0] * self.count, []

    def block(self, place, block):
        self.out.append(_difference(block[0] - self.before[place]))
        self.before[place] = block[0]
        run = 0
        for value in block[1:]:
            if value == 0:
                run += 1
                continue
            self.out += [("ac", 0xF0, 0, 0)] * (run // 16)
            size = abs(value).bit_length()
            self.out.append(("ac", run % 16 << 4 | size, _bits(value, size), size))
            run = 0
        if run:
            self.out.append(("ac", 0, 0, 0))

    def finish(self):
        return self.out


class _Progressive:
    """Annex G, with runs of bands that end."""

    def __init__(self, scan):
        self.scan = scan

    def start(self):
        self.before, self.out, self.run, self.held = [0] * len(self.scan.components), [], 0, []

    def block(self, place, block):
        scan = self.scan
        if scan.first == 0:
            value = block[0] >> scan.low
            if scan.high:
                self.out.append(("raw", 0, value & 1, 1))
            else:
                self.out.append(_difference(value - self.before[place]))
                self.before[place] = value
        elif scan.high:
            self.refine(block)
        else:
            self.first(block)

    def first(self, block):
        zeros = 0
        for value in block[self.scan.first : self.scan.last + 1]:
            value = _toward_zero(value, self.scan.low)
            if value == 0:
                zeros += 1
                continue
            self.flush()
            self.out += [("ac", 0xF0, 0, 0)] * (zeros // 16)
            size = abs(value).bit_length()
            self.out.append(("ac", zeros % 16 << 4 | size, _bits(value, size), size))
            zeros = 0
        if zeros:
            self.band_ends([])

    def refine(self, block):
        low = self.scan.low
        values = [abs(value) >> low for value in block[self.scan.first : self.scan.last + 1]]
        signs = [int(value >= 0) for value in block[self.scan.first : self.scan.last + 1]]
        fresh = [i for i, value in enumerate(values) if value == 1]
        last = fresh[-1] if fresh else -1
        zeros, corrections = 0, []
        for i, value in enumerate(values):
            if value == 0:
                zeros += 1
                continue
            while zeros > 15 and i <= last:
                self.flush()
                self.out.append(("ac", 0xF0, 0, 0))
                self.out += corrections
                corrections, zeros = [], zeros - 16
            if value > 1:
                corrections.append(("raw", 0, value & 1, 1))
                continue
            self.flush()
            self.out += [("ac", zeros << 4 | 1, signs[i], 1), *corrections]
            corrections, zeros = [], 0
        if zeros or corrections:
            self.band_ends(corrections)

    def band_ends(self, corrections):
        self.run += 1
        self.held += corrections
        if self.run == 0x7FFF:
            self.flush()

    def flush(self):
        if self.run:
            size = self.run.bit_length() - 1
            self.out += [("ac", size << 4, self.run - (1 << size), size), *self.held]
        self.run, self.held = 0, []

    def finish(self):
        self.flush()
        return self.out


def segment(marker, body):
    """A marker with its length and what belongs to it."""
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def jfif():
    """The segment that says: grey, or luma and chroma."""
    return segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")


def adobe(transform):
    """The segment that says how colours are stored: 0 as they are, 1 luma and chroma, 2 the same with black."""
    return segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform]))


def _difference(value):
    size = abs(value).bit_length()
    return ("dc", size, _bits(value, size), size)


def _bits(value, size):
    return value if value >= 0 else value + (1 << size) - 1


def _toward_zero(value, shift):
    return value >> shift if value >= 0 else -(-value >> shift)


def _pack(interval, codes):
    text = []
    for kind, symbol, value, size in interval:
        if kind != "raw":
            code, length = codes[kind, symbol]
            text.append(f"{code:0{length}b}")
        if size:
            text.append(f"{value:0{size}b}")
    text = "".join(text)
    text += "1" * (-len(text) % 8)
    return int(text or "0", 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")


def _ceil(number, by):
    return -(-number // by)
