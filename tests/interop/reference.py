"""A reader and writer of Safelight's files, written from the format's specification alone (`safelight::wire`).

Slow and plain: it is what the fast implementation is compared with. A picture is a list of values, planes interleaved,
row by row.
"""
import hashlib
import math
import secrets
import struct
import zlib
from dataclasses import dataclass, replace

MARK = bytes.fromhex("89534C540D0A1A0A")
PUBLIC_KEY, SECRET_KEY, IMAGE = 1, 2, 3
REPLICATE, REFLECT, ZERO = 0, 1, 2


@dataclass
class Head:
    """The header of an encrypted image."""

    bits: int
    planes: int
    border: int
    width: int
    height: int
    across: int
    down: int
    halo_x: int
    halo_y: int
    slot_bits: int
    low: int
    high: int
    bias: int
    divisor: int
    n: int
    history: str
    origins: tuple = (bytes(32),)  # unknown: these masks are random

    @property
    def tile(self):
        return -(-self.width // self.across), -(-self.height // self.down)

    @property
    def columns(self):
        return self.tile[0] + 2 * self.halo_x

    @property
    def rows(self):
        return self.tile[1] + 2 * self.halo_y

    @property
    def slots(self):
        return self.across * self.down * self.planes

    def place(self, slot, i, j):
        """Plane and place of the pixel in a slot of ciphertext (i, j)."""
        u, v, plane = slot % self.across, slot // self.across % self.down, slot // self.across // self.down
        return plane, u * self.tile[0] + i - self.halo_x, v * self.tile[1] + j - self.halo_y


def number(data):
    return int.from_bytes(data, "little")


def envelope(kind, header):
    sealed = MARK + struct.pack("<HBBI", 1, kind, 1, len(header)) + header
    return sealed + struct.pack("<I", zlib.crc32(sealed))


def open_envelope(data, kind):
    """The header, its checksum, and what follows."""
    mark, version, found, scheme, length = struct.unpack("<8sHBBI", data[:16])
    assert (mark, version, found, scheme) == (MARK, 1, kind, 1), "not the file that was expected"
    header, checksum = data[16:16 + length], data[16 + length:20 + length]
    assert zlib.crc32(data[:16 + length]) == number(checksum), "the header's checksum"
    return header, checksum, data[20 + length:]


def key_id(bits, n):
    return hashlib.sha256(b"safelight paillier key" + n.to_bytes(bits // 8, "little")).digest()[:16]


def read_public(data):
    """bits, n"""
    header, _, rest = open_envelope(data, PUBLIC_KEY)
    bits, name = struct.unpack("<H16s", header[:18])
    n = number(header[18:])
    assert not rest and len(header) == 18 + bits // 8 and name == key_id(bits, n) and n.bit_length() == bits
    return bits, n


def write_public(bits, n):
    return envelope(PUBLIC_KEY, struct.pack("<H16s", bits, key_id(bits, n)) + n.to_bytes(bits // 8, "little"))


def read_secret(data):
    """bits, p, q"""
    header, _, rest = open_envelope(data, SECRET_KEY)
    bits, name = struct.unpack("<H16s", header[:18])
    half = bits // 16
    p, q = number(header[18:18 + half]), number(header[18 + half:])
    assert not rest and len(header) == 18 + 2 * half and name == key_id(bits, p * q)
    return bits, p, q


def write_secret(bits, p, q):
    primes = b"".join(prime.to_bytes(bits // 16, "little") for prime in (p, q))
    return envelope(SECRET_KEY, struct.pack("<H16s", bits, key_id(bits, p * q)) + primes)


def encrypt_number(n, m):
    r = secrets.randbelow(n - 1) + 1
    return (1 + n * m) * pow(r, n, n * n) % (n * n)


def decrypt_number(p, q, c):
    """Paillier's own way, with lambda = lcm(p - 1, q - 1): slow, and plainly right."""
    n, order = p * q, math.lcm(p - 1, q - 1)
    return (pow(c, order, n * n) - 1) // n * pow(order, -1, n) % n


IMAGE_HEADER = struct.Struct("<HBBIIHHHHB3xqqqq16s")


def write_image(head, rows):
    history, n = head.history.encode(), head.n.to_bytes(head.bits // 8, "little")
    header = IMAGE_HEADER.pack(
        head.bits, head.planes, head.border, head.width, head.height, head.across, head.down, head.halo_x, head.halo_y,
        head.slot_bits, head.low, head.high, head.bias, head.divisor, key_id(head.bits, head.n))
    out = envelope(IMAGE, header + n + bytes([len(head.origins)]) + b"".join(head.origins)
                   + struct.pack("<H", len(history)) + history)
    checksum = out[-4:]
    for j, row in enumerate(rows):
        frame = b"".join(c.to_bytes(head.bits // 4, "little") for c in row)
        out += frame + struct.pack("<I", zlib.crc32(checksum + struct.pack("<I", j) + frame))
    return out


def read_image(data):
    """The head and the rows of ciphertexts."""
    header, checksum, rest = open_envelope(data, IMAGE)
    *fields, name = IMAGE_HEADER.unpack(header[:72])
    size = fields[0] // 8
    n, photos, rest_of_header = number(header[72:72 + size]), header[72 + size], header[73 + size:]
    origins = tuple(rest_of_header[32 * i:32 * i + 32] for i in range(photos))
    history = rest_of_header[32 * photos + 2:]
    assert name == key_id(fields[0], n) and 1 <= photos <= 16
    assert number(rest_of_header[32 * photos:32 * photos + 2]) == len(history)
    head = Head(*fields, n, history.decode(), origins)
    assert head.slots * head.slot_bits < head.bits
    rows = []
    for j in range(head.rows):
        length = head.columns * head.bits // 4
        frame, crc, rest = rest[:length], rest[length:length + 4], rest[length + 4:]
        assert zlib.crc32(checksum + struct.pack("<I", j) + frame) == number(crc), f"the checksum of frame {j}"
        row = [number(frame[at:at + head.bits // 4]) for at in range(0, length, head.bits // 4)]
        assert all(0 < c < n * n and math.gcd(c, n) == 1 for c in row)
        rows.append(row)
    assert not rest, "something after the last frame"
    return head, rows


def at(head, pixels, plane, x, y):
    """A sample, or what the border policy puts where there is none."""
    def fold(v, size):
        if 0 <= v < size or head.border == ZERO:
            return v
        if head.border == REPLICATE:
            return min(max(v, 0), size - 1)
        if size == 1:
            return 0
        v %= 2 * (size - 1)
        return min(v, 2 * (size - 1) - v)

    x, y = fold(x, head.width), fold(y, head.height)
    if not (0 <= x < head.width and 0 <= y < head.height):
        return 0
    return pixels[(y * head.width + x) * head.planes + plane]


def encrypt_image(head, pixels):
    """The file of a photo of which `head` says the shape."""
    def cell(i, j):
        packed = 0
        for slot in range(head.slots):
            packed |= at(head, pixels, *head.place(slot, i, j)) << slot * head.slot_bits
        return encrypt_number(head.n, packed)

    return write_image(head, [[cell(i, j) for i in range(head.columns)] for j in range(head.rows)])


def photo_head(bits, n, width, height, planes, border, grid, halo, slot_bits):
    return Head(bits, planes, border, width, height, *grid, *halo, slot_bits, 0, 255, 0, 1, n, "")


def decrypt_image(data, p, q):
    """The head and the picture, its values neither clamped nor shifted."""
    head, rows = read_image(data)
    assert p * q == head.n, "another key"
    picture = [None] * (head.width * head.height * head.planes)
    for j in range(head.halo_y, head.rows - head.halo_y):
        for i in range(head.halo_x, head.columns - head.halo_x):
            packed = decrypt_number(p, q, rows[j][i])
            assert packed >> head.slots * head.slot_bits == 0, "bits beyond the slots in use"
            for slot in range(head.slots):
                raw = (packed >> slot * head.slot_bits) % (1 << head.slot_bits) - head.bias
                assert head.low <= raw <= head.high, "a value that cannot be"
                plane, x, y = head.place(slot, i, j)
                if x < head.width and y < head.height:
                    where = (y * head.width + x) * head.planes + plane
                    assert picture[where] is None, "a pixel that is there twice"
                    picture[where] = (2 * raw + head.divisor) // (2 * head.divisor)
    assert None not in picture, "a pixel that is missing"
    return head, picture


def filter_clear(head, pixels, weights, divisor):
    """A filter on the clear picture: rows of weights, the pixel itself in the middle."""
    ry, rx = len(weights) // 2, len(weights[0]) // 2
    out = []
    for y in range(head.height):
        for x in range(head.width):
            for plane in range(head.planes):
                total = sum(
                    weight * at(head, pixels, plane, x + a - rx, y + b - ry)
                    for b, row in enumerate(weights) for a, weight in enumerate(row))
                out.append((2 * total + divisor) // (2 * divisor))
    return out


def filter_image(data, weights, divisor, text):
    """A filter on the encrypted image."""
    head, rows = read_image(data)
    ry, rx = len(weights) // 2, len(weights[0]) // 2
    flat = [w for row in weights for w in row]
    low = sum(min(w * head.low, w * head.high) for w in flat)
    high = sum(max(w * head.low, w * head.high) for w in flat)
    bias, square = max(0, -low), head.n ** 2
    ones = sum(1 << slot * head.slot_bits for slot in range(head.slots))
    raised = (1 + head.n * (bias - head.bias * sum(flat)) * ones) % square
    new = replace(
        head, halo_x=head.halo_x - rx, halo_y=head.halo_y - ry, low=low, high=high, bias=bias,
        divisor=head.divisor * divisor, history="; ".join(filter(None, [head.history, text])))

    def cell(i, j):
        product = raised
        for b, row in enumerate(weights):
            for a, weight in enumerate(row):
                product = product * pow(rows[j + b][i + a], weight, square) % square
        return product

    return write_image(new, [[cell(i, j) for i in range(new.columns)] for j in range(new.rows)])
