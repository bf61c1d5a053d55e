/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session tells its owner. */
#pragma once

#include "fal/frame.h"
#include "fal/net/token-promise.h"
#include "fal/policy/dialer.h"
#include "fal/settings/settings.h"

G_BEGIN_DECLS

typedef struct {
  guint64 in, out, dropped, in_flight;
} FalSessionCounts;

/* A frame that brought no result: its picture is gone. In @counts the dropped ones are those told
 * of so far. */
typedef struct {
  FalFrame *frame;
  FalSessionCounts counts;
} FalDrop;

/* Called without a lock, on the net, send or source thread. */
typedef struct {
  void (*state_changed) (gpointer user, FalDialerState state);
  /* Something went wrong; @fatal: nothing more will come. @details is the owner's
   * to take; may be NULL. */
  void (*trouble) (gpointer user, gboolean fatal, const GError *error, GstStructure *details);
  /* One line of the story of the stream. */
  void (*note) (gpointer user, const gchar *text);
  /* Just before @frame is encoded for sending (send thread): the moment for
   * controlled properties. Where frames drop, none goes for @pause after it, µs. */
  void (*sending) (gpointer user, const FalFrame *frame, gint64 pause);
  /* @frame, whose picture is gone, will bring no result (any thread). In @counts the dropped ones
   * are those told of so far. */
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
  /* The pipeline's running time now, NONE without a clock (source task). */
  GstClockTime (*get_running_time) (gpointer user);
} FalSessionEvents;

/* Whoever owns a session, as its rooms see it: valid as long as the session is. */
typedef struct {
  FalSessionEvents events;
  gpointer user;
} FalSessionOwner;

G_END_DECLS
