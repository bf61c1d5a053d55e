/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When each result of a block is shown: an app that takes frames in blocks answers a whole block at
 * once, and what moves is to move evenly. A result follows the one before it as its request
 * followed that one's, a little sooner where more than a block waits, which makes up for a late
 * block.
 *
 * Pure: no thread, lock, clock or log. Guarded by the mutex of the session's shared state. Times
 * are microseconds of a monotonic clock, given as arguments. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint block;    /* results that come at once; 0: each comes by itself, and goes at once */
  gint64 longest; /* between two of them */
  gint64 sent;    /* of the newest: when its request was sent; G_MININT64: none came */
  gint64 time;    /* when it is shown */
} FalSpread;

/* @interval: the least time between two requests. What came stays known. */
void fal_spread_configure (FalSpread *spread, guint block, gint64 interval);

/* Nothing came yet. */
void fal_spread_reset (FalSpread *spread);

/* A result came, and so many wait with it. Its request was sent at @sent. When it is shown, which
 * is never before @now. */
gint64 fal_spread_place (FalSpread *spread, gint64 sent, guint waiting, gint64 now);

G_END_DECLS
