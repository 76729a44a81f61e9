"""The examples that write text, beside the same programs in PyTorch.

    python tests/examples/peers/texts.py --actc build/release/bin/actc char_lstm --seeds 1 2

wants an interpreter with torch (2.13.0 on the CPU). For each seed `actc` trains the example, then PyTorch does: from the same initial
weights (actc writes them: a run whose rate is next to nothing), on the same sequences in the same order, with its own layers, optimizer and
dropout. Printed are the validation losses of every epoch, and, last, the best ones, which are those of the weights that are kept.
"""
import argparse
import json
import math
import pathlib
import re
import struct
import subprocess
import tempfile

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples"
TEXT = EXAMPLES / "data" / "as_you_like_it.txt"
TIME, BATCH, SHARE = 64, 32, 0.1
SHUFFLE = 0xffff


class CharLstm(nn.Module):
    epochs, warmup = 12, None

    def __init__(self, words):
        super().__init__()
        self.embedding1, self.lstm1, self.linear1 = nn.Embedding(words, 64), nn.LSTM(64, 256, batch_first=True), nn.Linear(256, words)

    def forward(self, x):
        return self.linear1(self.lstm1(self.embedding1(x))[0])

    def optimizer(self):
        return torch.optim.Adam(self.parameters(), lr=2e-3)


class Transformer(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention1 = nn.MultiheadAttention(width, heads, batch_first=True)
        self.linear1, self.linear2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.dropout = nn.Dropout(0.2)

    def forward(self, x):
        n = self.layer_norm1(x)
        future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        h = x + self.dropout(self.attention1(n, n, n, attn_mask=future, need_weights=False)[0])
        return h + self.dropout(self.linear2(F.gelu(self.linear1(self.layer_norm2(h)))))


class TinyGpt(nn.Module):
    epochs, warmup = 20, 100

    def __init__(self, words):
        super().__init__()
        self.embedding1, self.position1 = nn.Embedding(words, 128), nn.Embedding(TIME, 128)
        self.transformer1 = nn.ModuleList(Transformer(128, 4) for _ in range(4))
        self.layer_norm1, self.linear1 = nn.LayerNorm(128), nn.Linear(128, words)

    def forward(self, x):
        h = self.embedding1(x) + self.position1.weight
        for layer in self.transformer1:
            h = layer(h)
        return self.linear1(self.layer_norm1(h))

    def optimizer(self):
        return torch.optim.AdamW(self.parameters(), lr=1e-3, weight_decay=0.1)


NETS = {"char_lstm": CharLstm, "tiny_gpt": TinyGpt}


def philox(seed, stream, step, blocks):
    """Philox4x32-10 as runtime/core/random.h defines it: the words of blocks 0 to `blocks`, [blocks, 4]."""
    low = np.uint64(0xffffffff)
    c = [np.arange(blocks, dtype=np.uint64), *(np.full(blocks, x, np.uint64) for x in (0, step, stream))]
    k0, k1 = seed & 0xffffffff, seed >> 32
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & low, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & 0xffffffff, (k1 + 0xBB67AE85) & 0xffffffff
    return np.stack(c, 1)


def shuffled(n, seed, epoch):
    """The order of rows in an epoch: runtime/host/shuffle.h."""
    words, order = philox(seed, SHUFFLE, epoch, n // 2 + 1).reshape(-1, 2), list(range(n))
    for i in range(n - 1):
        left = n - i
        pick = (int(words[i][0]) | int(words[i][1]) << 32) % left
        order[left - 1], order[pick] = order[pick], order[left - 1]
    return order


def sequences():
    """Inputs and targets [rows, time] of the training and of the validation part, which is the end of the text."""
    text = TEXT.read_text()
    index = {letter: i for i, letter in enumerate(sorted(set(text)))}
    stream = torch.tensor([index[letter] for letter in text])
    rows = (len(stream) - TIME - 1) // TIME + 1
    x = torch.stack([stream[i * TIME:(i + 1) * TIME] for i in range(rows)])
    y = torch.stack([stream[i * TIME + 1:(i + 1) * TIME + 1] for i in range(rows)])
    taken = math.floor(rows * SHARE + 0.5)
    return (x[:-taken], y[:-taken]), (x[-taken:], y[-taken:]), len(index)


def weights(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return {name: torch.from_numpy(np.frombuffer(data[slice(*t["data_offsets"])], "<f4").reshape(t["shape"]).copy())
            for name, t in header.items() if name != "__metadata__"}


def run_actc(actc, name, seed, epochs, folder, *more):
    done = subprocess.run([actc, "run", EXAMPLES / f"{name}.act", "--", "train", "--seed", str(seed), "--epochs", str(epochs), "--out",
                           folder, *more], check=True, capture_output=True, text=True)
    return [float(loss) for loss in re.findall(r"\| validation: loss ([0-9.]+)", done.stdout)]


def entropy(net, x, y):
    return F.cross_entropy(net(x).flatten(0, 1), y.flatten())


def run_torch(net, train, validation, seed, epochs):
    """Yields the validation loss of each epoch."""
    optimizer, step = net.optimizer(), 0
    x, y = train
    total = epochs * -(-len(x) // BATCH)
    for epoch in range(1, epochs + 1):
        order = shuffled(len(x), seed, epoch)
        net.train()
        for at in range(0, len(x), BATCH):
            rows, step = order[at:at + BATCH], step + 1
            if net.warmup is not None:
                done = min(max((step - 1 - net.warmup) / max(total - net.warmup, 1), 0), 1)
                factor = step / net.warmup if step < net.warmup else 0.5 * (1 + math.cos(math.pi * done))
                for group in optimizer.param_groups:
                    group["lr"] = group.setdefault("initial_lr", group["lr"]) * factor
            optimizer.zero_grad()
            entropy(net, x[rows], y[rows]).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
        net.eval()
        with torch.no_grad():
            yield float(entropy(net, *validation))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--actc", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("example", choices=NETS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    train, validation, words = sequences()
    best = []
    for seed in given.seeds:
        torch.manual_seed(seed)
        net = NETS[given.example](words)
        epochs = given.epochs or net.epochs
        with tempfile.TemporaryDirectory() as folder:
            mine = run_actc(given.actc, given.example, seed, epochs, folder)
            run_actc(given.actc, given.example, seed, 1, folder, "--lr-scale", "1e-30")
            state = weights(pathlib.Path(folder, f"{given.example}.safetensors"))
        net.load_state_dict(state)
        theirs = []
        for epoch, loss in enumerate(run_torch(net, train, validation, seed, epochs), 1):
            theirs.append(loss)
            print(f"seed {seed} epoch {epoch:2}: actc {mine[epoch - 1]:.4f}, PyTorch {loss:.4f}", flush=True)
        best.append((min(mine), min(theirs)))
        print(f"seed {seed} best: actc {best[-1][0]:.4f}, PyTorch {best[-1][1]:.4f}, ratio {best[-1][0] / best[-1][1]:.4f}", flush=True)
    a, b = np.mean(best, axis=0)
    print(f"{given.example}: validation loss actc {a:.4f}, PyTorch {b:.4f}, ratio {a / b:.4f}")


if __name__ == "__main__":
    main()
