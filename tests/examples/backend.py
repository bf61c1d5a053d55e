#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A backend of one's own, as small as it can be: it has the fal key, and gives whoever asks a token,
which holds for one app and for two minutes. So the key is in no application that others have.

The question is POST /token with the endpoint (fal-ai/fast-lcm-diffusion/realtime) as its body; the
answer is the token as text. own-backend.c and own-backend.py ask so."""
import argparse
import http.server
import json
import os
import sys
import urllib.request

parser = argparse.ArgumentParser(description="Gives tokens for APP; the key is in FAL_KEY.")
parser.add_argument("apps", metavar="APP", nargs="+", help="such as fal-ai/fast-lcm-diffusion")
parser.add_argument("--port", type=int, default=8091, help="on 127.0.0.1 (%(default)s); 0: any")
parser.add_argument("--token-uri", metavar="URI", default="https://rest.fal.ai/tokens/",
                    help="who makes tokens (%(default)s)")
arguments = parser.parse_args()
endpoints = [app + "/realtime" for app in arguments.apps]
key = os.environ.get("FAL_KEY") or sys.exit("backend.py: FAL_KEY is not set")


def request_token(endpoint):
    """What fal gives for the key; it wants the middle one of owner/alias/realtime."""
    body = {"allowed_apps": [endpoint.split("/")[1]], "token_expiration": 120}
    request = urllib.request.Request(
        arguments.token_uri, json.dumps(body).encode(),
        {"Authorization": "Key " + key, "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        token = json.load(answer)
    return token["token"] if isinstance(token, dict) else token


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        """A real backend asks here first who this is, and how much they may spend."""
        endpoint = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 1000)).decode()
        if self.path != "/token":
            self.send_error(404)
        elif endpoint not in endpoints:  # the key can pay for every app: not all are for everybody
            self.send_error(403, "No tokens for this app")
        else:
            self.give_token(endpoint)

    def give_token(self, endpoint):
        try:
            token = request_token(endpoint).encode()
        except (OSError, ValueError, KeyError) as error:
            print("no token from {}: {}".format(arguments.token_uri, error), file=sys.stderr)
            self.send_error(502, "No token from fal")
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(token)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(token)


# Of this machine only: others would want https.
server = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
print("tokens at http://127.0.0.1:{}/token".format(server.server_port), flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    pass
