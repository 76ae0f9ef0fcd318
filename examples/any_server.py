#!/usr/bin/env python3
"""A small Safelight server, written from the format's specification alone (the documentation of `safelight::wire`).

    python3 examples/any_server.py --listen 127.0.0.1:8090

It knows one filter, the mean, and needs nothing but Python 3.9. It shows that any server will do; for a server on the
open internet use `safelight serve`, which is faster and limits what a stranger can make it do.
"""
import argparse, functools, io, json, math, re, shutil, socket, socketserver, struct, tempfile, zlib
from collections import deque
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qsl, urlsplit

MARK = b"\x89SLT\r\n\x1a\n"
PROLOGUE = struct.Struct("<8sHBBI")  # mark, version, kind, scheme, length of the header
HEADER = struct.Struct("<HBBIIHHHHB3s4q16s")  # an image's header up to the key id
LOCAL = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
STATUS = {"not_found": 404, "unknown_filter": 404, "image_too_large": 413, "too_large": 413, "not_safelight": 415,
          "unsupported_version": 415, "wrong_kind": 415, "bad_modulus": 422, "ciphertext_not_unit": 422,
          "ciphertext_out_of_range": 422, "halo_too_small": 422, "slot_overflow": 422}  # all others are 400


class Problem(Exception):
    """A fault of the request: a stable code for programs and a sentence for people."""


def need(condition, code, detail):
    if not condition:
        raise Problem(code, detail)


