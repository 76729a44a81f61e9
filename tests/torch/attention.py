"""attention, against nn.MultiheadAttention and, for key-value heads and rotary positions, F.scaled_dot_product_attention."""
import torch
from torch import nn
from torch.nn import functional as F

from fixtures import Family


class Plain(nn.MultiheadAttention):
    """Self-attention, or attention to a context."""

    def __init__(self, features, heads, causal=False, **more):
        super().__init__(features, heads, batch_first=True, **more)
        self.causal = causal

    def forward(self, x, context=None):
        keys = x if context is None else context
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1]).double() if self.causal else None
        return super().forward(x, keys, keys, need_weights=False, attn_mask=mask)[0]


def turned(x):
    """Rotary positions, the first half of a head paired with the second."""
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[-2]).double()[:, None] * 10000.0 ** (-torch.arange(half).double() / half)
    a, b = x[..., :half], x[..., half:]
    return torch.cat((a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()), -1)


class Separate(nn.Module):
    def __init__(self, features, heads, kv_heads, causal=False, rotary=False, bias=True):
        super().__init__()
        self.heads, self.kv_heads, self.causal, self.rotary = heads, kv_heads, causal, rotary
        narrow = features // heads * kv_heads
        self.q_proj, self.out_proj = nn.Linear(features, features, bias), nn.Linear(features, features, bias)
        self.k_proj, self.v_proj = nn.Linear(features, narrow, bias), nn.Linear(features, narrow, bias)

    def forward(self, x, context=None):
        keys = x if context is None else context
        apart = lambda y, n: y.unflatten(-1, (n, -1)).transpose(1, 2)
        q, k, v = apart(self.q_proj(x), self.heads), apart(self.k_proj(keys), self.kv_heads), apart(self.v_proj(keys), self.kv_heads)
        if self.rotary:
            q, k = turned(q), turned(k)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal, enable_gqa=True)
        return self.out_proj(y.transpose(1, 2).flatten(2))


class Queries(nn.Module):
    """Learned queries that look at an input."""

    def __init__(self, count, features, heads):
        super().__init__()
        self.queries = nn.Parameter(torch.randn(count, features))
        self.attention1 = Plain(features, heads)

    def forward(self, x):
        return self.attention1(self.queries.expand(len(x), -1, -1), x)


class Windows(nn.Module):
    """Several sequences a sample, each by itself."""

    def __init__(self, features, heads):
        super().__init__()
        self.attention1 = Plain(features, heads)

    def forward(self, x):
        return self.attention1(x.flatten(0, 1)).unflatten(0, x.shape[:2])


with Family("attention") as family:
    def sequence(rows, time, features):
        return torch.randn(rows, time, features)

    case = family.case
    case("one head", "attention(1)", Plain(5, 1), sequence(2, 3, 5))
    case("heads", "attention(3)", Plain(9, 3), sequence(2, 7, 9))
    case("batch 1", "attention(2)", Plain(6, 2), sequence(1, 5, 6))
    case("one place", "attention(2, causal = true)", Plain(6, 2, causal=True), sequence(3, 1, 6))
    case("causal", "attention(2, causal = true)", Plain(10, 2, causal=True), sequence(3, 11, 10))
    case("no bias", "attention(4, bias = false)", Plain(8, 4, bias=False), sequence(2, 5, 8))
    case("wide scores", "attention(2, causal = true)", Plain(6, 2, causal=True), 6 * sequence(2, 5, 6))
    case("many places", "attention(1, causal = true)", Plain(4, 1, causal=True), sequence(1, 270, 4))
    case("many places, all seen", "attention(2)", Plain(4, 2), sequence(1, 260, 4))
    both = {"x": sequence(2, 3, 6), "c": sequence(2, 7, 6)}
    case("context", "attention({x}, 2, context = {c})", Plain(6, 2), both)
    wide = {"x": sequence(2, 3, 6), "c": sequence(2, 5, 7)}
    case("wider context", "attention({x}, 3, context = {c})", Plain(6, 3, kdim=7, vdim=7), wide)
    case("wider context, no bias", "attention({x}, 3, context = {c}, bias = false)", Plain(6, 3, kdim=7, vdim=7, bias=False), wide)
    case("key-value heads", "attention(6, kv_heads = 2)", Separate(12, 6, 2), sequence(2, 5, 12))
    case("one key-value head", "attention(4, kv_heads = 1, causal = true)", Separate(12, 4, 1, causal=True), sequence(2, 7, 12))
    case("key-value heads, no bias", "attention(4, kv_heads = 2, bias = false)", Separate(8, 4, 2, bias=False), sequence(1, 3, 8))
    case("key-value heads, many places", "attention(2, kv_heads = 1, causal = true, bias = false)",
         Separate(4, 2, 1, causal=True, bias=False), sequence(1, 259, 4))
    case("key-value heads, context", "attention({x}, 4, kv_heads = 2, context = {c})", Separate(8, 4, 2),
         {"x": sequence(2, 3, 8), "c": sequence(2, 5, 8)})
    case("rotary", "attention(2, position = rotary)", Separate(12, 2, 2, rotary=True), sequence(2, 9, 12))
    case("rotary, causal, key-value heads", "attention(4, kv_heads = 2, causal = true, position = rotary)",
         Separate(8, 4, 2, causal=True, rotary=True), sequence(2, 7, 8))
    case("windows", "attention(2)", Windows(6, 2), sequence(2, 3, 15).reshape(2, 3, 5, 3).repeat(1, 1, 1, 2), prefix="")
    case("learned queries", "look({x})", Queries(3, 6, 2), sequence(2, 5, 6), prefix="look1.",
         definitions="block look(x) {\n    share queries = parameter([3, 6], normal(0, 1))\n    queries |> attention(2, context = x)\n}")
