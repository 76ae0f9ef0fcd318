"""OpenFHE's CKKS by its Python package, as its users call it: prints one JSON line for each thing measured.

By hand: `pip install openfhe`, then `OMP_NUM_THREADS=1 python bench.py [--bootstrap]`. The package has no builds for all
versions of Python (3.10 works), so `cargo xtask bench` does not run it. The circuits have the degree, the moduli and the digits of our sets
`leveled-16` and `bootstrap-16`, as close as its parameters allow.
"""

import importlib.metadata
import json
import math
import resource
import statistics
import sys
import time

from openfhe import (
    CCParamsCKKSRNS,
    CryptoContext,
    GenCryptoContext,
    KeySwitchTechnique,
    PKESchemeFeature,
    ScalingTechnique,
    SecretKeyDist,
    SecurityLevel,
)

LOG_DEGREE = 16


def main(bootstrap):
    say(who="OpenFHE", version=importlib.metadata.version("openfhe"))
    leveled()
    if bootstrap:
        bootstrapping()


def context(parameters, features):
    made = GenCryptoContext(parameters)
    for feature in features:
        made.Enable(feature)
    return made


def leveled():
    parameters = CCParamsCKKSRNS()
    parameters.SetRingDim(1 << LOG_DEGREE)
    parameters.SetSecurityLevel(SecurityLevel.HEStd_NotSet)
    parameters.SetSecretKeyDist(SecretKeyDist.UNIFORM_TERNARY)
    parameters.SetMultiplicativeDepth(31)
    parameters.SetScalingModSize(40)
    parameters.SetFirstModSize(50)
    parameters.SetScalingTechnique(ScalingTechnique.FIXEDMANUAL)
    parameters.SetKeySwitchTechnique(KeySwitchTechnique.HYBRID)
    parameters.SetNumLargeDigits(4)
    cc = context(parameters, [PKESchemeFeature.PKE, PKESchemeFeature.KEYSWITCH, PKESchemeFeature.LEVELEDSHE])
    keys = cc.KeyGen()
    cc.EvalMultKeyGen(keys.secretKey)
    steps = list(range(1, 9))
    cc.EvalRotateKeyGen(keys.secretKey, steps)
    values = [math.sin(0.37 * i) for i in range(1 << (LOG_DEGREE - 1))]
    a = cc.Encrypt(keys.publicKey, cc.MakeCKKSPackedPlaintext(values))
    measure("rotate", lambda: cc.EvalRotate(a, 1))
    measure("multiply, relinearise, rescale", lambda: cc.Rescale(cc.EvalMult(a, a)))

    def hoisted():
        precomputed = cc.EvalFastRotationPrecompute(a)
        for step in steps:
            cc.EvalFastRotation(a, step, 2 << LOG_DEGREE, precomputed)

    measure("eight rotations of one vector", hoisted)


def bootstrapping():
    parameters = CCParamsCKKSRNS()
    parameters.SetRingDim(1 << LOG_DEGREE)
    parameters.SetSecurityLevel(SecurityLevel.HEStd_NotSet)
    parameters.SetSecretKeyDist(SecretKeyDist.SPARSE_TERNARY)
    parameters.SetScalingModSize(48)
    parameters.SetFirstModSize(52)
    parameters.SetScalingTechnique(ScalingTechnique.FLEXIBLEAUTO)
    parameters.SetKeySwitchTechnique(KeySwitchTechnique.HYBRID)
    parameters.SetNumLargeDigits(3)
    budget = [4, 3]
    depth = 10 + CryptoContext.GetBootstrapDepth(budget, SecretKeyDist.SPARSE_TERNARY)
    parameters.SetMultiplicativeDepth(depth)
    features = ["PKE", "KEYSWITCH", "LEVELEDSHE", "ADVANCEDSHE", "FHE"]
    cc = context(parameters, [getattr(PKESchemeFeature, feature) for feature in features])
    slots = 1 << 14
    cc.EvalBootstrapSetup(budget, [0, 0], slots)
    keys = cc.KeyGen()
    cc.EvalMultKeyGen(keys.secretKey)
    cc.EvalBootstrapKeyGen(keys.secretKey, slots)
    values = [math.sin(0.37 * i) for i in range(slots)]
    plaintext = cc.MakeCKKSPackedPlaintext(values, 1, depth - 1, None, slots)
    a = cc.Encrypt(keys.publicKey, plaintext)
    b = measure("bootstrap", lambda: cc.EvalBootstrap(a), samples=2)
    opened = cc.Decrypt(b, keys.secretKey)
    opened.SetLength(slots)
    found = opened.GetRealPackedValue()
    worst = max(abs(x - y) for x, y in zip(found, values))
    say(who="OpenFHE", what="bootstrap: bits of the largest error", value=-math.log2(worst))
    say(who="OpenFHE", what="bootstrap: resident bytes", value=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def measure(what, work, samples=7):
    result = work()
    times = []
    for _ in range(samples):
        start = time.perf_counter_ns()
        result = work()
        times.append(time.perf_counter_ns() - start)
    say(who="OpenFHE", what=what, degree=1 << LOG_DEGREE, ns=statistics.median(times))
    return result


def say(**line):
    print(json.dumps(line), flush=True)


main("--bootstrap" in sys.argv[1:])
