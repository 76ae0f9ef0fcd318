"""Colours: results that look like their photos, and conversions to sRGB, both as Little CMS (by way of Pillow) sees them."""
import io
import os
import subprocess
import unittest

from common import Case
from PIL import Image, ImageCms
from profiles import PROFILES, grey_profile

RELATIVE = ImageCms.Intent.RELATIVE_COLORIMETRIC
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def photo(mode="RGB"):
    """Every kind of colour: a cube of them, and greys."""
    picture = Image.new("RGB", (66, 66))
    cube = [(r, g, b) for r in range(0, 256, 17) for g in range(0, 256, 17) for b in range(0, 256, 17)]
    picture.putdata(cube + [(i % 256,) * 3 for i in range(66 * 66 - len(cube))])
    return picture.convert(mode)


def shown(picture, icc):
    """The picture in sRGB."""
    icc = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    return ImageCms.profileToProfile(picture, icc, SRGB, RELATIVE, "RGB")


def apart(a, b):
    return max(abs(x - y) for x, y in zip(a.convert("RGB").tobytes(), b.convert("RGB").tobytes(), strict=True))


class Colour(Case):
    def safelight(self, *arguments):
        env = {**os.environ, "SAFELIGHT_HOME": str(self.folder / "home")}
        run = subprocess.run(
            [os.environ["SAFELIGHT_CLI"], *map(str, arguments)], capture_output=True, text=True, timeout=300, env=env
        )
        self.assertEqual(run.returncode, 0, run.stderr)
        return run.stderr

    def files(self, picture, icc):
        for name in ["photo.png", "photo.jpg", "photo.webp"]:
            path = self.folder / name
            how = {"quality": 100, "subsampling": 0} if name.endswith("jpg") else {"lossless": True}
            picture.save(path, icc_profile=icc, **({} if name.endswith("png") else how))
            yield path

    def way(self, path, *options):
        """Scrambled and put together again, which is the quickest way; gives the result, and what was said."""
        key, image, result = (self.folder / name for name in ["etc.key", "image.png", "result.png"])
        if not key.exists():
            self.safelight("keygen", "etc", "--out", key)
        said = self.safelight("etc", "encrypt", "--key", key, "--block", "4", path, "--out", image, *options)
        self.assertNotIn("icc_profile", Image.open(image).info)
        self.safelight("etc", "decrypt", "--key", key, image, "--out", result)
        return Image.open(result), said

    def test_encrypted_photos(self):
        icc = PROFILES["Display P3"]
        picture = photo().crop((0, 0, 9, 5))
        key, path, image, result = (self.folder / name for name in ["my.key", "photo.png", "image.slt", "result.png"])
        picture.save(path, icc_profile=icc)
        self.safelight("keygen", "paillier", "--bits", "2048", "--out", key)
        self.safelight("encrypt", "--key", key, path, "--out", image)
        self.safelight("decrypt", "--key", key, image, "--out", result)
        self.assertEqual(Image.open(result).info.get("icc_profile"), icc)
        self.assertEqual(Image.open(result).tobytes(), picture.tobytes())

    def test_results_look_like_their_photos(self):
        for name, icc in PROFILES.items():
            for path in self.files(photo(), icc):
                with self.subTest(name, file=path.name):
                    result, said = self.way(path)
                    self.assertEqual(result.info.get("icc_profile"), icc)
                    self.assertIn("stays on this machine", said)
                    original = Image.open(path).convert("RGB")
                    # With the same profile the same samples look alike. Decoders of JPEG differ by rounding.
                    self.assertLessEqual(apart(result, original), 4 if path.suffix == ".jpg" else 0)

    def test_conversions_are_those_of_little_cms(self):
        for name, icc in PROFILES.items():
            with self.subTest(name):
                path = self.folder / "photo.png"
                photo().save(path, icc_profile=icc)
                result, said = self.way(path, "--colour", "srgb")
                self.assertNotIn("icc_profile", result.info)
                self.assertIn("converted to sRGB", said)
                # Between the entries of a table the two interpolate in different ways.
                self.assertLessEqual(apart(result, shown(photo(), icc)), 3 if name == "a table of colours" else 2)

    def test_grey_photos(self):
        path = self.folder / "photo.png"
        icc = grey_profile(1.4)
        photo("L").save(path, icc_profile=icc)
        result, _ = self.way(path)
        self.assertEqual((result.mode, result.info.get("icc_profile")), ("L", icc))
        result, _ = self.way(path, "--colour", "srgb")
        self.assertEqual(result.mode, "L")
        self.assertLessEqual(apart(result, shown(photo("L"), icc)), 2)

    def test_profiles_of_srgb_say_nothing_new(self):
        path = self.folder / "photo.png"
        photo().save(path, icc_profile=SRGB.tobytes())
        for options in [(), ("--colour", "srgb")]:
            result, said = self.way(path, *options)
            self.assertEqual(result.tobytes(), photo().tobytes())
            self.assertNotIn("colour", said)
            # That a photo has no profile is kept too, without anything of it.
            self.assertEqual(list((self.folder / "home").glob("colours/profiles/*")), [])

    def test_scrambled_pictures(self):
        icc = PROFILES["Display P3"]
        path, scrambled, back = (self.folder / name for name in ["photo.png", "scrambled.png", "back.png"])
        photo().save(path, icc_profile=icc)
        key = self.folder / "etc.key"
        self.safelight("keygen", "etc", "--out", key)
        self.safelight("etc", "encrypt", "--key", key, path, "--out", scrambled)
        self.assertNotIn("icc_profile", Image.open(scrambled).info)
        self.safelight("etc", "decrypt", "--key", key, scrambled, "--out", back)
        self.assertEqual(Image.open(back).info.get("icc_profile"), icc)
        self.assertEqual(Image.open(back).tobytes(), photo().tobytes())
        # Those under a fixed key, for programs that learn, are sRGB.
        self.safelight("etc", "encrypt", "--key", key, "--fixed-key", path, "--out", scrambled)
        self.safelight("etc", "decrypt", "--key", key, scrambled, "--out", back)
        self.assertNotIn("icc_profile", Image.open(back).info)
        self.assertLessEqual(apart(Image.open(back), shown(photo(), icc)), 2)


if __name__ == "__main__":
    unittest.main()
