#!/usr/bin/env python3
"""Derives the coefficients of compiler/llvm/math_*.c.

    minimax.py [NAME…]      prints the tables of the functions named, all without a name

Each fit minimises the greatest weighted error by Lawson's iteration (least squares whose weights grow where the error
is large). Coefficients are then rounded to float from the lowest order up, the remaining ones fitted again after each,
so that the printed floats are the ones that were optimised. Function values come from mpmath with 40 digits.
"""
import sys

import mpmath as mp
import numpy as np

mp.mp.dps = 40


def nodes(low, high, count):
    k = np.arange(count)
    return 0.5 * (low + high) + 0.5 * (high - low) * np.cos(np.pi * (k + 0.5) / count)


def lawson(columns, target, weight, rounds=600):
    """Coefficients a with max |weight * (columns @ a - target)| as small as possible."""
    lawson_weight = np.ones_like(target)
    best, best_error = None, np.inf
    norm = np.max(np.abs(columns * weight[:, None]), axis=0)
    for _ in range(rounds):
        s = np.sqrt(lawson_weight) * weight
        a = np.linalg.lstsq(columns / norm * s[:, None], target * s, rcond=None)[0] / norm
        error = np.abs(weight * (columns @ a - target))
        if error.max() < best_error:
            best, best_error = a, error.max()
        lawson_weight *= error + 1e-3 * error.max()
        lawson_weight /= lawson_weight.sum()
    return best, best_error


def f32(x):
    return float(np.float32(x))


def fit_polynomial(f, low, high, powers, weight=lambda x: np.ones_like(x), fixed=(), count=400):
    """Coefficients of the given powers of x for f on [low, high], floats; `fixed` are (power, value) taken as given."""
    x = nodes(low, high, count)
    y = np.array([float(f(mp.mpf(float(v)))) for v in x])
    w = weight(x)
    known = dict(fixed)
    order = [p for p in powers if p not in known]
    for p in list(order):
        rest = [q for q in order if q not in known]
        target = y - sum(v * x**q for q, v in known.items())
        a, _ = lawson(np.stack([x**q for q in rest], axis=1), target, w)
        known[p] = f32(a[rest.index(p)])
    approx = sum(v * x**q for q, v in known.items())
    return [known[p] for p in powers], np.max(np.abs(w * (approx - y)))


def c_float(v):
    text = float(v).hex()
    head, exponent = text.split("p")
    head = head.rstrip("0").rstrip(".") if "." in head else head
    return f"{head}p{int(exponent)}"


def show(name, coefficients, error, note):
    print(f"/* {note}; greatest error {error:.2e} = 2^{np.log2(error):.1f} */")
    print(f"static const double {name}[] = {{" + ", ".join(c_float(v) for v in coefficients) + "};\n")


LN2 = mp.log(2)


def split(name, value, bits):
    """value as a sum of a number of few bits (exact products with small integers) and a float."""
    scale = mp.mpf(2) ** (bits - 1 - mp.floor(mp.log(value, 2)))
    high = mp.nint(value * scale) / scale
    low = f32(float(value - high))
    print(f"/* {name} = high + low, the high part of {bits} bits */")
    print(f"static const double {name}_high = {c_float(float(high))}, {name}_low = {c_float(low)};\n")


def exp_():
    half = float(LN2 / 2) * 1.0005
    # exp(r) = 1 + r + r² q(r)
    def q(r):
        return (mp.exp(r) - 1 - r) / r**2 if abs(r) > 1e-12 else mp.mpf(1) / 2
    c, e = fit_polynomial(q, -half, half, range(4), weight=lambda r: r * r / np.exp(r))
    split("ln2", LN2, 15)
    show("exp_q", c, e, "exp(r) = 1 + r + r² q(r), |r| <= ln(2)/2")


def expm1_():
    half = float(LN2 / 2) * 1.0005
    def q(r):
        return (mp.expm1(r) - r) / r**2 if abs(r) > 1e-12 else mp.mpf(1) / 2
    c, e = fit_polynomial(q, -half, half, range(5), weight=lambda r: np.abs(r * r / np.expm1(r)))
    show("expm1_q", c, e, "expm1(r) = r + r² q(r), |r| <= ln(2)/2")


def log_():
    low, high = -1 / 3, 1 / 3
    # log(1 + f) = f + f² p(f)
    def p(f):
        return (mp.log1p(f) - f) / f**2 if abs(f) > 1e-12 else -mp.mpf(1) / 2
    c, e = fit_polynomial(p, low, high, range(9), weight=lambda f: np.abs(f * f / np.log1p(f)), fixed=((0, -0.5),))
    show("log_p", c, e, "log(1 + f) = f + f² p(f), |f| <= 1/3")


def erf_():
    top = 3.93
    slope = 2 / mp.sqrt(mp.pi)

    def p(x):
        return -mp.log(mp.erfc(x)) / x if x > 1e-12 else slope

    def weight(x):  # what a change of p does to erf, relatively
        exact = [mp.mpf(float(v)) for v in x]
        return np.array([float(mp.erfc(v) / mp.erf(v) * v) for v in exact])

    c, e = fit_polynomial(p, 0, top, range(8), weight=weight, fixed=((0, float(slope)),), count=300)
    high = f32(float(slope))
    print(f"static const double erf_slope_high = {c_float(high)}, erf_slope_low = {c_float(f32(float(slope - high)))};")
    show("erf_p", c[1:], e, "-log(1 - erf(x)) = x (2/sqrt(pi) + x p(x)), 0 <= x <= 3.93")


def sin_():
    top = float(mp.pi / 4) * 1.001
    def s(t):
        r = mp.sqrt(t)
        return (mp.sin(r) - r) / r**3 if t > 1e-16 else -mp.mpf(1) / 6
    def k(t):
        r = mp.sqrt(t)
        return (mp.cos(r) - 1 + t / 2) / t**2 if t > 1e-12 else mp.mpf(1) / 24
    c, e = fit_polynomial(s, 0, top**2, range(3), weight=lambda t: t)
    show("sin_s", c, e, "sin(r) = r + r³ s(r²), |r| <= pi/4")
    c, e = fit_polynomial(k, 0, top**2, range(3), weight=lambda t: t * t)
    show("cos_k", c, e, "cos(r) = 1 - r²/2 + r⁴ k(r²), |r| <= pi/4")


FITS = {"exp": exp_, "expm1": expm1_, "log": log_, "erf": erf_, "sin": sin_}

if __name__ == "__main__":
    for name in sys.argv[1:] or FITS:
        FITS[name]()
