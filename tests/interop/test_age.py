"""Key files under a passphrase go to rage, another program of the age format, and come back."""
import os
import pathlib
import tempfile
import unittest

import pyrage

from common import KEY, Case, safelight

PASSPHRASE = "drei Fässer unter der Treppe"


class Protected(Case):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.phrase = self.folder / "phrase"
        self.phrase.write_text(PASSPHRASE + os.linesep, encoding="utf-8")

    def test_ours_in_rage(self):
        made = self.folder / "ours.age"
        safelight("protect", KEY, "--passphrase-file", self.phrase, "--out", made)
        self.assertEqual(pyrage.passphrase.decrypt(made.read_bytes(), PASSPHRASE), KEY.read_bytes())
        with self.assertRaises(pyrage.DecryptError):
            pyrage.passphrase.decrypt(made.read_bytes(), PASSPHRASE + ".")

    def test_rages_in_ours(self):
        made, opened = self.folder / "theirs.age", self.folder / "opened.key"
        made.write_bytes(pyrage.passphrase.encrypt(KEY.read_bytes(), PASSPHRASE))
        safelight("unprotect", made, "--passphrase-file", self.phrase, "--out", opened)
        self.assertEqual(opened.read_bytes(), KEY.read_bytes())

    def test_rages_in_ours_as_text(self):
        made, opened = self.folder / "theirs.age", self.folder / "opened.key"
        made.write_bytes(pyrage.passphrase.encrypt(KEY.read_bytes(), PASSPHRASE, armored=True))
        self.assertTrue(made.read_bytes().startswith(b"-----BEGIN AGE ENCRYPTED FILE-----"))
        safelight("unprotect", made, "--passphrase-file", self.phrase, "--out", opened)
        self.assertEqual(opened.read_bytes(), KEY.read_bytes())
        for text in (made.read_bytes().replace(b"\n", b"\r\n"), b"\n " + made.read_bytes() + b"\n"):
            made.write_bytes(text)
            self.assertEqual(safelight("info", made).split()[:3], ["kind", "protected", "key"])


if __name__ == "__main__":
    unittest.main()
