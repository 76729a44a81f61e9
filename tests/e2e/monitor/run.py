"""run.py ACTC: trains with the monitor: the same weights as without, its lines in the logs, a run that goes on, the first value that is no number."""
import json
import math
import pathlib
import random
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "logs"))
from logs import message, masked  # noqa: E402

MODEL = """model net {
    input  x : f32[8]
    target kind : class(3)
    h = x |> linear(24) |> relu |> linear(24) |> tanh
    z = h |> linear(3)
    loss cross_entropy(z, kind)
}
data points {
    train {
        x = csv("points.csv", columns = 1..8)
        kind = csv("points.csv", column = "kind")
    }
}
train net {
    data points
    epochs 4
    batch 32
    optimizer adam(lr = 1e-2)
    MONITOR
}
"""
FAULTY = """model bad {
    input  x : f32[8]
    target y : f32[1] in [-5, 5]
    z = x |> linear(16) |> relu
          |> linear(1) |> LAST
    loss LOSS
    metric mse(z, y)
}
data points {
    train {
        x = csv("points.csv", columns = 1..8)
        y = csv("points.csv", columns = 1)
    }
}
train bad {
    data points
    epochs 3
    batch 32
    optimizer sgd(lr = RATE)
    monitor every 3 steps
}
"""


def weights_of(path):
    """{name: rows of numbers} of a safetensors file."""
    data = path.read_bytes()
    n = int.from_bytes(data[:8], "little")
    out = {}
    for name, tensor in json.loads(data[8:8 + n]).items():
        if name == "__metadata__":
            continue
        begin, end = tensor["data_offsets"]
        flat = struct.unpack(f"<{(end - begin) // 4}f", data[8 + n + begin:8 + n + end])
        wide = tensor["shape"][-1] if len(tensor["shape"]) > 1 else len(flat)
        out[name] = [flat[i:i + wide] for i in range(0, len(flat), wide)]
    return out


def by_hand(weights, rows):
    """What a step on all these rows measures: {layer: {…}} of the network `hand`."""
    def linear(name, values):
        return [[sum(a * b for a, b in zip(w, x)) + bias for w, bias in zip(weights[f"{name}.weight"], weights[f"{name}.bias"][0])] for x in values]
    z1 = linear("linear1", [x for x, _ in rows])
    z2 = linear("linear2", [[max(v, 0) for v in row] for row in z1])
    gradient = 0
    for row, (_, kind) in zip(z2, rows):
        share = [math.exp(v - max(row)) for v in row]
        gradient += sum(((s / sum(share) - (i == kind)) / len(rows)) ** 2 for i, s in enumerate(share))
    out = {}
    for name, z in (("linear1", z1), ("linear2", z2)):
        flat = [v for row in z for v in row]
        mean = sum(flat) / len(flat)
        out[name] = {"mean": mean, "deviation": math.sqrt(sum((v - mean) ** 2 for v in flat) / len(flat)), "values": flat}
    out["linear1"]["zeros"] = sum(v <= 0 for v in out["linear1"]["values"]) / len(out["linear1"]["values"])
    out["linear1"]["dead"] = sum(all(row[u] <= 0 for row in z1) for u in range(len(z1[0]))) / len(z1[0])
    out["linear2"]["gradient"] = math.sqrt(gradient)
    return out


def records(path):
    data, at = path.read_bytes(), 0
    while at < len(data):
        n = int.from_bytes(data[at:at + 8], "little")
        body = data[at + 12:at + 12 + n]
        assert masked(body) == int.from_bytes(data[at + 12 + n:at + 16 + n], "little")
        yield dict(message(body))
        at += 16 + n


