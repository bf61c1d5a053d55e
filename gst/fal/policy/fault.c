/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What went wrong: a table of faults, of what class they are and what can be done. Pure. */
#include "fault.h"

/* Apps of WebRTC greet like this and wait for an offer; so do some apps of frames. */
#define WEBRTC_HINT                                                                                \
  "The app said only that it is ready, as apps do that speak WebRTC and take no frames: then use " \
  "another app or path. A slow model may need a larger request-timeout."

/* First row that fits; a kind without codes of its own has one row. */
static const struct {
  FalFaultKind kind;
  guint from, to;
  FalFaultClass class;
  GIOErrorEnum error;
  const gchar *hint;
} faults[] = {
  { FAL_FAULT_NETWORK, FAL_NETWORK_FAULT_DESCRIPTORS, FAL_NETWORK_FAULT_DESCRIPTORS,
      FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED,
      "Let the process have more file descriptors (ulimit -n), or close some." },
  { FAL_FAULT_NETWORK, FAL_NETWORK_FAULT_THREADS, FAL_NETWORK_FAULT_THREADS,
      FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED, FAL_THREADS_HINT },
  { FAL_FAULT_NETWORK, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_HOST_UNREACHABLE,
      "Check base-uri and the network." },
  { FAL_FAULT_TIMED_OUT, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_TIMED_OUT,
      "Check base-uri and the network. A model that has to be loaded may need a larger "
      "connect-timeout." },
  { FAL_FAULT_UNKNOWN_HOST, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_HOST_NOT_FOUND,
      "Check the host in base-uri, and the network." },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_UNKNOWN_CA, FAL_TLS_FAULT_UNKNOWN_CA, FAL_FAULT_CLASS_PERMANENT,
      G_IO_ERROR_FAILED,
      "Check the host in base-uri. For a server of your own set tls-database to its authority." },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_WRONG_HOST, FAL_TLS_FAULT_WRONG_HOST, FAL_FAULT_CLASS_PERMANENT,
      G_IO_ERROR_FAILED, "Check the host in base-uri." },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_YET_VALID, FAL_TLS_FAULT_EXPIRED, FAL_FAULT_CLASS_PERMANENT,
      G_IO_ERROR_FAILED,
      "Check the clock of this machine, it may be wrong. Else the server needs a new "
      "certificate." },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_TLS, FAL_TLS_FAULT_NOT_TLS, FAL_FAULT_CLASS_TRANSIENT,
      G_IO_ERROR_HOST_UNREACHABLE,
      "Check base-uri and the network. A server without TLS is reached with ws://." },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_MISSING, FAL_TLS_FAULT_MISSING, FAL_FAULT_CLASS_PERMANENT,
      G_IO_ERROR_FAILED, "Install the package glib-networking." },
  { FAL_FAULT_TLS, 0, G_MAXUINT, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "Check base-uri (does the server speak TLS there?), and the clock and the CA certificates of "
      "this machine." },
  { FAL_FAULT_PROXY, 407, 407, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_PERMISSION_DENIED,
      "Set the right user and password in proxy." },
  { FAL_FAULT_PROXY, 400, 499, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "Check proxy: does it allow this host and port?" },
  { FAL_FAULT_PROXY, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_HOST_UNREACHABLE,
      "Check proxy." },
  { FAL_FAULT_HTTP, 101, 101, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "The server, or a proxy on the way to it, does not keep to the protocol of WebSocket. Check "
      "base-uri, app and path." },
  { FAL_FAULT_HTTP, 401, 401, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "Set token to a fresh one, or api-key (FAL_KEY) to a valid key." },
  { FAL_FAULT_HTTP, 403, 403, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "Set token to one that allows this app, or api-key (FAL_KEY) to a key that does." },
  { FAL_FAULT_HTTP, 404, 404, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_NOT_FOUND,
      "Check app and path: does the app have a realtime endpoint?" },
  { FAL_FAULT_HTTP, 408, 408, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED,
      "The server did not wait for the request." },
  { FAL_FAULT_HTTP, 429, 429, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BUSY,
      "Too many connections are open: close others, or wait." },
  { FAL_FAULT_HTTP, 500, 599, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED,
      "The server, or one on the way to it, is out of order." },
  { FAL_FAULT_HTTP, 300, 399, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "Redirects are not followed: set base-uri to the right address." },
  { FAL_FAULT_HTTP, 0, G_MAXUINT, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "There is no WebSocket here: check base-uri, app and path." },
  { FAL_FAULT_TOKEN, 300, 399, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "Redirects are not followed: set token-uri to the right address." },
  { FAL_FAULT_TOKEN, 400, 407, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "Check api-key (FAL_KEY) and token-uri, or the server at token-proxy-uri." },
  { FAL_FAULT_TOKEN, 422, 422, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "Check app and token-request." },
  { FAL_FAULT_TOKEN, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED,
      "Check token-uri." },
  { FAL_FAULT_PROVIDER, FAL_PROVIDER_FAULT_TIMED_OUT, FAL_PROVIDER_FAULT_TIMED_OUT,
      FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_TIMED_OUT,
      "Let request-token answer sooner, or set connect-timeout to more." },
  { FAL_FAULT_PROVIDER, FAL_PROVIDER_FAULT_THREADS, FAL_PROVIDER_FAULT_THREADS,
      FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED, FAL_THREADS_HINT },
  { FAL_FAULT_PROVIDER, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_PERMISSION_DENIED,
      "Let request-token return a token (JWT) for the app." },
  { FAL_FAULT_STALE, 0, 0, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "Set token to a fresh one, or api-key (FAL_KEY) to a valid key." },
  { FAL_FAULT_STALE, 1, 1, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "Check the clock of this machine, and set a fresh token." },
  { FAL_FAULT_UNAUTHORIZED, 0, G_MAXUINT, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "Set token to a fresh one, or api-key (FAL_KEY) to a valid key." },
  { FAL_FAULT_CLOSED, 1000, 1000, FAL_FAULT_CLASS_QUIET, G_IO_ERROR_BROKEN_PIPE,
      "Nothing is wrong." },
  { FAL_FAULT_CLOSED, 1005, 1005, FAL_FAULT_CLASS_QUIET, G_IO_ERROR_BROKEN_PIPE,
      "Nothing is wrong." },
  { FAL_FAULT_CLOSED, 1006, 1006, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "Check the network." },
  { FAL_FAULT_CLOSED, 1008, 1008, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "The token is not for this app, or has expired: set a fresh one." },
  { FAL_FAULT_CLOSED, 1009, 1009, FAL_FAULT_CLASS_SERVER, G_IO_ERROR_BROKEN_PIPE,
      "The request is too big: lower width, height or quality." },
  { FAL_FAULT_CLOSED, 1002, 1007, FAL_FAULT_CLASS_SERVER, G_IO_ERROR_BROKEN_PIPE,
      "The app did not understand the request: check image-field and path." },
  { FAL_FAULT_CLOSED, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "The server closed the connection by itself." },
  { FAL_FAULT_SERVER, FAL_SERVER_FAULT_TOO_BIG, FAL_SERVER_FAULT_TOO_BIG, FAL_FAULT_CLASS_SERVER,
      G_IO_ERROR_FAILED, "Raise max-message-size, or let the app answer with smaller pictures." },
  { FAL_FAULT_SERVER, FAL_SERVER_FAULT_ENDLESS, FAL_SERVER_FAULT_ENDLESS, FAL_FAULT_CLASS_PERMANENT,
      G_IO_ERROR_FAILED,
      "Each request was answered with an error: check the inputs that the app wants." },
  { FAL_FAULT_SERVER, 0, G_MAXUINT, FAL_FAULT_CLASS_SERVER, G_IO_ERROR_FAILED,
      "Check the inputs that the app wants." },
  { FAL_FAULT_SILENT, 1, 1, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE, WEBRTC_HINT },
  { FAL_FAULT_SILENT, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "A slow model may need a larger request-timeout." },
  { FAL_FAULT_LOADING, 1, 1, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE, WEBRTC_HINT },
  { FAL_FAULT_LOADING, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "A slow model may need a larger request-timeout." },
  { FAL_FAULT_DEAD, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "Check the network." },
  { FAL_FAULT_ASKED, 0, G_MAXUINT, FAL_FAULT_CLASS_QUIET, G_IO_ERROR_CANCELLED,
      "Nothing is wrong." },
  { FAL_FAULT_WEBRTC, 0, G_MAXUINT, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "This app speaks WebRTC and takes no frames: use another app or path." },
};

