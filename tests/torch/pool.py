"""Pools, upsampling, pixel shuffle, reflecting borders: layers over images and sequences without weights."""
import torch
from torch import nn
from torch.nn import functional as F

from fixtures import Family

with Family("pool") as family:
    image = lambda rows, channels, height, width: torch.randn(rows, channels, height, width)

    def case(name, call, function, x):
        family.case(name, call, function, x, channels_first=True)

    case("max", "max_pool(2)", nn.MaxPool2d(2), image(3, 5, 7, 6))
    case("max overlapping", "max_pool(3, stride = 2)", nn.MaxPool2d(3, 2), image(2, 18, 9, 8))
    case("max padded", "max_pool(3, stride = 2, padding = 1)", nn.MaxPool2d(3, 2, 1), image(2, 4, 7, 6) - 2)
    case("max pairs", "max_pool((2, 3), stride = (1, 2), dilation = (2, 1))", nn.MaxPool2d((2, 3), (1, 2), 0, (2, 1)), image(1, 3, 6, 7))
    case("max ties", "relu |> max_pool(3, stride = 2)", lambda x: F.max_pool2d(F.relu(x), 3, 2), image(2, 3, 9, 7) - 1.5)
    case("max of whole numbers", "max_pool(3, stride = 1)", nn.MaxPool2d(3, 1), torch.randint(3, (2, 4, 6, 5)).double())
    family.case("max sequence", "max_pool(3, stride = 2)", nn.MaxPool1d(3, 2), torch.randn(2, 5, 9), channels_first=True)
    case("mean", "avg_pool(2)", nn.AvgPool2d(2), image(3, 5, 7, 6))
    case("mean overlapping", "avg_pool((3, 2), stride = 1, padding = (1, 0))", nn.AvgPool2d((3, 2), 1, (1, 0)), image(1, 18, 6, 5))
    family.case("mean sequence", "avg_pool(4, stride = 2)", nn.AvgPool1d(4, 2), torch.randn(2, 3, 11), channels_first=True)
    case("global", "global_avg_pool", lambda x: x.mean((2, 3)), image(3, 7, 5, 9))
    case("adaptive", "adaptive_avg_pool((2, 3))", nn.AdaptiveAvgPool2d((2, 3)), image(2, 5, 8, 9))
    case("nearest", "upsample(2)", nn.Upsample(scale_factor=2), image(2, 3, 4, 5))
    case("nearest pair", "upsample((3, 2))", nn.Upsample(scale_factor=(3, 2)), image(1, 5, 2, 3))
    case("bilinear", "upsample(2, mode = bilinear)", nn.Upsample(scale_factor=2, mode="bilinear"), image(2, 3, 4, 5))
    case("bilinear thrice", "upsample(3, mode = bilinear)", nn.Upsample(scale_factor=3, mode="bilinear"), image(1, 2, 3, 1))
    case("shuffle", "pixel_shuffle(2)", nn.PixelShuffle(2), image(2, 12, 3, 5))
    case("shuffle thrice", "pixel_shuffle(3)", nn.PixelShuffle(3), image(1, 9, 2, 3))
    case("reflection", "pad(2, 1, axis = 0, mode = reflect) |> pad(1, 3, axis = 1, mode = reflect)", nn.ReflectionPad2d((1, 3, 2, 1)),
         image(2, 3, 4, 5))
    case("zeros and crop", "pad(2, 1) |> crop(1, 0, axis = 1)", lambda x: F.pad(x, (-1, 0, 2, 1)), image(2, 3, 4, 5))
