#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An input of the model follows a curve: "strength", how far the model departs from the camera's
picture, rises from 0.2 to 0.9 within five seconds, and stays there."""
import sys

import player

import gi

gi.require_version("GstController", "1.0")
from gi.repository import Gst, GstController

pipeline, fal, arguments = player.new_pipeline("Lets the strength rise for five seconds.")

# GStreamer's controllers set a property to the value that a curve has at the time of each frame that is
# sent. "seed", "num-inference-steps", "guidance-scale" and "quality" can follow one, too.
curve = GstController.InterpolationControlSource.new()
curve.set_property("mode", GstController.InterpolationMode.LINEAR)
curve.set(0, 0.2)
curve.set(5 * Gst.SECOND, 0.9)
# "absolute": the curve's values are the property's own; else 0 to 1 would stand for all that the
# property can be.
fal.add_control_binding(GstController.DirectControlBinding.new_absolute(fal, "strength", curve))

sys.exit(player.run(pipeline))