def read_header(take):
    """Reads and checks everything before the first frame; gives fields, modulus, origins, history and checksum."""
    start = take(PROLOGUE.size)
    _, version, kind, scheme, length = PROLOGUE.unpack(start)
    need(version == 1, "unsupported_version", f"format version {version}; this server reads version 1")
    need(kind in (1, 2, 3) and scheme == 1 and length <= 65536, "bad_header", "unknown kind or scheme, or too long")
    header = take(length)
    checksum, crc = take(4), zlib.crc32(start + header)
    need(crc == int.from_bytes(checksum, "little"), "damaged", "the header's checksum is wrong; send the file again")
    need(kind == 3, "wrong_kind", "this is a key; send an encrypted image")
    bad = functools.partial(need, code="bad_header", detail="a number in the header is not allowed")
    bad(length >= HEADER.size)
    fields = HEADER.unpack(header[:HEADER.size])
    bits, planes, border, width, height, across, down, hx, hy, slot, zero, low, high, bias, divisor, key_id = fields
    need(bits in (2048, 3072, 4096), "bad_modulus", f"a modulus of {bits} bits is not allowed")
    rest, size = header[HEADER.size:], bits // 8
    bad(len(rest) > size and 1 <= rest[size] <= 16)
    tail = size + 1 + 32 * rest[size]
    bad(len(rest) >= tail + 2 and len(rest) - tail - 2 == int.from_bytes(rest[tail:tail + 2], "little") <= 8192)
    n = int.from_bytes(rest[:size], "little")
    need(n.bit_length() == bits and n % 2 and all(n % k for k in range(3, 4096, 2)), "bad_modulus", "n is not allowed")
    bad(sha256(b"safelight paillier key" + rest[:size]).digest()[:16] == key_id)
    bad(planes in (1, 3) and border <= 2 and zero == bytes(3) and 8 <= slot <= 48 and max(hx, hy) <= 1024)
    bad(0 < across <= width and 0 < down <= height and across * down * planes * slot < bits)
    need(width * height <= 1 << 24, "image_too_large", "the photo has more than 2^24 pixels")
    bad(low <= high and 0 <= low + bias and high + bias < 1 << slot and 1 <= divisor < 1 << 31)
    bad(max(abs(low), abs(high), abs(bias)) < 1 << 62 and max(abs(low), abs(high)) // divisor < 1 << 30)
    try:
        history = rest[tail + 2:].decode()
    except UnicodeDecodeError:
        bad(False)
    bad(not re.search(r"[\x00-\x1f\x7f-\x9f]", history))
    return fields, n, rest[size:tail], history, checksum


def mean(body, length, out, rx, ry, max_bytes):
    """Filters the encrypted image in `body` row by row; the result goes to `out`, which is no use after a Problem."""
    left = length

    def take(count):
        nonlocal left
        data = body.read(min(count, left))
        # Of a file that is not ours, even a few bytes tell.
        need(left < length or data[:8] == MARK[:len(data)], "not_safelight", "this is not a Safelight file: its signature is missing")
        need(len(data) == count, "truncated", "the file ends too early; send the whole file")
        left -= count
        return data

    fields, n, origins, history, checksum = read_header(take)
    bits, planes, border, width, height, across, down, hx, hy, slot, zero, low, high, bias, divisor, key_id = fields
    columns, rows, size = -(-width // across) + 2 * hx, -(-height // down) + 2 * hy, bits // 4
    header_length = PROLOGUE.size + HEADER.size + bits // 8 + len(origins) + 2 + len(history.encode()) + 4
    total = header_length + rows * (columns * size + 4)
    need(total <= max_bytes, "too_large", f"the encrypted image has {total} bytes; this server takes {max_bytes}")
    need(length <= total, "trailing_data", "there are bytes after the end of the encrypted image")
    need(rx <= hx and ry <= hy, "halo_too_small", f"the filter needs a halo of {rx} x {ry} pixels, there is {hx} x {hy}")

    weight = (2 * rx + 1) * (2 * ry + 1)
    low, high, divisor = low * weight, high * weight, divisor * weight
    constant, bias = max(0, -low) - bias * weight, max(0, -low)
    need(high + bias < 1 << slot and divisor < 1 << 31, "slot_overflow",
         f"the sums need slots of {(high + bias).bit_length()} bits, there are {slot}; encrypt with wider slots")
    text = "; ".join(filter(None, [history, f"mean size={2 * rx + 1}x{2 * ry + 1}"])).encode()
    need(len(text) <= 8192, "bad_filter", "too many filters were applied to this image")
    header = HEADER.pack(bits, planes, border, width, height, across, down, hx - rx, hy - ry, slot, zero,
                         low, high, bias, divisor, key_id) + n.to_bytes(bits // 8, "little")
    header += origins + struct.pack("<H", len(text))
    header = PROLOGUE.pack(MARK, 1, 3, 1, len(header + text)) + header + text
    new_checksum = zlib.crc32(header).to_bytes(4, "little")
    out.write(header + new_checksum)

    square = n * n
    product = functools.partial(functools.reduce, lambda a, b: a * b % square)
    raised = 1 + n * (constant * sum(1 << slot * s for s in range(across * down * planes)) % n)
    band, units = deque(maxlen=2 * ry + 1), 1
    for row in range(rows):
        frame, crc = take(columns * size), int.from_bytes(take(4), "little")
        need(zlib.crc32(checksum + row.to_bytes(4, "little") + frame) == crc, "damaged", f"row {row} is damaged")
        numbers = [int.from_bytes(frame[i:i + size], "little") for i in range(0, len(frame), size)]
        need(all(0 < c < square for c in numbers), "ciphertext_out_of_range", "a ciphertext is zero or not below n^2")
        units = functools.reduce(lambda a, b: a * b % n, numbers, units)
        band.append([product(numbers[i:i + 2 * rx + 1]) for i in range(columns - 2 * rx)])
        if len(band) == band.maxlen:
            frame = b"".join(product(cells, raised).to_bytes(size, "little") for cells in zip(*band))
            crc = zlib.crc32(new_checksum + (row - 2 * ry).to_bytes(4, "little") + frame)
            out.write(frame + crc.to_bytes(4, "little"))
    need(math.gcd(units, n) == 1, "ciphertext_not_unit", "a ciphertext shares a factor with n")


def radii(query):
    """How far the mean reaches, across and down, by the request's parameters."""
    text = "&".join(map("=".join, parse_qsl(query, keep_blank_values=True))) or "radius=1"
    match = re.fullmatch(r"radius=([0-9]{1,4})|size=([0-9]{1,4})x([0-9]{1,4})", text)
    need(match, "bad_filter", "give radius=N or size=WIDTHxHEIGHT")
    width, height = (2 * int(match[1]) + 1,) * 2 if match[1] else (int(match[2]), int(match[3]))
    need(width % 2 and height % 2 and max(width, height) <= 2049, "bad_filter", "width and height must be odd, to 2049")
    return width // 2, height // 2


def as_json(value):
    return io.BytesIO(json.dumps(value).encode())


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60  # seconds of silence
    about = {"name": "safelight-any", "version": "1", "wire_version": 1, "jobs": False,
             "schemes": [{"name": "paillier", "modulus_bits": [2048, 3072, 4096]}],
             "filters": [{"name": "mean", "summary": "mean of a rectangle (box blur)", "inputs": 1, "parameters": [
                 {"name": "radius", "help": "pixels to each side; 1 means 3x3", "default": "1"},
                 {"name": "size", "help": "WIDTHxHEIGHT, both odd, instead of a radius", "default": None}]}]}

    def do_GET(self):
        if urlsplit(self.path).path != "/v1":
            return self.fail(Problem("not_found", "there is nothing at this address; see /v1"))
        self.answer(200, "application/json", as_json(self.about | {"limits": {"max_bytes": options.max_bytes}}))

    def do_OPTIONS(self):
        self.answer(200, "text/plain", io.BytesIO())

    def do_POST(self):
        address, length = urlsplit(self.path), self.headers.get("Content-Length", "")
        with tempfile.TemporaryFile() as out:
            try:
                need(address.path.startswith("/v1/filters/"), "not_found", "there is nothing at this address; see /v1")
                need(address.path == "/v1/filters/mean", "unknown_filter", "this server knows one filter, mean")
                need(re.fullmatch("[0-9]{1,15}", length), "bad_argument", "send the body with its length")
                mean(self.rfile, int(length), out, *radii(address.query), options.max_bytes)
            except Problem as problem:
                return self.fail(problem)
            self.answer(200, "application/vnd.safelight", out)

    def fail(self, problem):
        code, detail = problem.args
        status = STATUS.get(code, 400)
        self.close_connection = True
        self.answer(status, "application/problem+json", as_json({
            "type": "about:blank", "title": self.responses[status][0], "status": status, "detail": detail, "code": code}))
        # Whoever is still sending could not read the answer if the connection were cut now.
        self.connection.shutdown(socket.SHUT_WR)
        while self.rfile.read(1 << 16):
            pass

    def answer(self, status, media_type, body):
        self.send_response(status)
        origin = self.headers.get("Origin", "")
        if origin in options.allow_origin or not options.allow_origin and LOCAL.fullmatch(origin):
            self.send_header("Access-Control-Allow-Origin", origin)
            self.send_header("Access-Control-Allow-Methods", "GET, POST")
            self.send_header("Access-Control-Allow-Headers", "Content-Type, Prefer")
        self.send_header("Vary", "Origin")
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(body.seek(0, io.SEEK_END)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        body.seek(0)
        shutil.copyfileobj(body, self.wfile)


class Server(getattr(socketserver, "ForkingMixIn", socketserver.ThreadingMixIn), HTTPServer):
    """One process for each connection, so that requests use all cores."""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A small Safelight server: the mean filter, nothing else.")
    parser.add_argument("--listen", default="127.0.0.1:8090", metavar="HOST:PORT")
    parser.add_argument("--allow-origin", action="append", default=[], metavar="ORIGIN",
                        help="pages of this origin may use the server (default: localhost and 127.0.0.1, any port)")
    parser.add_argument("--max-bytes", type=int, default=1 << 28, help="largest encrypted image (default %(default)s)")
    options = parser.parse_args()
    host, _, port = options.listen.rpartition(":")
    host = host or "127.0.0.1"
    with Server((host, int(port)), Handler) as server:
        print(f"any_server: listening on http://{host}:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
