/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When something is shown in place of the results that do not come: the fallback while the output
 * has fallen silent, the frames themselves until a model that was just switched on answers.
 *
 * Pure: no thread, lock, clock or log. Guarded by the mutex of the session's shared state. Times
 * are microseconds of a monotonic clock, given as arguments, unless they are a GstClockTime. Frames
 * are known by their serials, which rise from 1. */
#pragma once

#include "fal/options.h"

#include <gst/gst.h>

G_BEGIN_DECLS

/* Silence that downstream is told of by a GAP, whatever the fallback. */
#define FAL_FALLBACK_GAP (500 * G_TIME_SPAN_MILLISECOND)

/* After so long without a frame nobody has waited for a result meanwhile. */
#define FAL_FALLBACK_PAUSE (5 * G_TIME_SPAN_SECOND)

typedef struct {
  FalFallbackMode mode;
  gint64 timeout;        /* without a result, after which the fallback is shown */
  gint64 latency;        /* within which results are promised; −1: not synchronised */
  gboolean drops_frames; /* else time waits for each result, and nothing is shown in its place */
  gboolean at_once;      /* it is shown before the first result, too, whatever the timeout */
} FalFallbackConfig;

typedef struct {
  FalFallbackConfig config;
  gint64 awaited; /* the last result, or the frame that first waits for one; G_MAXINT64: none */
  gint64 frame;   /* when the last frame came; G_MAXINT64: none did */
  gint64 idle;    /* since when frames came that wait for no result, since the last one that does;
                     G_MAXINT64: none did */
  gint64 filled;  /* when the output was last filled; G_MININT64: not since the last result */
  gint64 stood;   /* when the last result was last seen to stand for a frame that is not sent;
                     G_MININT64: not since it went out */
  guint64 newest_serial; /* of the newest frame that waits for a result */
  guint64 filled_serial; /* of the newest frame whose time was filled, or need not be */
  gboolean answered;     /* a result went out since the start */
  gboolean passing;      /* the last frame went by, since the model is switched off */
  gboolean bridging;     /* the model was just switched on: frames go by until its first result */
} FalFallback;

/* A new start; the configuration stays. */
void fal_fallback_reset (FalFallback *fallback);
/* The stream was flushed: nothing is awaited. */
void fal_fallback_clear (FalFallback *fallback);
void fal_fallback_configure (FalFallback *fallback, const FalFallbackConfig *config);

/* The model was switched on or off. */
void fal_fallback_set_enabled (FalFallback *fallback, gboolean enabled);

/* A frame came that goes by, or one that waits for its result: from the first one on a result is
 * awaited. */
void fal_fallback_note_passing (FalFallback *fallback);
void fal_fallback_note_frame (FalFallback *fallback, guint64 serial, gint64 now);
/* A frame came that waits for no result: the time until the next that does is no silence. The last
 * result stands for one that is @held, once there was one; @serial: of the frame. */
void fal_fallback_note_idle (FalFallback *fallback, gint64 now);
void fal_fallback_note_held (FalFallback *fallback, guint64 serial, gint64 now);
/* A result goes out, and ends the silence. */
void fal_fallback_note_result (FalFallback *fallback, gint64 now);
/* A frame is not sent, since the last result stands for it: nobody waits for another one. */
void fal_fallback_note_standing (FalFallback *fallback, gint64 now);
/* The output was filled up to the newest frame. */
void fal_fallback_note_filled (FalFallback *fallback, gint64 now);
/* The newest frame is not there any more: nothing is shown in its place. */
void fal_fallback_forget_frame (FalFallback *fallback);

/* Whether frames go by until the first result. */
gboolean fal_fallback_is_bridging (const FalFallback *fallback);
/* What is shown now in place of results; NONE: they are waited for, or nothing is to be shown. */
FalFallbackMode fal_fallback_get_shown (const FalFallback *fallback, gint64 now);
/* Whether so long no result came that something is shown in its place, if only nothing. */
gboolean fal_fallback_is_silent (const FalFallback *fallback, gint64 now);
/* Whether the newest frame's time is to be filled: with what is shown, or with a gap. */
gboolean fal_fallback_is_due (const FalFallback *fallback, gint64 now);

/* How long after its frame a result is still waited for where none came for a while; NONE: all are
 * waited for. What is shown in its place must come in time; a gap may take time to be told.
 * @round_trip: the last one. */
GstClockTime fal_fallback_get_patience (
    const FalFallback *fallback, GstClockTime round_trip, gint64 now);

G_END_DECLS
