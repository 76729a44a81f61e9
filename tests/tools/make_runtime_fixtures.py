#!/usr/bin/env python3
"""Makes tests/fixtures/runtime: files as NumPy, safetensors and PyTorch write them. Needs numpy, torch and safetensors.

    python3 tests/tools/make_runtime_fixtures.py

The unit tests of the runtime read these files; they know the values from the formulas here.
"""
import os

import numpy
import torch
from safetensors.torch import save_file

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "runtime")
os.makedirs(OUT, exist_ok=True)

numpy.save(os.path.join(OUT, "rows.npy"), (numpy.arange(24) / 4).reshape(4, 3, 2))
numpy.save(os.path.join(OUT, "labels.npy"), numpy.array([3, 1, 4, 1, -1], dtype=numpy.int64))


def linear(dtype):
    """A linear layer from 4 to 3, as PyTorch names and orients it; weight[o][i] = o + i / 8, bias[o] = -o."""
    layer = torch.nn.Linear(4, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(3)[:, None] + torch.arange(4)[None, :] / 8)
        layer.bias.copy_(-torch.arange(3.0))
    return {"linear1." + name: value.to(dtype).contiguous() for name, value in layer.state_dict().items()}


for dtype, name in ((torch.float32, "f32"), (torch.float64, "f64"), (torch.float16, "f16"), (torch.bfloat16, "bf16")):
    save_file(linear(dtype), os.path.join(OUT, "linear-%s.safetensors" % name))
save_file(linear(torch.int32), os.path.join(OUT, "linear-i32.safetensors"))

# What floats of every width turn into: numbers, both zeros, subnormals, infinities.
values = torch.tensor([0.0, -0.0, 1.5, -2.0, 65504.0, 2.0 ** -14, 2.0 ** -24, float("inf"), -float("inf")])
save_file({"half": values.to(torch.float16), "brain": values.to(torch.bfloat16), "double": values.to(torch.float64),
           "float": values},
          os.path.join(OUT, "widths.safetensors"), metadata={"format": "pt"})

# Behind an image of 2 x 3 pixels and 2 channels, PyTorch flattens (channel, y, x):
# weight[o][(k, y, x)] = 100 o + 10 k + 3 y + x.
places = [10.0 * k + 3 * y + x for k in range(2) for y in range(2) for x in range(3)]
image = torch.tensor([[100 * o + place for place in places] for o in range(3)])
save_file({"linear1.weight": image}, os.path.join(OUT, "image.safetensors"))
