/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What limits the pictures now, and why, in a sentence for people. Pure: no thread, clock or lock.
 *
 * How each is recognised. Pictures that come back rarer than the camera's have a time that passes
 * from one to the next, and something takes that time: the throttle, where requests go as often as
 * it lets them; the model, by what the app says it took; decoding and encoding, by their own times;
 * the way down, where bytes arrive all the time; downstream, where results come that it does not
 * take. The way up can only be told by what is left: an answer takes long, and none of the others
 * does. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef enum {
  LIVE_LIMIT_NOTHING,
  LIVE_LIMIT_OFF,
  LIVE_LIMIT_OFFLINE,
  LIVE_LIMIT_THROTTLE,
  LIVE_LIMIT_ENCODING,
  LIVE_LIMIT_UPLINK,
  LIVE_LIMIT_MODEL,
  LIVE_LIMIT_DOWNLINK,
  LIVE_LIMIT_DECODING,
  LIVE_LIMIT_SINK,
} LiveLimit;

/* "nothing", "throttle" and so on. */
const gchar *live_limit_get_name (LiveLimit limit);

typedef struct {
  const GstStructure *before, *now; /* two looks at the element's statistics */
  gint64 time;                      /* between the two, µs */
  gint64 receiving;                 /* of it, µs: bytes arrived without a pause */
  guint throttle;                   /* throttle-interval, ms */
  gboolean enabled;
  gboolean network;        /* FALSE: cut by the user */
  const gchar *connection; /* as connection-state has it */
} LiveSituation;

/* @sentence: free with g_free(). */
LiveLimit live_limit_find (const LiveSituation *situation, gchar **sentence);

G_END_DECLS
