"""rnn, lstm, gru: odd sizes, one step, one sample, both directions, given states, without bias, stacked."""
import torch
from torch import nn

from fixtures import Family


class Net(nn.Module):
    """PyTorch's layer as actc calls it: `give` picks what comes out of (every step, h, c), states joined side by side."""

    def __init__(self, kind, inputs, hidden, give="y", name=None, **options):
        super().__init__()
        self.name, self.hidden, self.give = name or kind.__name__.lower() + "1", hidden, give
        self.add_module(self.name, kind(inputs, hidden, batch_first=True, **options))
        self.sides = 2 if options.get("bidirectional") else 1

    def forward(self, x, *states):
        split = [s.reshape(len(s), self.sides, self.hidden).transpose(0, 1).contiguous() for s in states]
        given = (tuple(split) if len(split) > 1 else split[0],) if split else ()
        y, end = getattr(self, self.name)(x, *given)
        ends = end if isinstance(end, tuple) else (end,)
        ends = [e.transpose(0, 1).reshape(len(x), -1) for e in ends]
        if self.give == "y":
            return y
        return ends[0] if self.give == "last" else (y, *ends)


class Stack(nn.Module):
    def __init__(self, first, second):
        super().__init__()
        self.first, self.second = first, second

    def forward(self, x):
        return self.second(self.first(x))

    def state_names(self):
        return {key: key.split(".", 1)[1] for key in self.state_dict()}


with Family("recurrent") as family:
    for kind in (nn.RNN, nn.LSTM, nn.GRU):
        word, n = kind.__name__.lower(), 1 + (kind is nn.LSTM)
        case = lambda name, call, module, inputs, **more: family.case(f"{word}_{name}", call, module, inputs, prefix="", **more)
        case("every", f"{word}(5)", Net(kind, 3, 5), torch.randn(3, 4, 3))
        case("last", f"{word}(7, last = true)", Net(kind, 5, 7, "last"), torch.randn(1, 6, 5))
        case("one_step", f"{word}(9)", Net(kind, 4, 9), torch.randn(2, 1, 4))
        case("wide", f"{word}(33)", Net(kind, 17, 33), torch.randn(5, 3, 17))
        case("no_bias", f"{word}(6, bias = false)", Net(kind, 3, 6, bias=False), torch.randn(2, 5, 3))
        case("both", f"{word}(5, bidirectional = true)", Net(kind, 3, 5, bidirectional=True), torch.randn(3, 4, 3))
        case("both_last", f"{word}(3, last = true, bidirectional = true)", Net(kind, 4, 3, "last", bidirectional=True),
             torch.randn(1, 5, 4))
        names = ("y", "h", "c")[:1 + n]
        case("state", f"{word}(5, state = true)", Net(kind, 3, 5, "all"), torch.randn(2, 4, 3), outputs=names)
        given = {"x": torch.randn(2, 3, 4), "h": torch.randn(2, 5)}
        if kind is nn.LSTM:
            given["c"] = torch.randn(2, 5)
        arguments = ", initial = {h}" + (", cell = {c}" if kind is nn.LSTM else "")
        case("initial", word + "({x}, 5" + arguments + ")", Net(kind, 4, 5), given)
        wide = {key: value if key == "x" else torch.randn(2, 10) for key, value in given.items()}
        case("initial_both", word + "({x}, 5, bidirectional = true" + arguments + ")", Net(kind, 4, 5, bidirectional=True), wide)
        stack = Stack(Net(kind, 3, 5), Net(kind, 5, 4, "last", name=f"{word}2"))
        case("stacked", f"{word}(5) |> {word}(4, last = true)", stack, torch.randn(3, 4, 3), rename=stack.state_names())
    family.case("rnn_relu", "rnn(5, nonlinearity = relu)", Net(nn.RNN, 3, 5, nonlinearity="relu"), torch.randn(3, 4, 3), prefix="")
