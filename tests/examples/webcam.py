#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A webcam, and in a window what a model makes of it. The pipeline stands in player.py."""
import sys

import player

pipeline, fal, arguments = player.new_pipeline("Shows what a model makes of a webcam.")
sys.exit(player.run(pipeline))
