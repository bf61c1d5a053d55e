/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can go wrong with a connection, and what a user can do about it.
 *
 * Pure and thread safe. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What a user can do where the system lets the process start no thread. */
#define FAL_THREADS_HINT                                                                           \
  "Let more threads run (ulimit -u, or TasksMax of the service), or fewer elements at once."

typedef enum {
  FAL_FAULT_NETWORK,      /* refused, reset, lost; code is a FalNetworkFault */
  FAL_FAULT_TIMED_OUT,    /* no answer within the connect timeout */
  FAL_FAULT_UNKNOWN_HOST, /* the name does not resolve */
  FAL_FAULT_TLS,          /* code is a FalTlsFault */
  FAL_FAULT_PROXY,        /* the HTTP proxy refused; code is its status, 0: it did otherwise */
  FAL_FAULT_HTTP,  /* the upgrade was refused; code is the status, 101: accepted in a wrong way */
  FAL_FAULT_TOKEN, /* the token request was refused; code is the status, 0: no usable reply */
  FAL_FAULT_PROVIDER, /* request-token; code is a FalProviderFault */
  FAL_FAULT_STALE,    /* the token was not sent; code 0: it was refused before, 1: it has ended */
  FAL_FAULT_UNAUTHORIZED, /* said on an open connection */
  FAL_FAULT_CLOSED,       /* code is the close code */
  FAL_FAULT_SERVER,       /* code is a FalServerFault; the close that follows is part of it */
  FAL_FAULT_SILENT,       /* requests went unanswered; code 1: all that came was "ready" */
  FAL_FAULT_LOADING,      /* the first ones did, but the peer is there: its model may be loading;
                             code 1: all that came was "ready" */
  FAL_FAULT_DEAD,         /* nothing is heard of the peer any more */
  FAL_FAULT_WEBRTC,       /* not an app of frames */
  FAL_FAULT_ASKED,        /* none: the owner wanted the end */
} FalFaultKind;

typedef enum {
  FAL_NETWORK_FAULT_OTHER,
  FAL_NETWORK_FAULT_DESCRIPTORS, /* the process has none left */
  FAL_NETWORK_FAULT_THREADS,     /* it may have no more of them */
} FalNetworkFault;

typedef enum {
  FAL_PROVIDER_FAULT_UNUSABLE, /* it gave no token, or one that cannot be shown */
  FAL_PROVIDER_FAULT_TIMED_OUT,
  FAL_PROVIDER_FAULT_THREADS, /* nobody could be asked for want of a thread */
} FalProviderFault;

typedef enum {
  FAL_TLS_FAULT_OTHER,
  FAL_TLS_FAULT_UNKNOWN_CA, /* self-signed, or signed by nobody known */
  FAL_TLS_FAULT_WRONG_HOST,
  FAL_TLS_FAULT_NOT_YET_VALID,
  FAL_TLS_FAULT_EXPIRED,
  FAL_TLS_FAULT_NOT_TLS, /* the server does not speak it */
  FAL_TLS_FAULT_MISSING, /* GLib has no TLS */
} FalTlsFault;

typedef enum {
  FAL_SERVER_FAULT_REPORTED, /* it said what went wrong with it, and ends the connection */
  FAL_SERVER_FAULT_TOO_BIG,  /* it sent a message that is larger than allowed */
  FAL_SERVER_FAULT_ENDLESS,  /* it answers every request with an error */
} FalServerFault;

typedef struct {
  FalFaultKind kind;
  guint code;
  gint64 retry_after; /* what the server asked for; 0: nothing */
} FalFault;

/* What a fault means for the attempts to come. */
typedef enum {
  FAL_FAULT_CLASS_QUIET,       /* nothing is wrong */
  FAL_FAULT_CLASS_TRANSIENT,   /* it may go away by itself: try again */
  FAL_FAULT_CLASS_CREDENTIALS, /* the credential was refused: another may do */
  FAL_FAULT_CLASS_SERVER,      /* the server reports an error: try again, but not for ever */
  FAL_FAULT_CLASS_PERMANENT,   /* trying again changes nothing */
} FalFaultClass;

FalFaultClass fal_fault_get_class (const FalFault *fault);

/* Whether a network may do this by itself for a while, a portal or a balancer in between, so that
 * it says nothing about settings with which a connection stood before. */
gboolean fal_fault_may_pass (const FalFault *fault);

/* What happened, as far as the kind says it; static. */
const gchar *fal_fault_describe (FalFaultKind kind);
/* What a user can do about it; static. */
const gchar *fal_fault_get_hint (const FalFault *fault);
GIOErrorEnum fal_fault_get_error_code (const FalFault *fault);

G_END_DECLS
