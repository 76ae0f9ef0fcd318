"""python-paillier with gmpy2, as its users call it: prints one JSON line for each thing measured.

By hand: `python bench.py SECONDS BITS...`, where SECONDS is how long each is measured.
"""

import json
import platform
import statistics
import sys
import time

import gmpy2
import phe
import phe.util


def main(seconds, sizes):
    assert phe.util.HAVE_GMP, "phe does not find gmpy2"
    say(who="phe", version=f"{phe.__version__}, gmpy2 {gmpy2.version()}, Python {platform.python_version()}")
    for bits in sizes:
        public, private = phe.generate_paillier_keypair(n_length=bits)
        a, b = public.encrypt(1_234_567), public.encrypt(7_654_321)
        assert private.decrypt(a + b) == 8_888_888
        measure(seconds, bits, "product", lambda: a + b)
        measure(seconds, bits, "encrypt as anybody", lambda: public.encrypt(1_234_567))
        measure(seconds, bits, "decrypt", lambda: private.decrypt(a))


def measure(seconds, bits, what, work):
    """The median of as many samples as fit, each long enough for the clock."""
    start = time.perf_counter_ns()
    work()
    calls = max(1, 10_000_000 // max(1, time.perf_counter_ns() - start))
    samples = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 5:
        start = time.perf_counter_ns()
        for _ in range(calls):
            work()
        samples.append((time.perf_counter_ns() - start) / calls)
    say(who="phe", what=what, bits=bits, ns=round(statistics.median(samples), 1))


def say(**fields):
    print(json.dumps(fields), flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), [int(size) for size in sys.argv[2:]])
