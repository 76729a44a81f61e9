"""logs.py ACTC: trains with three logs, goes on from a checkpoint, and reads what stands there."""
import csv
import json
import pathlib
import shutil
import struct
import subprocess
import sys

MODEL = """
model three {
    input  x : f32[6]
    target kind : class(3)
    h = x |> linear(9) |> tanh
    z = h |> linear(3)
    loss fit = cross_entropy(z, kind)
    loss small = 1e-3 * mean(h^2)
    metric accuracy(z, kind)
    metric f1(z, kind)
}
data points {
    train {
        x = csv("points.csv", columns = 1..6) |> normalize
        kind = csv("points.csv", column = "kind")
    }
    validation = split(0.2)
    test {
        x = csv("test.csv", columns = 1..6) |> normalize
        kind = csv("test.csv", column = "kind")
    }
}
train three {
    data points
    epochs 3
    batch 32
    optimizer adam(lr = 1e-2)
}
"""


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift += 7
        at += 1
        if data[at - 1] < 128:
            return value, at


def message(data):
    """(field, value) of a protocol buffer, in order."""
    at, out = 0, []
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == 0:
            value, at = varint(data, at)
        else:
            n = {1: 8, 5: 4}.get(key & 7)
            if n is None:
                n, at = varint(data, at)
            value, at = data[at:at + n], at + n
        out.append((key >> 3, value))
    assert at == len(data)
    return out


def events(path):
    """(step, {tag: value}) of an event file whose checksums are right; its first record says what it is."""
    data, at, out = path.read_bytes(), 0, []
    while at < len(data):
        n, = struct.unpack_from("<Q", data, at)
        assert masked(data[at:at + 8]) == struct.unpack_from("<I", data, at + 8)[0], "the checksum of a length"
        body = data[at + 12:at + 12 + n]
        assert masked(body) == struct.unpack_from("<I", data, at + 12 + n)[0], "the checksum of a record"
        at += 16 + n
        fields = dict(message(body))
        values = {}
        for _, value in message(fields.get(5, b"")):
            tag, number = dict(message(value))[1], dict(message(value))[2]
            values[tag.decode()] = struct.unpack("<f", number)[0]
        out.append((fields.get(2, 0), values, fields))
    assert out[0][2][3] == b"brain.Event:2"
    return out[1:]


def close(a, b):
    return abs(a - b) <= 1e-6 * max(1, abs(b))


def main():
    actc, folder = pathlib.Path(sys.argv[1]), pathlib.Path(".").resolve()
    assert crc32c(b"123456789") == 0xE3069283  # the check value of the Rocksoft catalogue
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "resume"))
    import training
    training.make_data(folder)
    for name in ("runs", "a.csv", "a.jsonl"):
        shutil.rmtree(folder / name, ignore_errors=True) if name == "runs" else (folder / name).unlink(missing_ok=True)
    for old in folder.glob("three*"):
        old.unlink()
    (folder / "three.act").write_text(MODEL)
    subprocess.run([actc, "three.act", "-o", "three"], check=True)
    logs = ["--log", "a.csv", "--log", "a.jsonl", "--log", "runs/a/"]

    def train(*words, code=0):
        done = subprocess.run(["./three", "train", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == code, done.stdout
        return done.stdout

    def tables():
        with open("a.csv", newline="") as file:
            table = list(csv.DictReader(file))
        everything = [json.loads(line) for line in open("a.jsonl")]
        lines = [line for line in everything if "event" not in line]
        assert everything[0]["event"] == "run" and everything[0]["settings"]["model"] == "three"
        assert len(table) == len(lines)
        for row, line in zip(table, lines):
            assert int(row["epoch"]) == line["epoch"] and int(row["step"]) == line["step"]
            names = {f"{part}_{name}": value for part, numbers in line.items() if isinstance(numbers, dict)
                     for name, value in numbers.items()}
            assert set(names) == set(row) - {"epoch", "step", "seconds", "rows_per_second"}
            assert all(close(float(row[name]), value) for name, value in names.items())
        return lines

    train("--epochs", "3", "--checkpoint", "1epoch", *logs)
    lines = tables()
    assert [line["step"] for line in lines] == [5, 10, 15]
    assert set(lines[0]) == {"epoch", "step", "seconds", "rows_per_second", "train", "validation", "test"}
    assert set(lines[0]["test"]) == {"loss", "fit", "small", "accuracy", "f1"}
    assert close(lines[0]["train"]["loss"], lines[0]["train"]["fit"] + lines[0]["train"]["small"])
    (first,) = (folder / "runs" / "a").iterdir()
    seen = events(first)
    assert [step for step, _, _ in seen] == [5, 10, 15]
    for line, (_, values, _) in zip(lines, seen):
        for part in ("train", "validation", "test"):
            assert all(close(values[f"{name}/{part}"], value) for name, value in line[part].items())

    # One that goes on: what came after the checkpoint is there once, and a line that was cut off is gone.
    with open("a.csv", "a") as file:
        file.write("4,20,1,2")
    train("--resume", "three.step-00000010.safetensors", "--epochs", "5", *logs)
    again = tables()
    assert [line["step"] for line in again] == [5, 10, 15, 20, 25]
    assert all(a[part] == b[part] for a, b in zip(lines, again) for part in ("train", "validation", "test"))
    second = max((folder / "runs" / "a").iterdir(), key=lambda path: (path.stat().st_mtime_ns, path != first))
    seen = events(second)
    assert second != first and seen[0][0] == 11 and seen[0][2][7] == b"\x08\x01"
    assert [step for step, _, _ in seen[1:]] == [15, 20, 25]

    # A new one begins anew.
    train("--epochs", "1", *logs)
    assert len(tables()) == 1

    # What is wrong is said before the first step; a disk that is full, once, and the training ends well.
    for path, why in (("a.txt", "the ending says what is written"), ("none/a.csv", "the log `none/a.csv` can't be written")):
        text = train("--log", path, code=2)
        assert why in text and "epoch" not in text, text
    assert "is given twice" in train("--log", "a.csv", "--log", "a.csv", code=2)
    if pathlib.Path("/dev/full").exists():
        pathlib.Path("full.csv").unlink(missing_ok=True)
        pathlib.Path("full.csv").symlink_to("/dev/full")
        text = train("--log", "full.csv", "--epochs", "2")
        assert text.count("the log `full.csv` ends at epoch 1: No space left on device") == 1, text


if __name__ == "__main__":
    main()
