"""Our files against a reader and writer of the format that shares nothing with them."""
import random
import unittest

import png
import reference
from common import KEY, MANIFEST, VECTORS, Case, Failed, safelight

FILTERS = [
    (["mean", "--radius", "1"], "mean size=3x3", [[1] * 3] * 3, 9),
    (["mean", "--size", "5x1"], "mean size=5x1", [[1] * 5], 5),
    (["sobel-y"], "sobel-y", [[-1, -2, -1], [0, 0, 0], [1, 2, 1]], 1),
    (["gaussian", "--sigma", "0.85", "--radius", "1"], "gaussian sigma=0.85 radius=1", [[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16),
    (["kernel", "--kernel=-3,1,0;0,9,2;1,0,-5", "--divisor", "4"], "kernel weights=-3,1,0;0,9,2;1,0,-5 divisor=4",
     [[-3, 1, 0], [0, 9, 2], [1, 0, -5]], 4),
]


def noise(seed, width, height, planes):
    rng = random.Random(seed)
    return [rng.choice([0, 255, rng.randrange(256), rng.randrange(256)]) for _ in range(width * height * planes)]


class Format(Case):
    def test_the_vectors(self):
        for entry in MANIFEST["valid"]:
            data = (VECTORS / entry["file"]).read_bytes()
            with self.subTest(entry["file"]):
                if entry["kind"] == "public_key":
                    self.assertEqual(reference.read_public(data), (entry["bits"], int(entry["n"], 16)))
                elif entry["kind"] == "secret_key":
                    self.assertEqual(reference.read_secret(data), (entry["bits"], int(entry["p"], 16), int(entry["q"], 16)))
                elif entry["kind"] == "image":
                    _, p, q = reference.read_secret((VECTORS / entry["key"]).read_bytes())
                    head, picture = reference.decrypt_image(data, p, q)
                    self.assertEqual(picture, entry["pixels"])
                    self.assertEqual((head.low, head.high, head.history), (entry["low"], entry["high"], entry["history"]))

    def test_encrypted_and_filtered_here_decrypted_there(self):
        _, p, q = reference.read_secret(KEY.read_bytes())
        shapes = [(23, 9, 3, "replicate"), (7, 16, 1, "reflect"), (1, 1, 3, "zero"), (2, 5, 3, "reflect"), (31, 3, 1, "zero")]
        for (arguments, text, weights, divisor), (width, height, planes, border) in zip(FILTERS, shapes):
            with self.subTest(text):
                pixels = noise(text, width, height, planes)
                photo = self.file("photo.png", png.write(width, height, planes, pixels))
                image, out = self.folder / "photo.slt", self.folder / "out.slt"
                safelight("encrypt", "--key", KEY, photo, "--out", image, "--for", text, "--border", border)
                safelight("filter", *arguments, image, "--out", out)

                head, picture = reference.decrypt_image(image.read_bytes(), p, q)
                self.assertEqual(picture, pixels)
                filtered, picture = reference.decrypt_image(out.read_bytes(), p, q)
                self.assertEqual(picture, reference.filter_clear(head, pixels, weights, divisor))
                self.assertEqual(filtered.history, text)
                # The result is determined to the last byte.
                self.assertEqual(reference.filter_image(image.read_bytes(), weights, divisor, text), out.read_bytes())

    def test_encrypted_there_filtered_and_decrypted_here(self):
        _, p, q = reference.read_secret(KEY.read_bytes())
        # A grid that our own program would not choose, and so does not open without being told to.
        head = reference.photo_head(2048, p * q, 13, 7, 3, reference.REFLECT, (6, 4), (1, 2), 17)
        pixels = noise("there", 13, 7, 3)
        image, out = self.file("photo.slt", reference.encrypt_image(head, pixels)), self.folder / "out.slt"
        for arguments, text, weights, divisor in FILTERS[1:3]:
            if len(weights[0]) > 3:
                continue
            safelight("filter", *arguments, image, "--out", out)
            with self.assertRaises(Failed):
                safelight("decrypt", "--from-others", "--key", KEY, out, "--out", self.folder / "out.png")
            safelight("decrypt", "--no-check", "--key", KEY, "--view", "exact16", out, "--out", self.folder / "out.png")
            width, height, planes, samples = png.read((self.folder / "out.png").read_bytes())
            self.assertEqual((width, height, planes), (13, 7, 3))
            expected = reference.filter_clear(head, pixels, weights, divisor)
            self.assertEqual([sample - 32768 for sample in samples], expected, text)
        safelight("decrypt", "--no-check", "--key", KEY, image, "--out", self.folder / "photo.png")
        self.assertEqual(png.read((self.folder / "photo.png").read_bytes()), (13, 7, 3, pixels))


if __name__ == "__main__":
    unittest.main()
