"""python-paillier for the tests in Rust: `encrypt N NUMBER...` prints JSON, `decrypt P Q` reads it from standard input."""
import json
import sys

import phe


def encrypt(n, *numbers):
    public = phe.PaillierPublicKey(int(n))
    values = [(str(public.encrypt(int(number)).ciphertext()), 0) for number in numbers]
    print(json.dumps({"public_key": {"n": n}, "values": values}))


def decrypt(p, q):
    public = phe.PaillierPublicKey(int(p) * int(q))
    private = phe.PaillierPrivateKey(public, int(p), int(q))
    for ciphertext, exponent in json.load(sys.stdin)["values"]:
        print(private.decrypt(phe.EncryptedNumber(public, int(ciphertext), exponent)))


{"encrypt": encrypt, "decrypt": decrypt}[sys.argv[1]](*sys.argv[2:])
