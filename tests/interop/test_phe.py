"""Keys and encrypted numbers go to python-paillier and come back."""
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
        # A private key is not a public one.
        self.assert_fails("bad_argument", "phe", "import-key", keypair, "--out", "-")

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

    def test_numbers_with_an_exponent_are_refused(self):
        public, _ = our_key()
        for number in (public.encrypt(1.5), public.encrypt(3).decrease_exponent_to(-2)):
            text = to_json(public, [public.encrypt(1), number])
            self.assert_fails("bad_argument", "phe", "decrypt", "--key", KEY, self.file("in.json", text))

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
