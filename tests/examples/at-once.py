#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A picture when one is wanted: a frame goes to the model when Enter is pressed. What is typed before is
the prompt of that one picture."""
import sys

import player
from gi.repository import Gst

HOUR = 60 * 60 * 1000  # ms


def send_newest_frame(line):
    inputs = Gst.Structure.new_empty("inputs")  # of this one request; they go over the properties
    if line:
        inputs.set_value("prompt", line)
    sent = fal.emit("send", inputs)
    print("sent" if sent else "there is no frame to send yet", flush=True)


pipeline, fal, arguments = player.new_pipeline("Press Enter to send the newest frame.")
# By itself only the first frame goes, one an hour, and the last at the end; "send" does not ask for that.
# The connection stays open meanwhile, which costs where a model is paid by the second.
fal.set_property("throttle-interval", HOUR)
player.watch_input(send_newest_frame)
sys.exit(player.run(pipeline))
