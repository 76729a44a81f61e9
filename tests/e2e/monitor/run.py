"""run.py ACTC: trains with the monitor: the same weights as without, its lines in the logs, a run that goes on, the first value that is no number."""
import json
import pathlib
import random
import shutil
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
