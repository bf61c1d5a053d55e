/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What went wrong: a table of faults, of what class they are and what can be done. Pure. */
#include "fault.h"

/* First row that fits; a kind without codes of its own has one row. */
static const struct {
  FalFaultKind kind;
  guint from, to;
  FalFaultClass class;
  GIOErrorEnum error;
  const gchar *hint;
} faults[] = {
  { FAL_FAULT_NETWORK, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_HOST_UNREACHABLE,
      "check base-uri and the network" },
  { FAL_FAULT_TIMED_OUT, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_TIMED_OUT,
      "check base-uri and the network; a cold model may need a larger connect-timeout" },
  { FAL_FAULT_UNKNOWN_HOST, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_HOST_NOT_FOUND,
      "check the host in base-uri" },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_UNKNOWN_CA, FAL_TLS_FAULT_UNKNOWN_CA, FAL_FAULT_CLASS_PERMANENT,
      G_IO_ERROR_FAILED,
      "check the host in base-uri; for a server of your own give its authority as tls-database" },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_WRONG_HOST, FAL_TLS_FAULT_WRONG_HOST, FAL_FAULT_CLASS_PERMANENT,
      G_IO_ERROR_FAILED, "check the host in base-uri" },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_YET_VALID, FAL_TLS_FAULT_EXPIRED, FAL_FAULT_CLASS_PERMANENT,
      G_IO_ERROR_FAILED,
      "check the clock of this machine, it may be wrong; else the server needs a new certificate" },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_NOT_TLS, FAL_TLS_FAULT_NOT_TLS, FAL_FAULT_CLASS_TRANSIENT,
      G_IO_ERROR_HOST_UNREACHABLE,
      "check base-uri and the network; a server without TLS is reached with ws://" },
  { FAL_FAULT_TLS, FAL_TLS_FAULT_MISSING, FAL_TLS_FAULT_MISSING, FAL_FAULT_CLASS_PERMANENT,
      G_IO_ERROR_FAILED, "install the package glib-networking" },
  { FAL_FAULT_TLS, 0, G_MAXUINT, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "check base-uri (does the server speak TLS there?), this machine's clock and CA "
      "certificates" },
  { FAL_FAULT_PROXY, 407, 407, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_PERMISSION_DENIED,
      "set the right user and password in proxy" },
  { FAL_FAULT_PROXY, 400, 499, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "check proxy: does it allow this host and port?" },
  { FAL_FAULT_PROXY, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_HOST_UNREACHABLE,
      "check proxy" },
  { FAL_FAULT_HTTP, 401, 401, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "set token to a fresh one, or api-key to a valid key" },
  { FAL_FAULT_HTTP, 403, 403, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "set token to one that allows this app, or api-key to a key that does" },
  { FAL_FAULT_HTTP, 404, 404, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_NOT_FOUND,
      "check app and path: has this app a realtime endpoint?" },
  { FAL_FAULT_HTTP, 408, 408, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED,
      "nothing: it is tried again" },
  { FAL_FAULT_HTTP, 429, 429, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BUSY,
      "too many connections: close others, or wait" },
  { FAL_FAULT_HTTP, 500, 599, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED,
      "nothing: it is tried again" },
  { FAL_FAULT_HTTP, 300, 399, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "redirects are not followed: set base-uri to the right address" },
  { FAL_FAULT_HTTP, 0, G_MAXUINT, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "no WebSocket here: check base-uri, app and path" },
  { FAL_FAULT_TOKEN, 300, 399, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "redirects are not followed: set token-uri to the right address" },
  { FAL_FAULT_TOKEN, 400, 407, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "check api-key (FAL_KEY) and token-uri, or the server at token-proxy-uri" },
  { FAL_FAULT_TOKEN, 422, 422, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "check app and token-request" },
  { FAL_FAULT_TOKEN, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_FAILED,
      "check token-uri" },
  { FAL_FAULT_PROVIDER, 1, 1, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_TIMED_OUT,
      "request-token is to answer sooner, or connect-timeout to be larger" },
  { FAL_FAULT_PROVIDER, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_PERMISSION_DENIED,
      "request-token is to return a token (JWT) for the app" },
  { FAL_FAULT_STALE, 0, 0, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "set token to a fresh one, or api-key to a valid key" },
  { FAL_FAULT_STALE, 1, 1, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "check the clock of this machine, and give a fresh token" },
  { FAL_FAULT_UNAUTHORIZED, 0, G_MAXUINT, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "set token to a fresh one, or api-key to a valid key" },
  { FAL_FAULT_CLOSED, 1000, 1000, FAL_FAULT_CLASS_QUIET, G_IO_ERROR_BROKEN_PIPE, "nothing" },
  { FAL_FAULT_CLOSED, 1005, 1005, FAL_FAULT_CLASS_QUIET, G_IO_ERROR_BROKEN_PIPE, "nothing" },
  { FAL_FAULT_CLOSED, 1006, 1006, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "check the network" },
  { FAL_FAULT_CLOSED, 1008, 1008, FAL_FAULT_CLASS_CREDENTIALS, G_IO_ERROR_PERMISSION_DENIED,
      "the token is not for this app, or has ended: set a fresh one" },
  { FAL_FAULT_CLOSED, 1009, 1009, FAL_FAULT_CLASS_SERVER, G_IO_ERROR_BROKEN_PIPE,
      "the request is too big: lower width, height or quality" },
  { FAL_FAULT_CLOSED, 1002, 1007, FAL_FAULT_CLASS_SERVER, G_IO_ERROR_BROKEN_PIPE,
      "the app did not understand: check image-field and path" },
  { FAL_FAULT_CLOSED, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "nothing: it is tried again" },
  { FAL_FAULT_SERVER, 0, G_MAXUINT, FAL_FAULT_CLASS_SERVER, G_IO_ERROR_FAILED,
      "check the inputs that the app wants" },
  { FAL_FAULT_SILENT, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "a slow model may need a larger request-timeout" },
  { FAL_FAULT_LOADING, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "nothing: it is tried again; a slow model may need a larger request-timeout" },
  { FAL_FAULT_DEAD, 0, G_MAXUINT, FAL_FAULT_CLASS_TRANSIENT, G_IO_ERROR_BROKEN_PIPE,
      "check the network" },
  { FAL_FAULT_ASKED, 0, G_MAXUINT, FAL_FAULT_CLASS_QUIET, G_IO_ERROR_CANCELLED, "nothing" },
  { FAL_FAULT_WEBRTC, 0, G_MAXUINT, FAL_FAULT_CLASS_PERMANENT, G_IO_ERROR_FAILED,
      "this app speaks WebRTC, not frames: use another app or path" },
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
fal_fault_is_refusal (const FalFault *fault)
{
  return faults[find_fault (fault)].class == FAL_FAULT_CLASS_CREDENTIALS;
}

const gchar *
fal_fault_describe (FalFaultKind kind)
{
  switch (kind) {
  case FAL_FAULT_SILENT:
    return "requests went unanswered";
  case FAL_FAULT_LOADING:
    return "no result came yet, but the server answers: the model may still be loading";
  case FAL_FAULT_DEAD:
    return "the server is gone: nothing comes from it, not even an answer to a ping";
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
