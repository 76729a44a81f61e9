"""pages.py ACTC SOURCE: draws pages of trainings and reads them, by itself and with a browser."""
import html.parser
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys

import browser

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Reader(html.parser.HTMLParser):
    """Tags that close as they open, and all text outside of scripts."""

    def __init__(self):
        super().__init__()
        self.open, self.text, self.attributes = [], [], []

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)


def read(path):
    """The text of a page that is well formed and refers to nothing outside."""
    page = pathlib.Path(path).read_text()
    reader = Reader()
    reader.feed(page)
    assert not reader.open, reader.open
    for tag, name, value in reader.attributes:
        assert name not in ("src", "href") or value.startswith("data:image/png;base64,"), (tag, name, value[:80])
        assert not name.startswith("on"), (tag, name)
        assert not re.search(r"\b(nan|inf)\b", value or "") or name in ("content", "class", "title", "alt"), (tag, name, value[:80])
    return page, "".join(reader.text)


def lines_of(page):
    inside = page.split('<script type="application/x-ndjson" id="log">\n')[1].split("</script>")[0]
    return [json.loads(line) for line in inside.splitlines()]


def measured(path):
    """A log of what a monitor would say, with names that are no harmless text."""
    layers, out = [f"linear{i}<b>" for i in range(1, 13)], []
    out.append({"event": "run", "step": 0, "settings": {"model": "deep & <i>wide</i>", "batch": "8"}})
    for i, name in enumerate(layers):
        out.append({"event": "forecast", "layer": name, "line": i + 3, "gradient": 0.3 ** (12 - i), "deviation": 1, "dead": 0.02})
    for step in range(1, 41):
        for i, name in enumerate(layers):
            out.append({"event": "layer", "epoch": 1 + step // 20, "step": step, "layer": name, "gradient": 0.25 ** (12 - i), "dead": step / 80,
                        "saturated": 0.1, "deviation": 1 + i / 10, "mean": None, "update": 1e-3, "zeros": 0.5})
            if i < 3:
                counts = [int(900 * math.exp(-(k - 16) ** 2 / 40)) for k in range(32)]
                out.append({"event": "histogram", "step": step, "layer": name, "what": "preactivation", "low": -3, "high": 3, "counts": counts})
        out.append({"event": "lr", "step": step, "lr": 1e-5 * 1.4 ** step, "loss": 2.3 - step / 40, "smoothed": 2.3 - step / 41})
    out.append({"event": "check", "step": 40, "code": "ACT302", "name": "saturating_hidden", "line": 4, "message": "a < b", "verdict": "observed", "why": "RT03 in step 1"})
    out.append({"event": "finding", "step": 7, "code": "RT01", "line": 4, "level": "warning", "message": "</script><script>alert(1)</script>"})
    out.append({"epoch": 1, "step": 40, "seconds": 1, "rows_per_second": 1e5, "train": {"loss": 1.5}, "test": {"loss": None, "accuracy": 0.5}})
    path.write_text("".join(json.dumps(line) + "\n" for line in out))


def main():
    actc, source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), pathlib.Path(".").resolve()
    for old in folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()

    def run(*words, code=0):
        done = subprocess.run([actc, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == code, done.stdout
        return done.stdout

    def train(*words, code=0):
        return run("run", source / "examples/digits.act", "--", "--quiet", "--threads", "1", *words, code=code)

    # The page of a run, and of the same run stopped and gone on with.
    train("--epochs", "3", "--report", "whole.html", "--log", "whole.jsonl", "--checkpoint", "1epoch", "--out", "a")
    page, text = read("whole.html")
    for word in ("Curves", "loss", "accuracy", "Answers", "Settings and machine", "3 of 3", "test rows"):
        assert word in text, word
    whole = lines_of(page)
    assert whole == [json.loads(line) for line in open("whole.jsonl")]
    matrix, = [line for line in whole if line.get("event") == "confusion"]
    last = [line for line in whole if "event" not in line][-1]
    classes = len(matrix["names"])
    right = sum(matrix["counts"][i * classes + i] for i in range(classes))
    assert abs(right / sum(matrix["counts"]) - last["test"]["accuracy"]) < 1e-9
    shutil.copy("whole.html", "part.html")
    first = sorted(pathlib.Path("a").glob("*.step-*"))[0]
    train("--epochs", "4", "--report", "part.html", "--resume", str(first), "--out", "b")
    again = lines_of(read("part.html")[0])
    assert [line["epoch"] for line in again if "event" not in line] == [1, 2, 3, 4]
    assert "the log `none/a.html` can't be written: No such file or directory" in train("--report", "none/a.html", code=2)
    assert "`--report` wants a name that ends in .html" in train("--report", "a.pdf", code=2)
    pathlib.Path("foreign.html").write_text("<!DOCTYPE html><p>mine")
    assert "is no page of this training" in train("--epochs", "4", "--report", "foreign.html", "--resume", str(first), "--out", "b", code=2)

    # A network that the checker warns of, watched: page and log say whether it came true, layer by layer.
    text = (source / "examples/digits.act").read_text().replace("linear(64) |> relu", " |> ".join(["linear(64) |> sigmoid"] * 4))
    (folder / "deep.act").write_text(text.replace('"data/', f'"{source}/examples/data/'))
    run("run", "deep.act", "--monitor", "--", "--quiet", "--epochs", "2", "--threads", "1", "--report", "watched.html", "--out", "c")
    page, text = read("watched.html")
    told, = [line for line in lines_of(page) if line.get("event") == "check" and line["code"] == "ACT302"]
    assert told["verdict"] == "observed" and told["line"] == 7, told
    for word in ("saturating_hidden", "Predicted and measured", "Histograms over time", "linear9", told["why"]):
        assert word in text, word

    # Others' words are text, whatever stands in them.
    measured(folder / "deep.jsonl")
    run("plot", "deep.jsonl", "-o", "deep.html")
    page, text = read("deep.html")
    for word in ("deep & <i>wide</i>", "</script><script>alert(1)</script>", "linear12<b>", "Predicted and measured", "Histograms over time", "Learning-rate range",
                 "The checker's warnings", "a < b", "RT03 in step 1"):
        assert word in text, word
    run("plot", "whole.html", "deep.jsonl", "-o", "both.html")
    text = read("both.html")[1]
    assert "2 runs" in text and "Final values" in text and "test accuracy" in text
    run("plot", "whole.html", "deep.jsonl", "-o", "again.html")
    assert pathlib.Path("both.html").read_bytes() == pathlib.Path("again.html").read_bytes()
    assert "error: there is no log of a training in or below `a`" in run("plot", "a", "-o", "x.html", code=2)
    assert "`-o compare.html` names a file" in run("plot", "deep.jsonl", code=2)
    assert not pathlib.Path("x.html").exists()

    browser.look(folder, ["whole.html", "watched.html", "deep.html", "both.html"])


main()
