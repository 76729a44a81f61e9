"""Contestants of bench/run: processes that trained 50 steps, told their losses, and answer how long a step takes; and the rounds in
which they take turns. bench/contestant.c has the protocol."""
import os
import pathlib
import select
import statistics
import subprocess
import time

CHECKED_STEPS = 50
AGREE = 1e-3              # relative, of each of the first losses
TRIAL_ROUNDS = 2          # in which every peer takes part; after them, only those that may be the best
MAY_BE_BEST = 1.3         # times the least median of the trial
ANSWER_SECONDS = 90       # a contestant that says nothing for so long is ended
STOLEN = 0.02             # of the processor time of a round: more and the round does not count


class Contestant:
    """A process of one of the contestants, kept to `cpus` from its first instruction."""

    def __init__(self, name, command, cpus, folder, environment=None):
        self.name, self.times, self.rss, self.losses, self.why, self.rest = name, [], 0, [], "", b""
        self.errors = folder / f"{name}.stderr"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                            env={**os.environ, **(environment or {})}, preexec_fn=lambda: os.sched_setaffinity(0, cpus))

    def line(self, deadline):
        """The next line of its answers as words, or None with the reason in self.why."""
        pipe = self.process.stdout.fileno()
        while b"\n" not in self.rest:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(pipe, 65536) if ready else b""
            if not part:
                said = self.errors.read_text(errors="replace").strip().splitlines()
                self.why = (said[-1] if said else "it ended without a word") if ready else "it took too long"
                return None
            self.rest += part
        text, _, self.rest = self.rest.partition(b"\n")
        return text.decode().split()

    def start(self, deadline):
        """Waits for the losses of the first steps."""
        words = self.line(deadline)
        self.losses = [float(word) for word in words or []]
        if not self.why and len(self.losses) != CHECKED_STEPS:
            self.why = f"it told {len(self.losses)} losses and not {CHECKED_STEPS}"
        return not self.why

    def move(self, cpus):
        """All its threads to these processors."""
        for thread in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cpus)

    def measure(self, seconds):
        """Microseconds of a step, over so many seconds; kept in self.times by who asks."""
        self.process.stdin.write(f"{seconds}\n".encode())
        self.process.stdin.flush()
        answer = self.line(time.monotonic() + ANSWER_SECONDS)
        if answer is None or len(answer) != 2:
            raise ChildProcessError(f"{self.name} gave up while it was timed: {self.why or answer}")
        self.rss = int(answer[1])
        return float(answer[0])

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def median(self):
        return statistics.median(self.times)

    @property
    def family(self):
        return self.name.partition("-")[0]


def deviation(losses, others):
    """The greatest relative difference between two contestants' losses, of the greater one at each step; inf for what is no number."""
    worst = 0.0
    for a, b in zip(losses, others):
        difference = abs(a - b) / max(abs(a), abs(b), 1e-30)
        worst = max(worst, difference) if difference == difference else float("inf")
    return worst


class Machine:
    """What the processors of a contest can do, and what was taken away from them."""

    def __init__(self, probe, cpus, seconds):
        self.command, self.cpus, self.threads = [str(probe), str(len(cpus)), str(seconds)], cpus, len(cpus)
        self.peaks, self.streams, self.clocks = [], [], []

    def probe(self):
        words = subprocess.run(self.command, capture_output=True, text=True, check=True,
                               preexec_fn=lambda: os.sched_setaffinity(0, self.cpus)).stdout.split()
        return float(words[0]), float(words[2]), float(words[4])

    def keep(self, probed):
        for kept, value in zip((self.peaks, self.streams, self.clocks), probed):
            kept.append(value)

    def stolen(self):
        """Seconds that other guests of the host took from these processors since boot: the eighth number of /proc/stat."""
        names, ticks = {f"cpu{cpu}" for cpu in self.cpus}, 0
        try:
            for line in pathlib.Path("/proc/stat").read_text().splitlines():
                words = line.split()
                if words and words[0] in names and len(words) > 8:
                    ticks += int(words[8])
        except OSError:
            pass
        return ticks / os.sysconf("SC_CLK_TCK")


def trial(actc, peers, seconds, say):
    """Warms everybody up and lets all take part in a few rounds. Returns who goes on, which is the best of each family (the name up to a
    hyphen) and whoever may be the best of all, and everybody's medians so far by name."""
    for contestant in [actc, *peers]:
        try:
            contestant.measure(seconds)
            contestant.times = [contestant.measure(seconds)]
        except ChildProcessError as error:
            if contestant is actc:
                raise
            say(f"{error}; it is left out")
    peers = [peer for peer in peers if peer.times]
    for _ in range(TRIAL_ROUNDS - 1):
        for contestant in [actc, *peers]:
            contestant.times.append(contestant.measure(seconds))
    limit = MAY_BE_BEST * min((peer.median() for peer in peers), default=0)
    first = {peer.family: peer for peer in sorted(peers, key=Contestant.median, reverse=True)}
    return [peer for peer in peers if peer.median() <= limit or peer is first[peer.family]], {peer.name: peer.median() for peer in peers}


def rounds(actc, peers, machine, count, seconds):
    """Takes turns, there and back (A B C, C B A), until `count` rounds count or half as many again are over. A round in which time was
    stolen does not count, unless most are such: then all do. Returns how many had time stolen, and how many count."""
    everybody, good, bad = [actc, *peers], [], []
    for contestant in everybody:
        contestant.times = []
    while len(good) < count and len(good) + len(bad) < 1.5 * count:
        stolen, begin = machine.stolen(), time.monotonic()
        probed = machine.probe()
        order = everybody if (len(good) + len(bad)) % 2 == 0 else everybody[::-1]
        took = {contestant.name: contestant.measure(seconds) for contestant in order}
        share = (machine.stolen() - stolen) / (machine.threads * (time.monotonic() - begin))
        (bad if share > STOLEN else good).append((probed, took))
    kept = good if 2 * len(good) >= count else good + bad
    for probed, took in kept:
        machine.keep(probed)
        for contestant in everybody:
            contestant.times.append(took[contestant.name])
    return len(bad), len(kept)
