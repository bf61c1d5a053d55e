#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""An application that has no key: a server of one's own has it (backend.py is a small one), and gives
a token, which holds for one app and for two minutes."""
import sys
import urllib.request

import player
from gi.repository import Gst


def request_token(_fal, endpoint):
    """Called for each connection, on a thread of its own: so it may take its time. None ends the
    attempt."""
    try:
        # Whoever is logged in with the backend would say so here, too.
        with urllib.request.urlopen(arguments.backend, endpoint.encode(), timeout=10) as answer:
            return answer.read().decode()
    except (OSError, ValueError) as error:
        print("no token from {}: {}".format(arguments.backend, error), file=sys.stderr)
        return None


pipeline, fal, arguments = player.new_pipeline(
    "Plays with tokens of a backend of one's own.",
    backend={"metavar": "URL", "default": "http://127.0.0.1:8091/token",
             "help": "where tokens are given (%(default)s)"})
Gst.util_set_object_arg(fal, "auth", "token")
fal.connect("request-token", request_token)
sys.exit(player.run(pipeline))
