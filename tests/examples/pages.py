"""The pages of this project as text: blocks, links, tables. And a list of tests that prints TAP.

For run-commands, check-pages and check-documentation, whose first two arguments are the folders of the sources and of the build."""
import os
import re
import subprocess
import sys
import tempfile

source, build = (os.path.abspath(path) for path in sys.argv[1:3])
PAGES = ("README.md", "tests/examples/README.md", "gst/README.md", "tests/README.md", "tests/interop/README.md",
         "tests/benchmarks/README.md", "tests/faults/README.md")
DOCUMENTATION = "gst/gstfalrealtimefilter.c"  # its comment has blocks, too


class Skip(Exception):
    """What is missing on this machine."""


def read(path):
    with open(os.path.join(source, path), encoding="utf8") as file:
        return file.read()


def list_blocks(path):
    """Pairs of a language and the text of a block."""
    if path == DOCUMENTATION:
        for block in re.findall(r"\* \|\[(?:<!--.*?-->)?\n(.*?)\* \]\|", read(path), re.DOTALL):
            yield "sh", re.sub(r"^ \* ?", "", block, flags=re.MULTILINE)
    else:
        yield from re.findall(r"^```(\w*)\n(.*?)^```", read(path), re.DOTALL | re.MULTILINE)


def list_commands(block):
    """Its lines, continued ones joined."""
    return [line.strip() for line in block.replace("\\\n", " ").strip().split("\n") if line.strip()]


def without_blocks(path):
    return re.sub(r"^```.*?^```", "", read(path), flags=re.DOTALL | re.MULTILINE)


def make_anchor(heading):
    """As GitHub does."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def list_anchors(path):
    return {make_anchor(heading) for heading in re.findall(r"^#+ (.*)", without_blocks(path), re.MULTILINE)}


def get_section(path, title):
    return re.search(r"^## {}\n(.*?)(?=^## |\Z)".format(title), read(path), re.MULTILINE | re.DOTALL).group(1)


def list_rows(section):
    """Those of its tables that begin with code, as lists of cells."""
    for line in re.findall(r"^\| `.*", section, re.MULTILINE):
        yield re.split(r"\s*\|\s*", line.strip("| "))


def check_links(page, root=source):
    """Files and headings that a page links to are there."""
    missing = []
    for link in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
        if not os.path.exists(os.path.join(root, target)):
            missing.append(link)
        elif anchor and anchor not in list_anchors(target):
            missing.append(link)
    if missing:
        raise AssertionError("not there: " + ", ".join(missing))


def inspect():
    """What gst-inspect-1.0 tells of the element."""
    with tempfile.TemporaryDirectory(prefix="gst-fal-") as folder:
        env = make_environment(GST_PLUGIN_PATH=os.path.join(build, "gst"),
                               GST_REGISTRY=os.path.join(folder, "registry.bin"))
        return subprocess.run(["gst-inspect-1.0", "falrealtimefilter"], env=env, stdout=subprocess.PIPE, text=True,
                              check=True).stdout


def make_environment(**more):
    """What somebody has who just logged in, and to whom programs speak English."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("FAL_", "GST_", "G_", "GIO_", "XDG_", "MESON", "LSAN_", "DESTDIR", "MAKE"))}
    return dict(kept, PATH="/usr/bin:/bin:" + os.environ["PATH"], LC_ALL="C.UTF-8", **more)


def run_tests(tests):
    """Pairs of a name and a function, which raises where something is wrong."""
    tests = list(tests)
    print("1..{}".format(len(tests)))
    for number, (name, function) in enumerate(tests, 1):
        try:
            function()
            print("ok {} - {}".format(number, name), flush=True)
        except Skip as reason:
            print("ok {} - {} # SKIP {}".format(number, name, reason), flush=True)
        except Exception as error:  # whatever it is, the test has failed
            print("# " + (str(error) or repr(error)).replace("\n", "\n# "))
            print("not ok {} - {}".format(number, name), flush=True)
