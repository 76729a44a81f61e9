#!/usr/bin/env python3
"""Every case of cases.py ends in the weights that PyTorch ends with.

    features.py --actc build/release/bin/actc [CASE…]
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import cases

WITHIN = 2e-6


def run(actc, folder, case, wanted):
    here = folder / case
    here.mkdir()
    (here / "small.act").write_text(cases.program(case))
    cases.write_data(here / "points.csv", case)
    cases.write_weights(here / "start.safetensors", case)
    done = subprocess.run([actc, "run", "small.act", "-Aall", "--", "train", "--quiet"], cwd=here, text=True, capture_output=True)
    if done.returncode:
        sys.exit(f"{case}: {done.stdout}{done.stderr}")
    got = cases.read_weights(here / "small.safetensors")
    off = max(abs(a - b) for name in cases.shapes(case) for a, b in zip(got[name], wanted[name], strict=True))
    if not off <= WITHIN:
        sys.exit(f"{case}: a weight is off by {off:g} from PyTorch's")
    print(f"{case}: within {off:.1e} of PyTorch's")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--actc", required=True)
    parser.add_argument("case", nargs="*")
    args = parser.parse_args()
    wanted = json.loads(pathlib.Path(__file__).with_name("torch.json").read_text())["cases"]
    if sorted(wanted) != sorted(cases.CASES):
        sys.exit("torch.json has other cases than cases.py: run torch_numbers.py")
    with tempfile.TemporaryDirectory() as folder:
        for case in args.case or cases.CASES:
            run(str(pathlib.Path(args.actc).resolve()), pathlib.Path(folder), case, wanted[case])


if __name__ == "__main__":
    main()
