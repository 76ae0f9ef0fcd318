"""What the tests share: the program under test, the test vectors, a folder for each test."""
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests/vectors"
MANIFEST = json.loads((VECTORS / "manifest.json").read_text())
KEY = VECTORS / "valid/published-test-2048.key"


class Failed(Exception):
    """The program ended with an error; `code` is its stable name."""

    def __init__(self, run):
        super().__init__(run.stderr)
        found = re.search(r"error\[(\w+)\]", run.stderr)
        self.code = found and found[1]


def safelight(*arguments, stdin=None):
    """Runs the program; gives what it prints."""
    program = os.environ["SAFELIGHT_CLI"]
    run = subprocess.run([program, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=300)
    if run.returncode != 0:
        raise Failed(run)
    return run.stdout


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name, content):
        """A file with this content; its path."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def assert_fails(self, code, *arguments):
        with self.assertRaises(Failed) as failed:
            safelight(*arguments)
        self.assertEqual(failed.exception.code, code, failed.exception)
