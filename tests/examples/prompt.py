#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The prompt changes while it plays: each line that is typed is the next one. Once a second a line
says how it goes."""
import sys

import player
from gi.repository import GLib


def set_prompt(line):
    """The next request has it. Any thread may set it, at any time; nothing restarts."""
    if line:
        fal.set_property("prompt", line)


def show_stats():
    """The figures are those of one moment, so they fit together: README.md has the whole list."""
    stats = fal.get_property("stats")
    # The last two are medians, in ms; 0 before the first result.
    names = ("frames-in", "frames-sent", "answered", "round-trip-p50", "age-p50")
    figures = [stats.get_value(name) for name in names]
    print("{} frames, {} sent, {} answered; there and back in {:.0f} ms, results are {:.0f} ms old"
          .format(*figures), flush=True)
    return True  # once more


pipeline, fal, arguments = player.new_pipeline("Type a new prompt while it plays.")
player.watch_input(set_prompt)
GLib.timeout_add_seconds(1, show_stats)
sys.exit(player.run(pipeline))
