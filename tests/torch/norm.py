"""Normalisation: over the batch, the features, groups, positions."""
import torch
from torch import nn

from fixtures import Family

with Family("norm") as family:
    family.case("batch", "batch_norm", nn.BatchNorm1d(5), 2 * torch.randn(7, 5) + 1)
    family.case("batch of two", "batch_norm", nn.BatchNorm1d(17), torch.randn(2, 17))
    family.case("batch, sequence", "batch_norm(momentum = 0.3, eps = 0.001)", nn.BatchNorm1d(3, eps=0.001, momentum=0.3),
                torch.randn(4, 3, 9) + 3, channels_first=True)
    family.case("batch, image", "batch_norm", nn.BatchNorm2d(6), torch.randn(3, 6, 5, 3) - 2, channels_first=True)
    family.case("batch, one image", "batch_norm", nn.BatchNorm2d(19), torch.randn(1, 19, 3, 5), channels_first=True)
    family.case("batch, plain", "batch_norm(weight = false, bias = false)", nn.BatchNorm2d(4, affine=False),
                torch.randn(3, 4, 2, 3), channels_first=True)
    for rows, features in ((1, 1000), (3, 7), (5, 16), (2, 33)):
        family.case(f"layer {rows}x{features}", "layer_norm", nn.LayerNorm(features), 3 * torch.randn(rows, features) + 1)
    family.case("layer, sequence", "layer_norm(eps = 0.01)", nn.LayerNorm(21, eps=0.01), torch.randn(3, 5, 21))
    family.case("layer, no bias", "layer_norm(bias = false)", nn.LayerNorm(11, bias=False), torch.randn(3, 11))
    family.case("layer, plain", "layer_norm(weight = false, bias = false)", nn.LayerNorm(11, elementwise_affine=False),
                torch.randn(3, 11))
    family.case("layer, image", "layer_norm", nn.LayerNorm(9), torch.randn(2, 3, 5, 9))
    family.case("rms", "rms_norm", nn.RMSNorm(13, eps=1e-6), torch.randn(3, 13) + 1)
    family.case("rms, sequence", "rms_norm(eps = 0.001)", nn.RMSNorm(40, eps=0.001), torch.randn(2, 7, 40))
    family.case("rms, plain", "rms_norm(weight = false)", nn.RMSNorm(5, eps=1e-6, elementwise_affine=False), torch.randn(1, 5))
    for rows, groups, channels, size in ((1, 1, 3, (5, 3)), (3, 3, 6, (3, 7)), (2, 6, 6, (2, 3)), (2, 4, 32, (3, 3))):
        family.case(f"group {rows}x{groups} of {channels}", f"group_norm({groups})", nn.GroupNorm(groups, channels),
                    torch.randn(rows, channels, *size) + 1, channels_first=True)
    family.case("group, vector", "group_norm(3, eps = 0.001)", nn.GroupNorm(3, 21, eps=0.001), torch.randn(3, 21))
    family.case("group, sequence", "group_norm(5, weight = false, bias = false)", nn.GroupNorm(5, 15, affine=False),
                torch.randn(3, 15, 7), channels_first=True)
    family.case("instance, image", "instance_norm", nn.InstanceNorm2d(5), torch.randn(3, 5, 4, 3) + 1, channels_first=True)
    family.case("instance, sequence", "instance_norm(weight = ones, bias = zeros)", nn.InstanceNorm1d(3, affine=True),
                torch.randn(2, 3, 11), channels_first=True)
    net = nn.Sequential()
    for name, module in (("linear1", nn.Linear(9, 21, bias=False)), ("batch_norm1", nn.BatchNorm1d(21)), ("relu1", nn.ReLU()),
                         ("linear2", nn.Linear(21, 5)), ("layer_norm1", nn.LayerNorm(5)), ("linear3", nn.Linear(5, 3))):
        net.add_module(name, module)
    family.case("network", "linear(21, bias = false) |> batch_norm |> relu |> linear(5) |> layer_norm |> linear(3)", net,
                torch.randn(6, 9), prefix="")
