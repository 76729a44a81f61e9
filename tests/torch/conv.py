"""conv1d, conv2d, depthwise_conv2d and conv_transpose2d: odd sizes, strides, dilations, groups, every kind of padding."""
import torch
from torch import nn
from torch.nn import functional as F

from fixtures import Family


class Padded(nn.Module):
    """What PyTorch has no padding word for: something around, then the layer, under the layer's own names."""

    def __init__(self, layer, around):
        super().__init__()
        for name, parameter in layer.named_parameters():
            self.register_parameter(name, parameter)
        self.layer, self.around = [layer], around

    def forward(self, x):
        layer = self.layer[0].double()
        return torch.func.functional_call(layer, dict(self.named_parameters()), (self.around(x),))


with Family("conv") as family:
    image = lambda rows, channels, height, width: torch.randn(rows, channels, height, width)

    def conv2d(name, call, layer, x):
        family.case(name, call, layer, x, channels_first=True)

    conv2d("plain", "conv2d(8, 3)", nn.Conv2d(5, 8, 3), image(2, 5, 9, 7))
    conv2d("one pixel", "conv2d(3, 1)", nn.Conv2d(4, 3, 1), image(1, 4, 3, 5))
    conv2d("one pixel strided", "conv2d(3, 1, stride = 2, bias = false)", nn.Conv2d(4, 3, 1, 2, bias=False), image(2, 4, 5, 6))
    conv2d("strided", "conv2d(7, 3, stride = 2)", nn.Conv2d(3, 7, 3, 2), image(3, 3, 9, 8))
    conv2d("pairs", "conv2d(6, (3, 5), stride = (2, 3), dilation = (2, 1), padding = (1, 2))",
           nn.Conv2d(3, 6, (3, 5), (2, 3), (1, 2), (2, 1)), image(2, 3, 11, 12))
    conv2d("same", "conv2d(4, 3, padding = same)", nn.Conv2d(3, 4, 3, padding="same"), image(2, 3, 5, 7))
    conv2d("same even", "conv2d(4, 4, padding = same)", nn.Conv2d(3, 4, 4, padding="same"), image(2, 3, 6, 5))
    conv2d("same strided", "conv2d(4, 3, stride = 2, padding = same)",
           Padded(nn.Conv2d(3, 4, 3, 2), lambda x: F.pad(x, (0, 1, 1, 1))), image(2, 3, 7, 8))
    conv2d("four", "conv2d(4, 3, padding = (1, 2, 0, 3))", Padded(nn.Conv2d(3, 4, 3), lambda x: F.pad(x, (0, 3, 1, 2))), image(2, 3, 5, 4))
    conv2d("reflect", "conv2d(4, 3, padding = reflect(1))", nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), image(2, 3, 5, 6))
    conv2d("grouped", "conv2d(6, 3, groups = 2)", nn.Conv2d(4, 6, 3, groups=2), image(2, 4, 6, 5))
    conv2d("grouped strided", "conv2d(9, (2, 3), groups = 3, stride = 2, padding = 1)",
           nn.Conv2d(6, 9, (2, 3), 2, 1, groups=3), image(3, 6, 7, 8))
    conv2d("channels alone", "conv2d(5, 3, groups = 5, padding = 1)", nn.Conv2d(5, 5, 3, padding=1, groups=5), image(2, 5, 6, 7))
    conv2d("depthwise", "depthwise_conv2d(3, stride = 2)", nn.Conv2d(18, 18, 3, 2, groups=18), image(2, 18, 7, 8))
    conv2d("depthwise twice", "depthwise_conv2d(3, multiplier = 2, dilation = 2, bias = false)",
           nn.Conv2d(3, 6, 3, dilation=2, groups=3, bias=False), image(2, 3, 8, 7))
    family.case("sequence", "conv1d(6, 3, stride = 2)", nn.Conv1d(4, 6, 3, 2), torch.randn(3, 4, 11), channels_first=True)
    family.case("causal", "conv1d(5, 3, padding = causal, dilation = 2)",
                Padded(nn.Conv1d(4, 5, 3, dilation=2), lambda x: F.pad(x, (4, 0))), torch.randn(2, 4, 9), channels_first=True)
    family.case("sequence grouped", "conv1d(6, 3, groups = 2, padding = 1)", nn.Conv1d(4, 6, 3, groups=2, padding=1),
                torch.randn(2, 4, 7), channels_first=True)
    conv2d("transpose", "conv_transpose2d(6, 3)", nn.ConvTranspose2d(4, 6, 3), image(2, 4, 3, 5))
    conv2d("transpose strided", "conv_transpose2d(5, 4, stride = 2, padding = 1)", nn.ConvTranspose2d(3, 5, 4, 2, 1), image(2, 3, 5, 4))
    conv2d("transpose odd", "conv_transpose2d(5, (3, 2), stride = (2, 3), padding = (1, 0), output_padding = (1, 2))",
           nn.ConvTranspose2d(3, 5, (3, 2), (2, 3), (1, 0), (1, 2)), image(1, 3, 4, 3))
    conv2d("transpose grouped", "conv_transpose2d(6, (3, 2), stride = 2, padding = 1, groups = 2)",
           nn.ConvTranspose2d(4, 6, (3, 2), 2, 1, groups=2), image(2, 4, 4, 5))
    conv2d("transpose dilated", "conv_transpose2d(4, 3, dilation = 2, bias = false)",
           nn.ConvTranspose2d(3, 4, 3, dilation=2, bias=False), image(2, 3, 4, 3))

    net = nn.Sequential()
    net.add_module("conv2d1", nn.Conv2d(1, 5, 3, padding=1))
    net.add_module("relu1", nn.ReLU())
    net.add_module("pool", nn.MaxPool2d(2))
    net.add_module("flat", nn.Flatten())
    net.add_module("linear1", nn.Linear(5 * 3 * 2, 4))
    family.case("into linear", "conv2d(5, 3, padding = 1) |> relu |> max_pool(2) |> flatten |> linear(4)", net, image(3, 1, 6, 5),
                prefix="", channels_first=True)