static guint
find_fault (const FalFault *fault)
{
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++)
    if (faults[i].kind == fault->kind && faults[i].from <= fault->code &&
        fault->code <= faults[i].to)
      return i;
  g_return_val_if_reached (0);
}

FalFaultClass
fal_fault_get_class (const FalFault *fault)
{
  return faults[find_fault (fault)].class;
}

gboolean
fal_fault_may_pass (const FalFault *fault)
{
  switch (fault->kind) {
  case FAL_FAULT_HTTP:
  case FAL_FAULT_TOKEN:
    return fault->code != 401;
  case FAL_FAULT_PROXY:
    return fault->code != 407;
  case FAL_FAULT_TLS:
    return fault->code != FAL_TLS_FAULT_MISSING;
  case FAL_FAULT_UNKNOWN_HOST:
    return TRUE;
  default:
    return FALSE;
  }
}

const gchar *
fal_fault_describe (FalFaultKind kind)
{
  switch (kind) {
  case FAL_FAULT_SILENT:
    return "requests got no answer";
  case FAL_FAULT_LOADING:
    return "no result came yet, but the server is there: the model may still be loading";
  case FAL_FAULT_DEAD:
    return "the server is gone: it does not even answer a ping";
  case FAL_FAULT_ASKED:
    return "closed";
  default:
    return "the connection is of no use";
  }
}

const gchar *
fal_fault_get_hint (const FalFault *fault)
{
  return faults[find_fault (fault)].hint;
}

GIOErrorEnum
fal_fault_get_error_code (const FalFault *fault)
{
  return faults[find_fault (fault)].error;
}
