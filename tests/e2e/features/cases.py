"""Trainings of a small network whose every number is known: what PyTorch makes of them stands in torch.json (by torch_numbers.py).

A case is what it adds to the `train` block and to the loss, its rows and how often they are gone through; one epoch is one update."""
import json
import struct

ROWS, IN, HIDDEN, OUT = 12, 4, 5, 3
SHAPES = {"linear1.weight": (HIDDEN, IN), "linear1.bias": (HIDDEN,), "linear2.weight": (OUT, HIDDEN), "linear2.bias": (OUT,)}
NORM = {"batch_norm1.weight": 1, "batch_norm1.bias": 0, "batch_norm1.running_mean": 0, "batch_norm1.running_var": 1}
CASES = {
    "ema": {"train": "average ema(0.9)"},
    "ema_norm": {"train": "average ema(0.8)", "norm": True},
    "last": {"train": "average last(3)"},
    "clip_norm": {"train": "clip norm(0.1)"},
    "clip_value": {"train": "clip value(0.02)"},
    "accumulate": {"train": "accumulate 2", "batch": 8},  # 8 rows and 4 are one group of 12
    "weights": {"loss": ", weight = [1, 2, 4.5]", "torch": {"weight": [1, 2, 4.5]}},
    "smoothing": {"loss": ", label_smoothing = 0.1", "torch": {"label_smoothing": 0.1}},
    "weights_smoothing": {"loss": ", weight = [1, 2, 4.5], label_smoothing = 0.1", "torch": {"weight": [1, 2, 4.5], "label_smoothing": 0.1}},
    "balanced": {"loss": ", weight = balanced", "torch": {"weight": "balanced"}},
    "ignored": {"loss": ", ignore = -100", "ignored": (2, 3, 7)},
    "ignored_balanced": {"loss": ", ignore = -100, weight = balanced, label_smoothing = 0.2", "ignored": (0, 1, 9),
                         "torch": {"weight": "balanced", "label_smoothing": 0.2}},
}
EPOCHS = 6


def shapes(case):
    return SHAPES | ({name: (HIDDEN,) for name in NORM} if CASES[case].get("norm") else {})


def weights(case):
    """Something uneven, the same everywhere; a norm begins as norms do."""
    made, k = {name: [start] * HIDDEN for name, start in NORM.items() if name in shapes(case)}, 0
    for name, shape in SHAPES.items():
        n = shape[0] * (shape[1] if len(shape) > 1 else 1)
        made[name] = [((k + i) * 37 % 19 - 9) / 16 for i in range(n)]
        k += n
    return made


def inputs():
    return [[((r * 13 + c * 7) % 11 - 5) / 4 for c in range(IN)] for r in range(ROWS)]


def labels(case):
    """Uneven classes, so that weights matter; the rows that a case leaves out have the label -100."""
    plain = [0, 0, 1, 0, 2, 0, 1, 0, 0, 1, 0, 2]
    return [-100 if r in CASES[case].get("ignored", ()) else y for r, y in enumerate(plain)]


def write_weights(path, case):
    data, header = b"", {}
    for name, values in weights(case).items():
        header[name] = {"dtype": "F32", "shape": list(shapes(case)[name]), "data_offsets": [len(data), len(data) + 4 * len(values)]}
        data += struct.pack(f"<{len(values)}f", *values)
    if CASES[case].get("norm"):
        header["batch_norm1.num_batches_tracked"] = {"dtype": "I64", "shape": [], "data_offsets": [len(data), len(data) + 8]}
        data += struct.pack("<q", 0)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def read_weights(path):
    raw = path.read_bytes()
    n = struct.unpack("<Q", raw[:8])[0]
    made = {}
    for name, entry in json.loads(raw[8 : 8 + n]).items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = entry["data_offsets"]
            made[name] = list(struct.unpack(f"<{(end - begin) // 4}f", raw[8 + n + begin : 8 + n + end]))
    return made


def program(case):
    what = CASES[case]
    batch = what.get("batch", ROWS)
    return f"""model small {{
    input  x : f32[{IN}]
    target y : class({OUT})
    z = x |> linear({HIDDEN}){" |> batch_norm" if what.get("norm") else ""} |> tanh |> linear({OUT})
    loss cross_entropy(z, y{what.get("loss", "")})
    metric accuracy(z, y)
}}
data points {{ train {{ x = csv("points.csv", columns = 1..{IN}); y = csv("points.csv", column = "y") }} }}
train small {{
    data      points
    epochs    {EPOCHS}
    batch     {batch}
    optimizer sgd(lr = 0.5, momentum = 0.9)
    start     from "start.safetensors"
    {what.get("train", "")}
}}
"""


def write_data(path, case):
    rows = [[*map(repr, x), str(y)] for x, y in zip(inputs(), labels(case))]
    path.write_text("\n".join(["a,b,c,d,y"] + [",".join(row) for row in rows]) + "\n")
