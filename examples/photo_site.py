#!/usr/bin/env python3
"""A photo site that cannot see its photos: a gallery around <safe-light>, in plain Python.

    safelight serve --page target/page --vault target/vault \\
        --embedder http://127.0.0.1:8000 --allow-origin http://127.0.0.1:8000
    python3 examples/photo_site.py

The site stores what the form sends, which is ciphertext, and hands it to the vault again when somebody wants to look.
It keeps the photos in memory; a real site would keep them wherever it keeps files. Python 3.9 or newer, nothing else.
"""

import argparse
import email.parser
import email.policy
import html
import http.server
import pathlib
import re
import secrets
import urllib.parse

FOLDER = pathlib.Path(__file__).with_name("photo_site")
TYPES = {".js": "text/javascript", ".css": "text/css"}
MARK = b"\x89SLT\r\n\x1a\n"  # how every encrypted photo begins
MOST_BYTES = 64 << 20  # of one photo
MOST_PHOTOS = 100

photos = {}  # name -> ciphertext


class Site(http.server.BaseHTTPRequestHandler):
    """One request."""

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        name = path.removeprefix("/photos/")
        file = FOLDER / path.removeprefix("/")
        if path == "/":
            self.answer(200, "text/html; charset=utf-8", page(self.server.options).encode())
        elif path == "/favicon.ico":
            self.answer(200, "image/x-icon", b"")
        elif name in photos:
            self.answer(200, "application/vnd.safelight", photos[name])
        elif re.fullmatch(r"/[a-z]+\.(js|css)", path) and file.is_file():
            self.answer(200, TYPES[file.suffix], file.read_bytes())
        else:
            self.answer(404, "text/plain", b"There is nothing here.\n")

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if self.headers.get("Origin") != self.server.origin:
            return self.answer(403, "text/plain", b"Photos are taken from this site's own page only.\n")
        if not 0 < length <= MOST_BYTES:
            return self.answer(413, "text/plain", b"The photo is too large.\n")
        photo = sent_file(self.headers.get("Content-Type", ""), self.rfile.read(length))
        if not photo.startswith(MARK):
            return self.answer(400, "text/plain", b"That is not an encrypted photo. This site takes no others.\n")
        if len(photos) >= MOST_PHOTOS:
            return self.answer(507, "text/plain", b"The gallery is full.\n")
        photos[secrets.token_urlsafe(12)] = photo
        self.send_response(303)
        self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy(self.server.options))
        self.send_header("Referrer-Policy", "same-origin")  # with less, browsers say no `Origin`
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def policy(options):
    """What the site's page may do. The lines for Safelight are those of docs/embedding.md."""
    server, vault = origin(options.server), origin(options.vault)
    return (
        f"default-src 'none'; script-src 'self' {server}; connect-src 'self' {server}; frame-src {vault} blob:; "
        "style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def origin(url):
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def page(options):
    """The gallery."""
    text = (FOLDER / "gallery.html").read_text(encoding="utf-8")
    items = "".join(
        f'<li><canvas width="64" height="48" data-photo="/photos/{name}"></canvas>'
        f'<button type="button" data-open="/photos/{name}">Open photo {number}</button>'
        f"<span>{len(photo) / 1e6:.2f} MB of ciphertext</span></li>"
        for number, (name, photo) in enumerate(photos.items(), 1)
    )
    values = {"server": html.escape(options.server), "vault": html.escape(options.vault), "photos": items}
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], text)


def sent_file(content_type, body):
    """The first file of a form (multipart/form-data), or nothing."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    parts = message.iter_parts() if message.is_multipart() else []
    return next((part.get_payload(decode=True) for part in parts if part.get_filename()), b"")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:8000", metavar="ADDRESS:PORT")
    parser.add_argument("--server", default="http://127.0.0.1:8080/", metavar="URL", help="the Safelight server")
    parser.add_argument("--vault", default="http://localhost:8080/", metavar="URL", help="the vault")
    options = parser.parse_args()
    address, port = options.listen.rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((address, int(port)), Site)
    server.options = options
    server.origin = f"http://{address}:{server.server_address[1]}"
    print(f"listening on {server.origin}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
