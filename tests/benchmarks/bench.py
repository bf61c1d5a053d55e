"""What the benchmarks share: pictures, servers, runs, CSV files and plots."""
import contextlib
import csv
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from plots import load_pyplot

here = os.path.dirname(os.path.abspath(__file__))


def quantile(values, part):
    """The value below which @part (0 to 1) of them are; 0.0 where there are none."""
    return sorted(values)[min(int(part * len(values)), len(values) - 1)] if values else 0.0


class Place:
    """A build, a folder for what is kept, and one for what is not. @plugin: another build, whose
    plugin is measured with the programs of this one."""

    def __init__(self, build, results, plugin=None):
        self.build = os.path.abspath(build or os.path.join(here, "../../build"))
        self.results = os.path.abspath(results or os.path.join(self.build, "benchmarks"))
        self.programs = os.path.join(self.build, "tests/benchmarks")
        self.scratch = tempfile.TemporaryDirectory()
        # A registry of its own, so that no installed plugin of the same name is met.
        self.env = dict(os.environ, GST_PLUGIN_PATH=os.path.join(os.path.abspath(plugin or self.build), "gst"),
                        GST_REGISTRY=os.path.join(self.scratch.name, "registry.bin"))
        os.makedirs(self.results, exist_ok=True)

    def run(self, command, env=None, timeout=120):
        """The numbers on the last line that the command prints."""
        if "/" not in command[0]:
            command = [os.path.join(self.programs, command[0])] + command[1:]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              env=env or self.env, timeout=timeout)
        if done.returncode != 0:
            sys.exit("{} failed:\n{}".format(command, done.stderr))
        return [float(word) for word in done.stdout.split("\n")[-2].split()]

    def make_picture(self, side, quality):
        """The astronaut as a camera would send it."""
        path = os.path.join(self.scratch.name, "{}-{}.jpg".format(side, quality))
        source = os.path.join(here, "../data/astronaut.jpg")
        subprocess.run(
            ["gst-launch-1.0", "-q", "filesrc", "location=" + source, "!", "jpegdec", "!",
             "videoconvert", "!", "videoscale", "!",
             "video/x-raw,format=I420,width={0},height={0}".format(side), "!", "jpegenc",
             "quality={}".format(quality), "!", "filesink", "location=" + path], check=True)
        return path

    def find_client(self, script):
        """@script of this folder where the JavaScript client's packages are, or None. A module finds
        them from where it stands."""
        folder = os.path.join(self.build, "tests/interop")
        if not shutil.which("node") or not os.path.isdir(os.path.join(folder, "node_modules")):
            return None
        return shutil.copy(os.path.join(here, script), folder)

    @contextlib.contextmanager
    def server(self, *options):
        """Its address. It answers at once, with the picture that it got."""
        process = subprocess.Popen(
            [os.path.join(self.build, "tests/server/fal-local-server"), "--effect", "echo", *options],
            stdout=subprocess.PIPE, text=True)
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()
            process.wait()

    def write_csv(self, name, head, rows):
        path = os.path.join(self.results, name + ".csv")
        with open(path, "w", newline="") as file:
            csv.writer(file).writerows([head] + rows)
        print("\n" + path)

    def plot(self, name, draw, **size):
        """@draw gets the axes, side by side; left out where there is no matplotlib."""
        pyplot = load_pyplot()
        if pyplot is None:
            return
        figure, axes = pyplot.subplots(**size, layout="constrained")
        draw(axes)
        path = os.path.join(self.results, name + ".png")
        figure.savefig(path, dpi=100)
        pyplot.close(figure)
        print(path)


def measure_in_turn(cases, rounds):
    """Round after round, so that what else the machine does meets all alike."""
    results = {case: [] for case in cases}
    for _ in range(rounds):
        for case, measure in cases.items():
            results[case].append(measure())
    return results


def medians(rows):
    return [statistics.median(column) for column in zip(*rows)]
