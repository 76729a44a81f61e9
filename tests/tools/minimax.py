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


def power_sum(known, part, t):
    return sum((v * t**i for (which, i), v in known.items() if which == part), np.zeros_like(t))


def lawson_quotient(columns_p, columns_q, known_p, known_q, target, weight, rounds=300):
    """(a, b) with max |weight * ((known_p + columns_p @ a) / (known_q + columns_q @ b) - target)| as small as possible: each
    round is linear, the error being divided by the denominator of the round before."""
    n = columns_p.shape[1]
    columns = np.concatenate([columns_p, -target[:, None] * columns_q], axis=1)
    goal = target * known_q - known_p
    lawson_weight, below = np.ones_like(target), np.abs(known_q) + 1
    best, best_error = None, np.inf
    for i in range(rounds):
        s = np.sqrt(lawson_weight) * weight / below
        norm = np.max(np.abs(columns * s[:, None]), axis=0)
        a = np.linalg.lstsq(columns / norm * s[:, None], goal * s, rcond=None)[0] / norm
        below = np.abs(known_q + columns_q @ a[n:])
        error = np.abs(weight * ((known_p + columns_p @ a[:n]) / below - target))
        if error.max() < best_error:
            best, best_error = a, error.max()
        if i > 3:  # the denominator has settled
            lawson_weight *= error + 1e-3 * error.max()
            lawson_weight /= lawson_weight.sum()
    return best


def start_of_quotient(ratio, below):
    """Floats (p0, q0) with q0 near `below` and p0 / q0 as near the ratio as can be."""
    q0 = np.float32(below)
    for _ in range(200):
        q0 = np.nextafter(q0, np.float32(0))
    best, best_error = None, np.inf
    for _ in range(400):
        p0 = f32(float(ratio * mp.mpf(float(q0))))
        error = abs(p0 / (mp.mpf(float(q0)) * ratio) - 1)
        if error < best_error:
            best, best_error = (p0, float(q0)), error
        q0 = np.nextafter(q0, np.float32(np.inf))
    return best


def fit_rational(f, low, high, degrees, weight):
    """Coefficients (p, q) of P(t) / Q(t) for f on [low, high], floats, the highest of Q being 1. The lowest two are chosen
    together, because next to 0 nothing else counts."""
    t = np.sort(np.concatenate([nodes(low, high, 500), nodes(low, low + (high - low) / 64, 200)]))
    y = np.array([float(f(mp.mpf(float(v)))) for v in t])
    w = weight(t, y)
    known = {("q", degrees[1]): 1.0}
    order = [(part, i) for i in range(max(degrees) + 1) for part, d in (("q", degrees[1]), ("p", degrees[0])) if i <= d]
    for key in order:
        rest = [k for k in order if k not in known]
        if key not in rest:
            continue
        p = [i for part, i in rest if part == "p"]
        q = [i for part, i in rest if part == "q"]
        columns = [np.stack([t**i for i in powers], axis=1) if powers else np.zeros((len(t), 0)) for powers in (p, q)]
        a = lawson_quotient(*columns, power_sum(known, "p", t), power_sum(known, "q", t), y, w)
        value = a[p.index(key[1])] if key[0] == "p" else a[len(p) + q.index(key[1])]
        if key == ("q", 0):
            known["p", 0], known["q", 0] = start_of_quotient(f(mp.mpf(0)), value)
        else:
            known[key] = f32(value)
    error = np.max(np.abs(w * (power_sum(known, "p", t) / power_sum(known, "q", t) - y)))
    return [known["p", i] for i in range(degrees[0] + 1)], [known["q", i] for i in range(degrees[1] + 1)], error


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
    low, high = -1 / 4, 1 / 2
    # log(1 + f) = f + f² p(f)
    def p(f):
        return (mp.log1p(f) - f) / f**2 if abs(f) > 1e-12 else -mp.mpf(1) / 2
    c, e = fit_polynomial(p, low, high, range(8), weight=lambda f: np.abs(f * f / np.log1p(f)), fixed=((0, -0.5),))
    show("log_p", c, e, "log(1 + f) = f + f² p(f), -1/4 <= f <= 1/2")


def odd_quotient(name, f, slope, top, a, degrees):
    """f(x) = x (a + p(x²) / (q(x²) + x^2n)), n the degree of the denominator: the error is that of f, relatively."""
    def rest(t):
        return (f(mp.sqrt(t)) / mp.sqrt(t) if t > 1e-16 else slope) - a
    p, q, e = fit_rational(rest, 0, top**2, degrees, weight=lambda t, y: 1 / (y + a))
    show(f"{name}_p", p, e, f"{name}(x) = x ({a} + p(x²) / (q(x²) + x^{2 * degrees[1]})), |x| <= {top}")
    show(f"{name}_q", q[:-1], e, "the highest coefficient, 1, left out")


def tanh_():
    odd_quotient("tanh", mp.tanh, mp.mpf(1), 9.02, 0.125, (4, 4))


def erf_():
    odd_quotient("erf", mp.erf, 2 / mp.sqrt(mp.pi), 3.92, 0.25, (5, 5))


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


FITS = {"exp": exp_, "expm1": expm1_, "log": log_, "tanh": tanh_, "erf": erf_, "sin": sin_}

if __name__ == "__main__":
    for name in sys.argv[1:] or FITS:
        FITS[name]()
