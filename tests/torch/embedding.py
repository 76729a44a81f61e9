"""embedding: odd sizes, one sample, tokens that repeat and tokens that miss, padding, a table used twice."""
import torch
from torch import nn

from fixtures import Family


class Tied(nn.Module):
    """The table is the last layer's weight, too."""

    def __init__(self, classes, features):
        super().__init__()
        self.table = nn.Embedding(classes, features)

    def forward(self, x):
        return torch.tanh(self.table(x)) @ self.table.weight.T


class Positions(nn.Module):
    def __init__(self, steps, features):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(steps, features))

    def forward(self, x):
        return x + self.weight


def waves(x):
    """As in Attention is all you need."""
    steps, features = x.shape[1:]
    t, i = torch.arange(steps, dtype=torch.float64)[:, None], torch.arange(features, dtype=torch.float64)
    angle = t / 10000 ** (2 * (i // 2) / features)
    return x + torch.where(i % 2 == 0, torch.sin(angle), torch.cos(angle))


class LookedUp(nn.Module):
    """What stands behind a table sees few rows at many places."""

    def __init__(self, classes, features, lstm=0, linear=0, scale=1):
        super().__init__()
        self.table, self.scale = nn.Embedding(classes, features), scale
        self.lstm = nn.LSTM(features, lstm, batch_first=True, bidirectional=True) if lstm else None
        self.fc = nn.Linear(features, linear) if linear else None

    def forward(self, x):
        rows = self.table(x) * self.scale
        parts = ([self.lstm(rows)[0]] if self.lstm else []) + ([self.fc(rows)] if self.fc else [])
        return torch.cat(parts or [rows @ self.table.weight.T], dim=-1)


with Family("embedding") as family:
    family.case("plain", "embedding(6)", nn.Embedding(11, 6), torch.randint(11, (3, 5)), tokens={"x": 11})
    family.case("one_sample", "embedding(17)", nn.Embedding(5, 17), torch.randint(5, (1, 9)), tokens={"x": 5})
    family.case("one_column", "embedding(1)", nn.Embedding(4, 1), torch.randint(4, (5, 3)), tokens={"x": 4})
    family.case("wide", "embedding(67)", nn.Embedding(3, 67), torch.randint(3, (2, 4)), tokens={"x": 3})
    family.case("pairs", "embedding(35)", nn.Embedding(7, 35), torch.randint(7, (3, 2, 3)), tokens={"x": 7})

    class Padding(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(6, 5))

        def forward(self, x):
            return nn.functional.embedding(x, self.weight) * (x != 2)[..., None]

    family.case("padding", "embedding(5, padding = 2)", Padding(), torch.tensor([[0, 2, 5], [2, 2, 1]]), tokens={"x": 6})
    family.case("tied", "embedding(6) as table |> tanh |> linear(11, weight = table.weight, bias = false)", Tied(11, 6),
                torch.randint(11, (3, 5)), tokens={"x": 11}, prefix="")
    family.case("position", "position", Positions(5, 3), torch.randn(2, 5, 3))
    family.case("sinusoidal", "position(sinusoidal)", waves, torch.randn(2, 7, 5))
    family.case("looked_up_linear", "scaled({x})", LookedUp(5, 9, linear=19, scale=3), torch.randint(5, (4, 7)), tokens={"x": 5},
                prefix="scaled1.",
                definitions="block scaled(x) {\n    rows = x |> embedding(9) as table\n    rows * 3 |> linear(19) as fc\n}\n")
    family.case("looked_up_twice", "both({x})", LookedUp(4, 11, lstm=5, linear=3), torch.randint(4, (3, 6)), tokens={"x": 4},
                prefix="both1.", definitions="block both(x) {\n    rows = x |> embedding(11) as table\n"
                            "    concat(rows |> lstm(5, bidirectional = true) as lstm, rows |> linear(3) as fc)\n}\n")
    family.case("looked_up_tied", "embedding(13) as table |> linear(3, weight = table.weight, bias = false)", LookedUp(3, 13),
                torch.randint(3, (5, 2)), tokens={"x": 3}, prefix="")
