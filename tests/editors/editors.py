#!/usr/bin/env python3
"""What the editors are given: the grammars are those that grammar.py writes, know every word of the language, and are well formed.

    editors.py --actc build/release/bin/actc --source .

Where there is a Vim, it draws a sample, and what it takes each word for is compared; without one that part is left out.
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SAMPLE = """## Doc.
activation bent(x) = max(x, 0.5) # comment
param width = 64
model m {
    input  x : f32[4] in [0, 1]
    loss = 3
    @allow(saturating_hidden, reason = "old")
    z = x |> linear(width, bias = false) |> relu
    loss cross_entropy(z, x.features)
}
train m {
    epochs 3
    optimizer adam(lr = 1e-3)
}
data d {
    train {
        x = csv("a.csv")
    }
}
"""
# line, word -> the group Vim puts it in
DRAWN = {(1, "Doc"): "actDoc", (2, "activation"): "actStatement", (2, "bent"): "", (2, "max"): "actLayer", (2, "0.5"): "actNumber",
         (2, "comment"): "actComment", (3, "param"): "actStatement", (4, "model"): "actStatement", (5, "input"): "actStatement",
         (5, "f32"): "actType", (5, "in ["): "actJoin", (6, "loss"): "", (7, "@allow"): "actAllow", (7, "old"): "actString", (8, "z"): "",
         (8, "|>"): "actOperator", (8, "linear"): "actLayer", (8, "false"): "actConstant", (8, "relu"): "actActivation",
         (9, "loss"): "actStatement", (9, "cross_entropy"): "actLoss", (9, "features"): "actField", (11, "train"): "actStatement",
         (12, "epochs"): "actSetting", (13, "optimizer"): "actSetting", (13, "adam"): "actTraining", (13, "1e-3"): "actNumber",
         (15, "data"): "actStatement", (16, "train"): "actPart", (17, "csv"): "actReader", (17, "x"): ""}


def words_in(text):
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text))


def check_words(actc, root, bad):
    """Every statement of syntax/words.h and every definition that `actc list` prints is in both grammars."""
    wanted = set(re.findall(r'^  X\("(\w+)"', (root / "compiler/syntax/words.h").read_text(), re.M))
    for what in ("activations", "losses", "initializers", "layers", "optimizers", "schedules", "metrics", "functions", "blocks"):
        lines = subprocess.run([actc, "list", what, "--format=json"], capture_output=True, text=True, check=True).stdout.splitlines()
        names = {json.loads(line)["name"] for line in lines}
        if not names:
            bad.append(f"`actc list {what}` is empty")
        wanted |= names
    for name in ("vim/syntax/act.vim", "vscode/syntaxes/act.tmLanguage.json"):
        missing = wanted - words_in((root / "editors" / name).read_text())
        if missing:
            bad.append(f"{name} does not know {', '.join(sorted(missing))}")


def check_json(root, bad):
    folder = root / "editors/vscode"
    package = json.loads((folder / "package.json").read_text())
    files = [package["main"]] + [x["configuration"] for x in package["contributes"]["languages"]]
    files += [x["path"] for x in package["contributes"]["grammars"]]
    bad += [f"package.json names {name}, which is not there" for name in files if not (folder / name).is_file()]
    json.loads((folder / "language-configuration.json").read_text())
    grammar = json.loads((folder / "syntaxes/act.tmLanguage.json").read_text())
    for pattern in grammar["patterns"]:
        for key in ("match", "begin", "end"):
            # Python wants a fixed width behind `(?<=`: what is looked back for is checked as if it were read
            re.compile(pattern.get(key, "").replace("(?<=^|[;{}])", "(?:^|[;{}])"))
    script = (folder / "extension.js").read_text()
    for key in package["contributes"]["configuration"]["properties"]:
        if f'"{key.split(".")[1]}"' not in script:
            bad.append(f"the setting {key} is not read by extension.js")


def check_vim(root, bad):
    vim = shutil.which("vim")
    if not vim:
        return "no Vim here: nothing drawn"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "sample.act").write_text(SAMPLE)
        lines = SAMPLE.split("\n")
        asked, script = [], [f"set nocompatible rtp^={root}/editors/vim", "filetype plugin on", "syntax on", f"edit {folder}/sample.act",
                             "let r = [&filetype, &commentstring]"]
        for (line, word), group in DRAWN.items():
            column = lines[line - 1].index(word) + 1
            asked.append((line, word, group))
            script.append(f"call add(r, synIDattr(synID({line}, {column}, 1), 'name'))")
        script += [f"call writefile(r, '{folder}/out')", "qall!"]
        (folder / "script.vim").write_text("\n".join(script) + "\n")
        done = subprocess.run([vim, "-es", "-u", "NONE", "-i", "NONE", "-n", "-S", str(folder / "script.vim")], capture_output=True, timeout=60,
                              stdin=subprocess.DEVNULL)
        if not (folder / "out").exists():
            bad.append(f"Vim failed: {done.stderr.decode()}{done.stdout.decode()}")
            return ""
        out = (folder / "out").read_text().split("\n")
        if out[:2] != ["act", "# %s"]:
            bad.append(f"Vim takes the file for {out[:2]}")
        for (line, word, group), got in zip(asked, out[2:]):
            if got != group:
                bad.append(f"Vim draws `{word}` in line {line} as {got or 'nothing'}, not {group or 'nothing'}")
    return f"Vim drew {len(DRAWN)} words"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actc", required=True)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    given = parser.parse_args()
    root, bad = given.source.resolve(), []
    done = subprocess.run([sys.executable, "-B", str(root / "editors/grammar.py"), "--actc", given.actc, "--check"], capture_output=True, text=True)
    if done.returncode:
        bad.append(done.stdout + done.stderr)
    check_words(given.actc, root, bad)
    check_json(root, bad)
    print(check_vim(root, bad))
    print("\n".join(bad))
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
