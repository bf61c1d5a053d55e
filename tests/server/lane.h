/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One direction of a connection that is relayed: bytes are taken from one socket, wait for as long
 * as the way is, and go out at the other, whole and in order. Belongs to the thread whose main
 * context was the default one when it was made. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* What the way is like; may change at any time, see fal_lane_poke(). */
typedef struct {
  gint64 delay;     /* µs */
  gint64 jitter;    /* µs, either way, evenly; bytes that would overtake others wait for them */
  guint64 rate;     /* bits a second; 0: no limit */
  gboolean stalled; /* nothing goes out */
} FalLaneRules;

typedef enum {
  FAL_LANE_TAKEN,  /* bytes, from the one socket */
  FAL_LANE_PASSED, /* bytes, to the other */
  FAL_LANE_ENDED,  /* the last byte has passed, and so has the word that it was the last */
  FAL_LANE_BROKEN, /* a socket failed */
} FalLaneEvent;

typedef struct _FalLane FalLane;
/* After ENDED and BROKEN, which come once, the lane may be freed. @time: µs, when bytes came, and
 * just before they went. */
typedef void (*FalLaneTold) (
    gpointer user, FalLane *lane, FalLaneEvent event, const guint8 *data, gsize size, gint64 time);

/* Begins at once. The sockets do not block; @rules and @chance must live longer. */
FalLane *fal_lane_new (GSocket *from, GSocket *to, const FalLaneRules *rules, GRand *chance,
    FalLaneTold told, gpointer user);
void fal_lane_free (FalLane *lane);

/* The rules have changed. What is under way keeps the time it was given, but for a stall. */
void fal_lane_poke (FalLane *lane);

G_END_DECLS