def main():
    actc = pathlib.Path(sys.argv[1])
    random.seed(1)
    with open("points.csv", "w") as file:
        file.write(",".join(f"x{i}" for i in range(8)) + ",kind\n")
        for _ in range(300):
            kind = random.randrange(3)
            file.write(",".join(f"{random.gauss((i * 5 + kind * 3) % 4 / 2 - 0.75, 1):.3f}" for i in range(8)) + f",{kind}\n")
    for old in pathlib.Path(".").glob("run*"):
        shutil.rmtree(old)

    def call(*words, code=0):
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == code, (words, done.returncode, done.stdout)
        return done.stdout

    pathlib.Path("net.act").write_text(MODEL.replace("MONITOR", "monitor every 7 steps"))
    call(actc, "net.act", "-o", "net")
    told = call("./net", "train", "--out", "run1", "--threads", "1", "--log", "run1/a.jsonl", "--log", "run1/tb/")
    call("./net", "train", "--out", "run2", "--threads", "2", "--monitor", "0")
    weights = pathlib.Path("run1/net.safetensors").read_bytes()
    assert weights == pathlib.Path("run2/net.safetensors").read_bytes(), "the monitor changes what is trained"
    assert "predicted / measured, in step 1:" in told and "gradient at `linear1` against `linear3`" in told, told

    # What the logs hold.
    lines = [json.loads(line) for line in open("run1/a.jsonl")]
    of = {event: [line for line in lines if line.get("event") == event] for event in ("forecast", "layer", "histogram")}
    names = ["linear1", "linear2", "linear3"]
    assert [line["layer"] for line in of["forecast"]] == names and [line["line"] for line in of["forecast"]] == [4, 4, 5]
    first = {line["layer"]: line for line in of["layer"] if line["step"] == 1}
    for line in of["forecast"]:
        seen = first[line["layer"]]
        assert 0.5 < seen["deviation"] / line["deviation"] < 2, (line, seen)
        gradient = seen["gradient"] / first["linear3"]["gradient"]
        assert 0.5 < gradient / line["gradient"] < 2, (line, gradient)
    assert "zeros" in first["linear1"] and "saturated" in first["linear2"] and "dead" not in first["linear2"]
    assert {line["step"] for line in of["layer"]} >= {1, 8, 15, 36}
    assert any("dead" in line for line in of["layer"] if line["layer"] == "linear1")
    assert all(sum(line["counts"]) == (12 if line["step"] % 10 == 0 else 32) * {"linear3": 3}.get(line["layer"], 24) for line in of["histogram"])
    tags = set()
    for record in records(next(pathlib.Path("run1/tb").iterdir())):
        for _, value in message(record.get(5, b"")):
            fields = dict(message(value))
            tags.add(fields[1].decode())
            if 5 in fields: # HistogramProto: num, then as many buckets as limits
                histogram = dict(message(fields[5]))
                assert len(histogram[6]) == len(histogram[7]) == 8 * 32
    assert {"layer/linear1/dead", "layer/linear2/saturated", "layer/linear3/gradient", "layer/linear1/preactivation"} <= tags, tags

    # A run that goes on ends in the same weights.
    call("./net", "train", "--out", "run3", "--epochs", "4", "--checkpoint", "17steps", "--keep", "9")
    call("./net", "train", "--out", "run4", "--resume", "run3/net.step-00000017.safetensors")
    assert weights == pathlib.Path("run4/net.safetensors").read_bytes()

    # A step on all rows that changes nothing: every number by hand.
    hand = MODEL.replace("net", "hand").replace(" |> linear(24) |> tanh", "").replace("batch 32", "batch 300").replace("epochs 4", "epochs 1")
    pathlib.Path("hand.act").write_text(hand.replace("adam(lr = 1e-2)", "sgd(lr = 1e-30)").replace("MONITOR", "monitor").replace("linear(24)", "linear(24, bias = uniform(-8, 1))"))
    call(actc, "run", "-A", "all", "hand.act", "--", "--out", "run7", "--log", "run7/a.jsonl")
    table = [line.strip().split(",") for line in open("points.csv")][1:]
    expected = by_hand(weights_of(pathlib.Path("run7/hand.safetensors")), [([float(v) for v in row[:8]], int(row[8])) for row in table])
    assert expected["linear1"]["dead"] > 0
    for line in map(json.loads, open("run7/a.jsonl")):
        if line.get("event") == "layer":
            for name, value in expected[line["layer"]].items():
                assert name == "values" or abs(line[name] - value) <= 1e-5 * max(1, abs(value)), (line, name, value)
        elif line.get("event") == "histogram":
            width, values = (line["high"] - line["low"]) / 32, expected[line["layer"]]["values"]
            counts = [0] * 32
            for value in values:
                counts[min(31, max(0, math.floor((value - line["low"]) / width)))] += 1
            assert sum(abs(a - b) for a, b in zip(counts, line["counts"])) <= 4, (counts, line) # at the ends of bins

    # Where gradients are accumulated, steps that update are measured.
    slow = MODEL.replace("net", "slow").replace("MONITOR", "monitor every 7 steps\n    accumulate 4")
    pathlib.Path("slow.act").write_text(slow)
    told = call(actc, "run", "-A", "all", "slow.act", "--", "--out", "run8", "--log", "run8/a.jsonl")
    seen = [line for line in map(json.loads, open("run8/a.jsonl")) if line.get("event") == "layer"]
    assert {line["step"] for line in seen} == {4, 8, 12, 20, 28, 36}, {line["step"] for line in seen}
    assert all(line["update"] > 0 for line in seen), seen
    assert "RT18" not in told and "/ 0\n" not in told, told

    # Without the monitor there is nothing to ask for.
    pathlib.Path("plain.act").write_text(MODEL.replace("MONITOR", "").replace("net", "plain"))
    call(actc, "plain.act", "-o", "plain")
    assert "compiled without the monitor" in call("./plain", "train", "--monitor", "5", code=2)

    # The first value that is no number: in the loss, of one sample; and in a layer that a step has thrown away.
    def fault(last, loss, rate):
        pathlib.Path("bad.act").write_text(FAULTY.replace("LAST", last).replace("LOSS", loss).replace("RATE", rate))
        return call(actc, "run", "-A", "all", "bad.act", "--", "--out", "run5", code=3)

    told = fault("sigmoid", "mse(log(z - 0.5), y)", "1e-3")
    assert "bad.act:6: first of all the loss: NaN in step 1, forward, sample " in told and "max |x|: `linear2` " in told, told
    told = fault("leaky_relu", "mse(z, y)", "1e25")
    assert "bad.act:5: first of all the values of `linear2` (linear): infinity in step " in told and "max |x|: `linear1` " in told, told
    told = call(actc, "run", "-A", "all", write_range(), "--", "--out", "run6")
    assert "warning[RT14]: targets of `y` lie in " in told, told


def write_range():
    text = FAULTY.replace("LAST", "sigmoid").replace("LOSS", "mse(z, y)").replace("RATE", "1e-2").replace("model bad", "model range")
    pathlib.Path("range.act").write_text(text.replace("train bad", "train range"))
    return "range.act"


if __name__ == "__main__":
    main()
