"""The example server, which was written from the format's specification, does what ours does."""
import http.client
import json
import re
import subprocess
import sys
import unittest

import png
from common import KEY, MANIFEST, ROOT, VECTORS, Case, Failed, safelight


class AnyServer(Case):
    @classmethod
    def setUpClass(cls):
        command = [sys.executable, ROOT / "examples/any_server.py", "--listen", "127.0.0.1:0"]
        cls.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        cls.url = re.search(r"http://\S+", cls.process.stdout.readline())[0]

    @classmethod
    def tearDownClass(cls):
        cls.process.terminate()
        cls.process.wait()
        cls.process.stdout.close()

    def ask(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def code(self, path, body):
        answer, body = self.ask("POST", path, body)
        if answer.status == 200:
            return None
        problem = json.loads(body)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(problem["status"], answer.status)
        return problem["code"]

    def test_from_a_photo_to_a_picture(self):
        width, height, planes = 37, 21, 3
        pixels = [(x * 7 + y * 13 + plane * 50) % 256 for y in range(height) for x in range(width) for plane in range(planes)]
        photo = self.file("photo.png", png.write(width, height, planes, pixels))
        image, here, there = (self.folder / name for name in ("photo.slt", "here.slt", "there.slt"))
        safelight("encrypt", "--key", KEY, photo, "--out", image, "--for", "mean radius=2")
        for arguments in (["--radius", "2"], ["--size", "3x5"], []):
            safelight("filter", "mean", *arguments, image, "--out", here)
            safelight("filter", "mean", *arguments, image, "--out", there, "--server", self.url)
            self.assertEqual(there.read_bytes(), here.read_bytes())
        safelight("decrypt", "--from-others", "--key", KEY, there, "--out", self.folder / "out.png")
        self.assertEqual(png.read((self.folder / "out.png").read_bytes())[:3], (width, height, planes))

    def test_the_vectors(self):
        for entry in MANIFEST["valid"]:
            if entry.get("filter") == "mean":
                [source] = entry["from"]
                answer, body = self.ask("POST", f"/v1/filters/mean?size={entry['parameters']['size']}", (VECTORS / source).read_bytes())
                self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/vnd.safelight"))
                self.assertEqual(body, (VECTORS / entry["file"]).read_bytes(), entry["file"])

    def test_hostile_files(self):
        for entry in MANIFEST["hostile"]:
            expected = {"image": entry["code"], "filter": entry["code"], "decrypt": None}
            if entry["kind"] in expected:
                with self.subTest(entry["file"]):
                    body = (VECTORS / entry["file"]).read_bytes()
                    self.assertEqual(self.code("/v1/filters/mean?radius=1", body), expected[entry["kind"]])

    def test_requests_that_make_no_sense(self):
        image = (VECTORS / "valid/grey-5x3.slt").read_bytes()
        cases = [("/v1/filters/mean?radius=-1", "bad_filter"), ("/v1/filters/mean?radius=1&radius=1", "bad_filter"),
                 ("/v1/filters/mean?size=2x3", "bad_filter"), ("/v1/filters/mean?size=0x1", "bad_filter"),
                 ("/v1/filters/mean?sigma=1", "bad_filter"), ("/v1/filters/mean?radius=1025", "bad_filter"),
                 ("/v1/filters/blur", "unknown_filter"), ("/v2", "not_found"), ("/v1/filters/mean?radius=2", "halo_too_small")]
        for path, code in cases:
            self.assertEqual(self.code(path, image), code, path)
        out = self.folder / "out.slt"
        with self.assertRaises(Failed) as failed:
            safelight("filter", "sobel-x", VECTORS / "valid/grey-5x3.slt", "--out", out, "--server", self.url)
        self.assertEqual(failed.exception.code, "unknown_filter")
        self.assertFalse(out.exists())

    def test_what_it_can_do(self):
        answer, body = self.ask("GET", "/v1")
        about = json.loads(body)
        self.assertEqual((answer.status, about["wire_version"], about["filters"][0]["name"]), (200, 1, "mean"))

    def test_pages_of_other_origins(self):
        def allowed(origin):
            answer, _ = self.ask("OPTIONS", "/v1/filters/mean", Origin=origin, Access_Control_Request_Method="POST")
            self.assertEqual(answer.status, 200)
            return answer.headers["Access-Control-Allow-Origin"]

        for origin in ("http://localhost:8080", "http://127.0.0.1:4000", "http://localhost"):
            self.assertEqual(allowed(origin), origin)
        for origin in ("http://evil.example", "http://localhost.evil.example", "http://127.0.0.1:80.evil.example", "null"):
            self.assertIsNone(allowed(origin))


if __name__ == "__main__":
    unittest.main()
