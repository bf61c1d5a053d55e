"""What callgrind wrote down: instructions by function and calls by caller, also of two runs compared."""
import collections
import os
import re

# Names are written out once, and are a number from then on: "fn=(12) g_free", then "fn=(12)".
NAME = re.compile(r"(fn|ob|cfn|cob)=\((\d+)\)(?: (.*))?$")


class Profile:
    """Functions are pairs of an object file's name and a function's name."""

    def __init__(self):
        self.instructions = collections.Counter()  # by function, of its own
        self.calls = collections.Counter()         # by (caller, callee)
        self.inclusive = collections.Counter()     # by (caller, callee): instructions of those calls

    def less(self, other, divisor):
        """What this run did more than the @other, by @divisor."""
        result = Profile()
        for name in ("instructions", "calls", "inclusive"):
            mine, others, into = (getattr(one, name) for one in (self, other, result))
            for key in mine.keys() | others.keys():
                into[key] = (mine[key] - others[key]) / divisor
        return result


class Reader:
    def __init__(self):
        self.names = {"fn": {}, "ob": {}}
        self.now = {"ob": "", "fn": "", "cob": None, "cfn": ""}
        self.profile = Profile()

    def set_name(self, kind, number, name):
        known = self.names[kind[-2:]]
        if name is not None:
            known[number] = os.path.basename(name) if kind[-2:] == "ob" else re.sub(r"'\d+$", "", name)
        self.now[kind] = known[number]

    def get_callee(self):
        # A callee of the caller's object file goes without one.
        return (self.now["ob"] if self.now["cob"] is None else self.now["cob"], self.now["cfn"])

    def read(self, lines):
        call = None  # how often, where the line is the cost of a call
        for line in lines:
            line = line.rstrip("\n")
            name = NAME.match(line)
            if name:
                self.set_name(*name.groups())
            elif line.startswith("calls="):
                call = int(line[len("calls="):].split()[0])
            elif line[:1] in "+-*0123456789" and line:
                self.add_cost(int(line.split()[-1]), call)
                call = None
        return self.profile

    def add_cost(self, instructions, call):
        function = (self.now["ob"], self.now["fn"])
        if call is None:
            self.profile.instructions[function] += instructions
            return
        way = (function, self.get_callee())
        self.profile.calls[way] += call
        self.profile.inclusive[way] += instructions
        self.now["cob"] = None


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return Reader().read(file)
