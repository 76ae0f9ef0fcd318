"""Keys and encrypted numbers go to python-paillier and come back."""
import fractions
import json
import unittest

import phe
import phe.command_line

import reference
from common import KEY, Case, Failed, safelight

# A few that are small, one that is longer than a machine word, the largest that python-paillier takes.
N = (lambda key: key[1] * key[2])(reference.read_secret(KEY.read_bytes()))
NUMBERS = [0, 1, -1, 255, -40, 2**70 + 3, -(2**90), N // 3 - 1, -(N // 3 - 1)]


def our_key():
    """The published test key, as python-paillier holds it."""
    _, p, q = reference.read_secret(KEY.read_bytes())
    public = phe.PaillierPublicKey(p * q)
    return public, phe.PaillierPrivateKey(public, p, q)


def to_json(public, numbers):
    """As python-paillier's documentation on serialisation has it."""
    return json.dumps({
        "public_key": {"n": str(public.n)},
        "values": [(str(number.ciphertext()), number.exponent) for number in numbers],
    })


def from_json(text):
    document = json.loads(text)
    public = phe.PaillierPublicKey(int(document["public_key"]["n"]))
    return [phe.EncryptedNumber(public, int(c), int(exponent)) for c, exponent in document["values"]]


class Keys(Case):
    def test_our_public_key_in_python_paillier(self):
        document = json.loads(safelight("phe", "export-key", KEY, "--out", "-"))
        public = phe.command_line.load_public_key(document)
        self.assertEqual(public, our_key()[0])

    def test_python_pailliers_public_key_here(self):
        keypair = self.folder / "keypair.json"
        phe.command_line.cli(["genpkey", "--keysize", "2048", str(keypair)], standalone_mode=False)
        private = json.loads(keypair.read_text())
        n = phe.util.base64_to_int(private["pub"]["n"])
        for name, text in [("web-key", json.dumps(private["pub"])), ("plain", json.dumps({"n": str(n)}))]:
            out = self.folder / name
            safelight("phe", "import-key", self.file("key.json", text), "--out", out)
            self.assertEqual(reference.read_public(out.read_bytes()), (2048, n))

    def test_python_pailliers_secret_key_here(self):
        keypair, out = self.folder / "keypair.json", self.folder / "theirs.key"
        phe.command_line.cli(["genpkey", "--keysize", "2048", str(keypair)], standalone_mode=False)
        safelight("phe", "import-key", keypair, "--out", out)
        self.assertEqual(out.stat().st_mode & 0o777, 0o600)
        private = json.loads(keypair.read_text())
        primes = {phe.util.base64_to_int(private[name]) for name in "pq"}
        _, p, q = reference.read_secret(out.read_bytes())
        self.assertEqual({p, q}, primes)
        # Without the web key's form, as numbers or texts, with the mark that editors for Windows put before text.
        p, q = primes
        for form in ({"p": p, "q": q}, {"p": str(p), "q": str(q)}):
            plain = self.folder / "plain.key"
            safelight("phe", "import-key", self.file("plain.json", "\ufeff" + json.dumps(form)), "--out", plain)
            self.assertEqual(set(reference.read_secret(plain.read_bytes())[1:]), primes)
            plain.unlink()
        # Never over another file, and not if its parts do not fit together.
        self.assert_fails("file_exists", "phe", "import-key", keypair, "--out", out)
        other = dict(private, pub=dict(private["pub"], n=phe.util.int_to_base64(our_key()[0].n)))
        self.assert_fails("bad_argument", "phe", "import-key", self.file("mixed.json", json.dumps(other)), "--out", "-")
        half = {name: value for name, value in private.items() if name != "q"}
        self.assert_fails("bad_argument", "phe", "import-key", self.file("half.json", json.dumps(half)), "--out", "-")

    def test_keys_as_the_documentation_has_them(self):
        n = our_key()[0].n
        public = KEY.with_suffix(".pub").read_bytes()
        for key in ({"n": n}, {"g": n + 1, "n": n}, {"n": str(n)}, {"g": str(n + 1), "n": str(n)}):
            out = self.folder / "out"
            safelight("phe", "import-key", self.file("key.json", json.dumps(key)), "--out", out)
            self.assertEqual(out.read_bytes(), public)
        for key in ({"g": n, "n": n}, {"n": -n}, {"n": 1.5}, {"n": [n]}):
            self.assert_fails("bad_argument", "phe", "import-key", self.file("key.json", json.dumps(key)), "--out", "-")

    def test_a_key_goes_there_and_back(self):
        for name in ("published-test-2048", "published-test-3072", "published-test-4096"):
            public = KEY.with_name(f"{name}.pub")
            exported = safelight("phe", "export-key", public, "--out", "-")
            back = self.folder / name
            safelight("phe", "import-key", self.file("key.json", exported), "--out", back)
            self.assertEqual(back.read_bytes(), public.read_bytes())

    def test_keys_that_are_too_short_are_refused(self):
        public, _ = phe.generate_paillier_keypair(n_length=1024)
        text = json.dumps({"n": str(public.n)})
        self.assert_fails("bad_modulus", "phe", "import-key", self.file("key.json", text), "--out", "-")


class Numbers(Case):
    def decrypt(self, numbers, public=None, key=KEY):
        text = numbers if isinstance(numbers, str) else to_json(public or our_key()[0], numbers)
        return [int(line) for line in safelight("phe", "decrypt", "--key", key, self.file("in.json", text)).split()]

    def encrypt(self, numbers, key=KEY):
        return from_json(safelight("phe", "encrypt", "--key", key, "--out", "-", "--", *numbers))

    def test_encrypted_there_decrypted_here(self):
        public, _ = our_key()
        self.assertEqual(self.decrypt([public.encrypt(number) for number in NUMBERS]), NUMBERS)

    def test_encrypted_here_decrypted_there(self):
        _, private = our_key()
        for key in (KEY, KEY.with_suffix(".pub")):
            self.assertEqual([private.decrypt(number) for number in self.encrypt(NUMBERS, key)], NUMBERS)

    def test_a_key_of_python_paillier(self):
        public, private = phe.generate_paillier_keypair(n_length=2048)
        key = self.file("their.key", reference.write_secret(2048, private.p, private.q))
        web_key = {"kty": "DAJ", "alg": "PAI-GN1", "key_ops": ["encrypt"], "n": phe.util.int_to_base64(public.n)}
        imported = self.folder / "their.pub"
        safelight("phe", "import-key", self.file("their.json", json.dumps(web_key)), "--out", imported)

        self.assertEqual([private.decrypt(number) for number in self.encrypt([7, -7], imported)], [7, -7])
        self.assertEqual(self.decrypt([public.encrypt(123), public.encrypt(-5)], public, key), [123, -5])
        self.assert_fails("foreign_key", "phe", "decrypt", "--key", KEY,
                          self.file("other.json", to_json(public, [public.encrypt(1)])))

    def test_numbers_that_overflowed_are_refused(self):
        public, private = our_key()
        largest = public.encrypt(N // 3 - 1)
        with self.assertRaises(OverflowError):
            private.decrypt(largest + 1)
        for number in (largest + 1, largest * -1 - 1):
            self.assert_fails("plaintext_out_of_range", "phe", "decrypt", "--key", KEY,
                              self.file("over.json", to_json(public, [number])))
        self.assert_fails("plaintext_out_of_range", "phe", "encrypt", "--key", KEY, "--out", "-", N // 3)

    def test_a_fresh_key_of_ours(self):
        key = self.folder / "fresh.key"
        safelight("keygen", "paillier", "--bits", 2048, "--out", key)
        bits, p, q = reference.read_secret(key.read_bytes())
        self.assertEqual((bits, (p * q).bit_length()), (2048, 2048))
        private = phe.PaillierPrivateKey(phe.PaillierPublicKey(p * q), p, q)
        self.assertEqual([private.decrypt(number) for number in self.encrypt([0, -3, 10**40], key)], [0, -3, 10**40])

    def test_sums_and_products_made_there_from_ours(self):
        a, b = self.encrypt([1000, -77])
        results = [a + b, a - b, a * 3, b * -4, a + 5, b - 2**80, a * 0, b * -1, (a + b) * -2 + a]
        expected = [923, 1077, 3000, 308, 1005, -77 - 2**80, 0, 77, -846]
        self.assertEqual(self.decrypt(results), expected)

    def test_sums_and_products_made_here_from_theirs(self):
        """An image whose every ciphertext was made by python-paillier goes through our filters and back."""
        public, private = our_key()
        values = [[200, 7, 0], [13, 255, 1], [99, 100, 101]]
        weights = [[1, -2, 3], [0, 40, -5], [-6, 7, 0]]
        head = reference.photo_head(2048, public.n, 1, 1, 1, reference.ZERO, (1, 1), (1, 1), 20)
        rows = [[public.encrypt(value).ciphertext() for value in row] for row in values]
        image = self.file("in.slt", reference.write_image(head, rows))
        out = self.folder / "out.slt"
        text = ";".join(",".join(map(str, row)) for row in weights)
        safelight("filter", "kernel", "--kernel", text, image, "--out", out)
        head, [[c]] = reference.read_image(out.read_bytes())
        total = sum(w * v for ws, vs in zip(weights, values) for w, v in zip(ws, vs))
        self.assertEqual(private.decrypt(phe.EncryptedNumber(public, c, 0)) - head.bias, total)

    def lines(self, document):
        text = document if isinstance(document, str) else json.dumps(document)
        return safelight("phe", "decrypt", "--key", KEY, self.file("in.json", text)).split()

    def test_the_documentations_json_has_numbers(self):
        public, _ = our_key()
        encrypted = [public.encrypt(number) for number in (5, -7)]
        keys = [{"n": public.n}, {"g": public.g, "n": public.n}, {"n": str(public.n)}]
        texts = [[str(c.ciphertext()), c.exponent] for c in encrypted]
        numbers = [[c.ciphertext(), c.exponent] for c in encrypted]
        for key in keys:
            for values in (texts, numbers):
                self.assertEqual(self.lines({"public_key": key, "values": values}), ["5", "-7"])

    def test_numbers_of_pheutil(self):
        """What `pheutil encrypt`, `addenc` and `multiply` write: one number, without a key."""
        public, _ = our_key()
        key = {"kty": "DAJ", "alg": "PAI-GN1", "key_ops": ["encrypt"], "n": phe.util.int_to_base64(public.n), "kid": "x"}
        key = self.file("pub.json", json.dumps(key))
        def pheutil(command, *arguments):
            out = self.folder / "number.json"
            phe.command_line.cli([command, "--output", str(out), *map(str, arguments)], standalone_mode=False)
            return out.read_text()
        for number, printed in (("-7", "-7"), ("0.5", "0.5"), ("1e3", "1000")):
            text = pheutil("encrypt", key, "--", number)
            self.assertEqual(set(json.loads(text)), {"v", "e"})
            self.assertEqual(self.lines(text), [printed])
        product = pheutil("multiply", key, self.file("number2.json", text), "--", "1.5")
        self.assertEqual(self.lines(product), ["1500"])
        _, other = phe.generate_paillier_keypair(n_length=2048)
        theirs = other.public_key.encrypt(3)
        # A number of another key is most often no ciphertext of this one, or nonsense; it never passes for a small number.
        text = json.dumps({"v": str(theirs.ciphertext()), "e": 0})
        try:
            self.assertNotEqual(self.lines(text), ["3"])
        except Failed as failed:
            # What comes out of a wrong key is a random number, which may be beyond what python-paillier has.
            self.assertIn(failed.code, ("ciphertext_out_of_range", "ciphertext_not_unit", "plaintext_out_of_range"))

    def test_numbers_with_an_exponent_are_exact(self):
        public, private = our_key()
        half = public.encrypt(0.5)
        cases = [half * 10, half, public.encrypt(-1.5), public.encrypt(0.1), public.encrypt(3).decrease_exponent_to(-2),
                 public.encrypt(1e300), public.encrypt(5e-324), public.encrypt(1.25) * 1e-10, public.encrypt(0.0),
                 public.encrypt(100.0, precision=0.01), public.encrypt(phe.EncodedNumber(public, 3, 2))]
        document = {"public_key": {"n": public.n}, "values": [[str(c.ciphertext(False)), c.exponent] for c in cases]}
        for line, number in zip(self.lines(document), cases, strict=True):
            encoded = private.decrypt_encoded(number)
            value = encoded.encoding if encoded.encoding <= public.max_int else encoded.encoding - public.n
            self.assertEqual(fractions.Fraction(line), value * fractions.Fraction(16) ** encoded.exponent, line)
        self.assertEqual(self.lines(document)[:3], ["5", "0.5", "-1.5"])
        for exponent in (5000, -5000, 0.5, "0", None):
            values = [[str(half.ciphertext(False)), exponent]]
            self.assert_fails("bad_argument", "phe", "decrypt", "--key", KEY,
                              self.file("in.json", json.dumps({"public_key": {"n": public.n}, "values": values})))

    def test_what_python_paillier_cannot_hold_is_refused(self):
        n = our_key()[0].n
        for number in (n // 2 + 1, -(n // 2 + 1), n):
            self.assert_fails("plaintext_out_of_range", "phe", "encrypt", "--key", KEY, "--out", "-", "--", number)

    def test_what_is_no_ciphertext_is_refused(self):
        _, p, q = reference.read_secret(KEY.read_bytes())
        n = p * q
        cases = [(0, "ciphertext_out_of_range"), (n * n, "ciphertext_out_of_range"), (10**2400, "ciphertext_out_of_range"),
                 (n, "ciphertext_not_unit"), (p, "ciphertext_not_unit"), (q * 12, "ciphertext_not_unit"),
                 (-5, "bad_argument"), ("0x10", "bad_argument"), ("", "bad_argument"), ("1e3", "bad_argument")]
        for number, code in cases:
            text = json.dumps({"public_key": {"n": str(n)}, "values": [[str(number), 0]]})
            with self.assertRaises(Failed, msg=number) as failed:
                self.decrypt(text)
            self.assertEqual(failed.exception.code, code, number)


if __name__ == "__main__":
    unittest.main()
