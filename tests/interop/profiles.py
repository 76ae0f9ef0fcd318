"""ICC profiles of every kind that photos have. Run with a folder, it writes them there, for tests in other languages."""
import pathlib
import struct
import sys

WIDE = {  # X, Y, Z of red, green and blue, adapted to D50, and the exponent of the curve (0: that of sRGB)
    "Display P3": ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407), 0),
    "Adobe RGB": ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), 2.19921875),
    "ProPhoto": ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491), 1.8),
}


def fixed(*numbers):
    return b"".join(struct.pack(">i", round(number * 65536)) for number in numbers)


def profile(colour_space, tags, version=0x04300000, pcs=b"XYZ "):
    """An ICC profile of a monitor."""
    at, table, data = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for kind, body in tags:
        table += kind + struct.pack(">II", at + len(data), len(body))
        data += body + bytes(-len(body) % 4)
    head = struct.pack(">I4sI", at + len(data), b"", version) + b"mntr" + colour_space + pcs
    head = head.ljust(36, b"\0") + b"acsp" + bytes(28) + fixed(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + table + data


def text(kind, words):
    words = words.encode("utf-16-be")
    return kind, struct.pack(">4sIIIHHII", b"mluc", 0, 1, 12, 0x656E, 0x5553, len(words), 28) + words


def curve(exponent):
    if exponent == 0:
        numbers = fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
        return struct.pack(">4sIHH", b"para", 0, 3, 0) + numbers
    return struct.pack(">4sIHH", b"para", 0, 0, 0) + fixed(exponent)


def table_curve(exponent):
    steps = [round(65535 * (i / 1023) ** exponent) for i in range(1024)]
    return struct.pack(">4sII1024H", b"curv", 0, 1024, *steps)


def place(xyz):
    return struct.pack(">4sI", b"XYZ ", 0) + fixed(*xyz)


NAMES = [text(b"desc", "a profile of the tests"), text(b"cprt", "none"), (b"wtpt", place((0.9642, 1, 0.8249)))]


def matrix_profile(name, make_curve=curve):
    red, green, blue, exponent = WIDE[name]
    tags = [(b"rXYZ", place(red)), (b"gXYZ", place(green)), (b"bXYZ", place(blue))]
    return profile(b"RGB ", NAMES + tags + [(kind, make_curve(exponent)) for kind in (b"rTRC", b"gTRC", b"bTRC")])


def grey_profile(exponent):
    return profile(b"GRAY", NAMES + [(b"kTRC", curve(exponent))])


def lut_profile():
    """One of a table of 9 x 9 x 9 colours in Lab, as scanners have."""
    grid = range(9)
    body = struct.pack(">4sI4B", b"mft1", 0, 3, 3, 9, 0) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    body += bytes(range(256)) * 3
    for r in grid:
        for g in grid:
            for b in grid:
                lightness = (0.3 * r + 0.55 * g + 0.15 * b) / 8
                body += bytes([round(255 * lightness), round(128 + 2 * (r - g)), round(128 + 2 * (g - b))])
    body += bytes(range(256)) * 3
    return profile(b"RGB ", NAMES + [(b"A2B0", body)], version=0x02400000, pcs=b"Lab ")


PROFILES = {
    **{name: matrix_profile(name) for name in WIDE},
    "a curve as a table": matrix_profile("Adobe RGB", lambda exponent: table_curve(exponent)),
    "a table of colours": lut_profile(),
}


if __name__ == "__main__":
    for name, icc in PROFILES.items():
        (pathlib.Path(sys.argv[1]) / f"{name}.icc").write_bytes(icc)
