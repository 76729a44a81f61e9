"""linear, and activations behind it."""
import torch
from torch import nn

from fixtures import Family

with Family("linear") as family:
    for rows, features, out in ((1, 1, 1), (3, 7, 5), (5, 33, 17)):
        family.case(f"linear {rows}x{features}x{out}", f"linear({out})", nn.Linear(features, out), torch.randn(rows, features))
    family.case("positions", "linear(6, bias = false)", nn.Linear(5, 6, bias=False), torch.randn(2, 3, 5))
    family.case("gelu", "gelu", nn.functional.gelu, torch.randn(3, 19))
    net = nn.Sequential()
    net.add_module("linear1", nn.Linear(9, 21))
    net.add_module("silu1", nn.SiLU())
    net.add_module("linear2", nn.Linear(21, 3))
    family.case("network", "linear(21) |> silu |> linear(3)", net, torch.randn(4, 9), prefix="")
    both = {"x": torch.randn(3, 4), "z": torch.randn(3, 4)}
    family.case("two inputs", "{x} * {z} + {x}", lambda x, z: x * z + x, both)
    rows = torch.randn(3, 8)
    family.case("two outputs", "split({x}, 2)", lambda x: tuple(x.chunk(2, -1)), rows, outputs=("a", "b"))
