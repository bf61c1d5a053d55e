/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One direction of a relayed connection: bytes are received from one socket, held back for the
 * delay, and sent to the other, whole and in order. Belongs to the thread whose main context was
 * the default one when it was made. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* The conditions of a network; may change at any time, see fal_relay_direction_update(). */
typedef struct {
  gint64 delay;     /* µs */
  gint64 jitter;    /* µs, either way, evenly; bytes that would overtake others wait for them */
  guint64 rate;     /* bits a second; 0: no limit */
  gboolean stalled; /* nothing is sent */
} FalRelayConditions;

typedef enum {
  FAL_RELAY_DIRECTION_RECEIVED, /* bytes, from the one socket */
  FAL_RELAY_DIRECTION_SENT,     /* bytes, to the other */
  FAL_RELAY_DIRECTION_ENDED,    /* all was sent, and then the end */
  FAL_RELAY_DIRECTION_FAILED,   /* a socket failed */
} FalRelayDirectionEvent;

typedef struct _FalRelayDirection FalRelayDirection;
/* After ENDED and FAILED, which come once, the direction may be freed. @time: µs, when bytes came,
 * and just before they went. */
typedef void (*FalRelayDirectionFunc) (gpointer user, FalRelayDirection *direction,
    FalRelayDirectionEvent event, const guint8 *data, gsize size, gint64 time);

/* Begins at once. The sockets do not block; @conditions and @random must live longer. */
FalRelayDirection *fal_relay_direction_new (GSocket *from, GSocket *to,
    const FalRelayConditions *conditions, GRand *random, FalRelayDirectionFunc on_event,
    gpointer user);
void fal_relay_direction_free (FalRelayDirection *direction);

/* The conditions have changed. What is under way keeps the time it was given, but for a stall. */
void fal_relay_direction_update (FalRelayDirection *direction);

G_END_DECLS
