#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is known of each result travels with its picture: a custom meta named GstFalResultMeta, which
is a structure of named fields:

  sent, received            int    when request and reply went by, in µs of GLib.get_monotonic_time()
  round-trip                float  the time between these, in ms
  inference                 float  that the model says it took, in ms; where it says so
  image-index, image-count  int    which picture of a reply this is, from 0; of how many
  request-id                str    as the reply has it; where it has one

and, with the name and type that the app gave them, all other fields of the reply. Python reads
numbers, texts and maps (which are structures again); lists only with Debian's package
python3-gst-1.0. Elements that change a picture, such as videoconvert, leave the meta on it."""
import sys

import player
from gi.repository import Gst


def show_meta(_pad, info):
    """Called on the thread on which the picture travels, which waits meanwhile: so it should not take
    long."""
    meta = info.get_buffer().get_custom_meta("GstFalResultMeta")
    if meta is None:  # a frame that is shown for want of a result (fallback, enabled=false)
        return Gst.PadProbeReturn.OK
    fields = meta.get_structure()
    text = "picture {} of {}, {:.1f} ms there and back".format(
        fields.get_value("image-index") + 1, fields.get_value("image-count"),
        fields.get_value("round-trip"))
    if fields.has_field("inference"):
        text += ", of which the model {:.1f} ms".format(fields.get_value("inference"))
    if fields.has_field("seed"):
        text += ", seed {}".format(fields.get_value("seed"))
    print(text, flush=True)
    return Gst.PadProbeReturn.OK


pipeline, fal, arguments = player.new_pipeline("Prints what comes with each result.")
# A probe sees whatever passes a pad, here the one on which the results leave.
fal.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, show_meta)
sys.exit(player.run(pipeline))
