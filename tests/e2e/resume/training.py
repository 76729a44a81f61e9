"""A training program in a folder of its own, run in ways that end badly."""
import gzip
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent.parent.parent / "examples" / "data"
MODELS = ("normed", "adversarial", "pictures", "sequence")


def scratch(prefix):
    """A folder for a while, in memory where there is such a place: what is tested is the order of calls, not the disk's patience."""
    memory = pathlib.Path("/dev/shm")
    return tempfile.TemporaryDirectory(prefix=prefix, dir=memory if memory.is_dir() and os.access(memory, os.W_OK) else None)


def make_data(folder):
    rows = gzip.open(DATA / "digits-train.csv.gz", "rt").read().splitlines()
    (folder / "digits.csv").write_text("\n".join(rows[:201]) + "\n")
    (folder / "digits-test.csv").write_text("\n".join(rows[:1] + rows[201:241]) + "\n")
    kinds = ("low", "middle", "high")
    points = [row.split(",") for row in rows[1:241]]
    table = ["a,b,c,d,e,f,kind"] + [",".join(p[18:24]) + "," + kinds[int(p[64]) // 4] for p in points]
    (folder / "points.csv").write_text("\n".join(table[:201]) + "\n")
    (folder / "test.csv").write_text("\n".join(table[:1] + table[201:]) + "\n")
    (folder / "play.txt").write_text((DATA / "as_you_like_it.txt").read_text()[:4000])


class Training:
    """`name`.act compiled in `folder`; run() is its `train`."""

    def __init__(self, actc, folder, name, threads=(1, 2)):
        self.folder, self.name, self.threads = pathlib.Path(folder).resolve(), name, threads
        self.folder.mkdir(parents=True, exist_ok=True)
        make_data(self.folder)
        shutil.copy(HERE / f"{name}.act", self.folder)
        subprocess.run([actc, f"{name}.act", "-o", name], cwd=self.folder, check=True)

    def command(self, out, *words):
        return [f"./{self.name}", "train", "--out", str(out), *map(str, words)]

    def run(self, out, *words, code=0, env=None):
        """What it says, both streams; ends the test when the exit code is another."""
        done = subprocess.run(self.command(out, *words), cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
        if code is not None and done.returncode != code:
            sys.exit(f"{' '.join(self.command(out, *words))} ends with {done.returncode}, not {code}:\n{done.stdout}")
        return done.stdout

    def fresh(self, name):
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def weights(self, out):
        return (self.folder / out / f"{self.name}.safetensors").read_bytes()

    def checkpoints(self, out):
        return sorted((self.folder / out).glob(f"{self.name}.step-*.safetensors"))

    def leftovers(self, out):
        return sorted((self.folder / out).glob("*.part"))

    def same(self, out, wanted, what):
        if self.weights(out) != wanted:
            sys.exit(f"{self.name}: {what}: the weights are others than those of an uninterrupted run")
