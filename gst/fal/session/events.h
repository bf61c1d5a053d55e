/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session tells its owner. */
#pragma once

#include "fal/frame.h"
#include "fal/net/token-promise.h"
#include "fal/policy/budget.h"
#include "fal/policy/dialer.h"
#include "fal/settings/settings.h"

G_BEGIN_DECLS

typedef struct {
  guint64 in, out, dropped, in_flight;
} FalSessionCounts;

/* A frame that brought no result: its picture is gone. In @counts the dropped ones are it
 * and those before it. */
typedef struct {
  FalFrame *frame;
  FalSessionCounts counts;
} FalDrop;

/* Called without a lock, on the net, send or source thread. */
typedef struct {
  /* @address: of the app; NULL: none is connected to any more. */
  void (*state_changed) (gpointer user, FalDialerState state, const gchar *address);
  /* The state is the same for so many seconds: for whoever waits for the next one. In
   * FAL_DIALER_IDLE it is the first frame that does not come (net thread). */
  void (*still) (gpointer user, FalDialerState state, guint seconds);
  /* Nothing went wrong, but something may. */
  void (*advice) (gpointer user, const GError *advice);
  /* Something went wrong; @fatal: nothing more will come. @details is the owner's
   * to take; may be NULL. */
  void (*trouble) (gpointer user, gboolean fatal, const GError *error, GstStructure *details);
  /* What the stream has cost, when another tenth of its budget has gone. */
  void (*cost) (gpointer user, const FalCost *cost);
  /* One line of the story of the stream. */
  void (*note) (gpointer user, const gchar *text);
  /* Just before @frame is encoded for sending (send thread): the moment for
   * controlled properties. @pause: upstream is to hear that none goes for so long after it, µs;
   * 0: it is not. */
  void (*sending) (gpointer user, const FalFrame *frame, gint64 pause);
  /* Just before @frame is compared with the one that was sent last (send thread): controlled
   * properties that change are a reason to send it. */
  void (*looking) (gpointer user, const FalFrame *frame);
  /* @frame, whose picture is gone, will bring no result (any thread); told at most ten times a
   * second. In @counts the dropped ones are all that there were up to then. */
  void (*dropped) (gpointer user, const FalFrame *frame, const FalSessionCounts *counts);
  /* Another way to write a request (send thread) and to read a message (net thread); NULL: none,
   * the built-in one is taken. Where nobody wants to encode, @encode need not be called. */
  gboolean (*has_encoder) (gpointer user);
  GBytes *(*encode) (gpointer user, GstStructure *request, GBytes *image);
  GstStructure *(*decode) (gpointer user, GBytes *message, gboolean text);
  /* As in FalConnectionEvents (net thread). */
  gboolean (*has_provider) (gpointer user);
  void (*request_token) (gpointer user, FalTokenPromise *provision);
  gboolean (*accept_certificate) (gpointer user, GTlsConnection *tls, GTlsCertificate *certificate,
      GTlsCertificateFlags errors);
  /* fal_session_note_tick() is to be called at running time @running; NONE: not any more (source
   * task). */
  void (*call_at) (gpointer user, GstClockTime running);
  /* What the element adds to the pipeline's latency is something else now (source task). */
  void (*latency_changed) (gpointer user);
  /* The pipeline's running time now, which stands still while it is paused; NONE without a clock
   * (upstream's and net thread, source task). */
  GstClockTime (*get_running_time) (gpointer user);
} FalSessionEvents;

/* Whoever owns a session, as its rooms see it: valid as long as the session is. */
typedef struct {
  FalSessionEvents events;
  gpointer user;
} FalSessionOwner;

G_END_DECLS
