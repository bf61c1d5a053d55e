"""The way from a camera to a model and back, as the benchmarks on real sockets have it, and what they
note of results."""
import collections
import csv
import os
import subprocess

# A camera's clock is never the model's: so much faster it runs.
CAMERA = 1 + 1 / 150

# What bench-freshness writes, µs; the client knows less. wait: what the sink was told to wait.
Result = collections.namedtuple("Result", "number arrival id sent received out wait repeated")
Message = collections.namedtuple("Message", "first last size")


class Way:
    """The server behind the relay. Times in ms, jitter in %, uplink in bits a second."""

    def __init__(self, build, log, model, jitter=0, buffering=0, round_trip=0, way_jitter=0, uplink=0):
        self.log = log
        self.process = subprocess.Popen(
            [os.path.join(build, "tests/benchmarks/bench-relayed-server"), "--log", log,
             "--delay-ms", str(model), "--jitter-percent", str(jitter), "--buffering", str(buffering),
             "--round-trip-ms", str(round_trip), "--way-jitter-ms", str(way_jitter),
             "--uplink", str(uplink)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.uri = self.process.stdout.readline().split()[-1]

    def set_delay(self, delay):
        self.process.stdin.write("delay {}\n".format(delay))
        self.process.stdin.flush()

    def end(self):
        """{(way, id): Message}, when the delay changed, what an inference took in the mean (ms)."""
        self.process.stdin.close()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        messages, changed, mean = {}, None, 0
        with open(self.log) as file:
            for way, id, first, last, size in csv.reader(file):
                if way == "delay":
                    changed = int(first)
                elif way == "model":
                    mean = int(first) / 1e3 / max(int(id), 1)
                else:
                    messages[way, id] = Message(int(first), int(last), int(size))
        return messages, changed, mean


def read_results(path):
    with open(path) as file:
        for row in csv.reader(file):
            number, arrival, id, sent, received, out, *more = row
            wait, repeated = more or (0, 0)
            yield Result(int(number), int(arrival), id, int(sent or 0), int(received or 0), int(out),
                         int(wait), bool(int(repeated)))
