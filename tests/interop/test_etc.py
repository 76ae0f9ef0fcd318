"""Scrambled pictures put together again by a program written from the documentation of `safelight::schemes::etc` alone."""
import hashlib
import hmac
import os
import struct
import unittest

import png
from common import Case, safelight

ORDERS = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]


class Numbers:
    """The random numbers of one step: ChaCha20 under a key from HKDF, 64 bits at a time."""

    def __init__(self, master, nonce, step):
        secret = hmac.new(nonce, master, hashlib.sha256).digest()
        self.key = hmac.new(secret, b"safelight etc v1 K%d\x01" % step, hashlib.sha256).digest()
        self.counter, self.buffer = 0, b""

    def below(self, bound):
        while True:
            if not self.buffer:
                self.buffer = chacha20(self.key, self.counter)
                self.counter += 1
            (number,), self.buffer = struct.unpack("<Q", self.buffer[:8]), self.buffer[8:]
            if number < 2**64 - 1 - (2**64 - 1) % bound:
                return number % bound


def chacha20(key, counter):
    start = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key)]
    start += [counter & 0xFFFFFFFF, counter >> 32, 0, 0]
    state = start[:]

    def mix(a, b, c, d):
        for to, by, turned, bits in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)]:
            state[to] = (state[to] + state[by]) & 0xFFFFFFFF
            word = state[turned] ^ state[to]
            state[turned] = (word << bits | word >> (32 - bits)) & 0xFFFFFFFF

    for _ in range(10):
        for column in range(4):
            mix(column, 4 + column, 8 + column, 12 + column)
        for column in range(4):
            mix(column, 4 + (column + 1) % 4, 8 + (column + 2) % 4, 12 + (column + 3) % 4)
    return struct.pack("<16I", *((a + b) & 0xFFFFFFFF for a, b in zip(state, start)))


def unscramble(label, key, picture):
    """The photo's samples."""
    version, form, block, size, key_id, nonce = label.split()
    assert (version, form) == ("etc1", "colour")
    block, (width, height, planes) = int(block), map(int, size.split("x"))
    nonce = nonce.removeprefix("nonce=")
    nonce = bytes(16) if nonce == "fixed" else bytes.fromhex(nonce)
    assert key_id == "key=" + hashlib.sha256(b"safelight etc v1 key id" + key).hexdigest()[:16]

    across, down = -(-width // block), -(-height // block)
    line = across * block
    assert picture[:3] == (line, down * block, planes)
    places, turns, signs, orders = (Numbers(key, nonce, step) for step in (1, 2, 3, 4))
    source = list(range(across * down))
    for last in range(len(source) - 1, 0, -1):
        other = places.below(last + 1)
        source[last], source[other] = source[other], source[last]

    clear = [0] * len(picture[3])
    for place, origin in enumerate(source):
        turn, mirror, negate = turns.below(4), turns.below(4), signs.below(2)
        order = ORDERS[orders.below(6)] if planes == 3 else (0,)
        for y in range(block):
            for x in range(block):
                u, v = x, y
                if mirror & 1:
                    u = block - 1 - u
                if mirror & 2:
                    v = block - 1 - v
                for _ in range(turn):  # one quarter turn back each
                    u, v = v, block - 1 - u
                there = (place // across * block + y) * line + place % across * block + x
                here = (origin // across * block + v) * line + origin % across * block + u
                for plane, from_plane in enumerate(order):
                    sample = picture[3][there * planes + plane]
                    clear[here * planes + from_plane] = 255 - sample if negate else sample
    return [sample for y in range(height) for sample in clear[y * line * planes:(y * line + width) * planes]]


class Scrambled(Case):
    def check(self, width, height, planes, *options):
        samples = list(os.urandom(width * height * planes))
        photo = self.file("photo.png", png.write(width, height, planes, samples))
        key, out = self.folder / "key", self.folder / "out.png"
        safelight("keygen", "etc", "--out", key)
        safelight("etc", "encrypt", "--key", key, photo, "--out", out, *options)
        label = safelight("etc", "label", out)
        self.assertEqual(unscramble(label, key.read_bytes()[24:56], png.read(out.read_bytes())), samples)

    def test_colour(self):
        self.check(61, 47, 3)

    def test_grey_with_other_blocks_and_a_fixed_key(self):
        self.check(30, 50, 1, "--block", "7", "--fixed-key")


if __name__ == "__main__":
    unittest.main()
