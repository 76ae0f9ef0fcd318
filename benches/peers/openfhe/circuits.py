"""Circuits of encrypted vectors by OpenFHE: prints what it decrypts, which `tests/oracle.rs` compares with ours.

By hand, when a circuit changes: `python circuits.py > ../../../tests/oracle/openfhe.json`, with a Python as for `bench.py`.
Degree and moduli are those of our set `leveled-14`.
"""

import importlib.metadata
import json
import math

from openfhe import (
    CCParamsCKKSRNS,
    GenCryptoContext,
    KeySwitchTechnique,
    PKESchemeFeature,
    ScalingTechnique,
    SecurityLevel,
)

SLOTS = 64
CHEBYSHEV = [0.3, -0.4, 0.0, 0.25, 0.1, -0.05, 0.0, 0.15]
POWERS = [0.1, -0.5, 0.25, 0.0, 0.2, 0.15]
X = [math.sin(0.37 * i) for i in range(SLOTS)]
Y = [math.cos(0.61 * i + 0.2) for i in range(SLOTS)]


def main():
    parameters = CCParamsCKKSRNS()
    parameters.SetRingDim(1 << 14)
    parameters.SetBatchSize(SLOTS)
    parameters.SetSecurityLevel(SecurityLevel.HEStd_NotSet)
    parameters.SetMultiplicativeDepth(7)
    parameters.SetScalingModSize(40)
    parameters.SetFirstModSize(50)
    parameters.SetScalingTechnique(ScalingTechnique.FLEXIBLEAUTO)
    parameters.SetKeySwitchTechnique(KeySwitchTechnique.HYBRID)
    parameters.SetNumLargeDigits(4)
    cc = GenCryptoContext(parameters)
    for feature in ["PKE", "KEYSWITCH", "LEVELEDSHE", "ADVANCEDSHE"]:
        cc.Enable(getattr(PKESchemeFeature, feature))
    keys = cc.KeyGen()
    cc.EvalMultKeyGen(keys.secretKey)
    cc.EvalRotateKeyGen(keys.secretKey, [5, -3])
    cc.EvalSumKeyGen(keys.secretKey)
    encrypt = lambda values: cc.Encrypt(keys.publicKey, cc.MakeCKKSPackedPlaintext(values))
    x, y = encrypt(X), encrypt(Y)
    product = cc.EvalMult(x, y)
    # OpenFHE halves the first coefficient of a Chebyshev series.
    series = [2 * CHEBYSHEV[0], *CHEBYSHEV[1:]]
    circuits = {
        "x + y": cc.EvalAdd(x, y),
        "x - y": cc.EvalSub(x, y),
        "x * y": product,
        "x * y * y": cc.EvalMult(product, y),
        "x * (1, 2, 3, ...) / 64": cc.EvalMult(x, cc.MakeCKKSPackedPlaintext([(i + 1) / SLOTS for i in range(SLOTS)])),
        "x * 0.7": cc.EvalMult(x, 0.7),
        "x, 5 to the left": cc.EvalRotate(x, 5),
        "x, 3 to the right": cc.EvalRotate(x, -3),
        "sum of x": cc.EvalSum(x, SLOTS),
        "x . y": cc.EvalSum(product, SLOTS),
        "powers": cc.EvalPoly(x, POWERS),
        "Chebyshev": cc.EvalChebyshevSeries(x, series, -1, 1),
    }
    found = {}
    for name, ciphertext in circuits.items():
        opened = cc.Decrypt(ciphertext, keys.secretKey)
        opened.SetLength(SLOTS)
        found[name] = opened.GetRealPackedValue()[:SLOTS]
    document = {
        "program": f"OpenFHE {importlib.metadata.version('openfhe')}",
        "x": X,
        "y": Y,
        "powers": POWERS,
        "chebyshev": CHEBYSHEV,
        "found": found,
    }
    print(json.dumps(document, indent=1))


main()
