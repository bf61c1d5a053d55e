#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A part of the picture: what is typed, as X,Y,W,H, is all that the model gets from then on. A program that
finds faces would set it in the same way, or attach a GstVideoRegionOfInterestMeta to each frame and set
region=meta."""
import sys

import player


def choose_region(line):
    # A text that cannot be read changes nothing, and a WARNING says so. Nothing is the whole frame.
    fal.set_property("region", line)


pipeline, fal, arguments = player.new_pipeline(
    "Type the part of the picture that is sent, as X,Y,W,H, and press Enter.")
fal.set_property("width", 0)  # the part is sent in its own size
fal.set_property("height", 0)
player.watch_input(choose_region)
sys.exit(player.run(pipeline))
