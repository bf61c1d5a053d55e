/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A result becomes a buffer: decoded, stamped, described. Belongs to the source
 * pad's task. */
#pragma once

#include "fal/frame.h"
#include "fal/policy/timeline.h"

G_BEGIN_DECLS

typedef struct _FalResultBuffer FalResultBuffer;

FalResultBuffer *fal_result_buffer_new (void);
void fal_result_buffer_free (FalResultBuffer *renderer);

/* A flush or a new start: output time may begin anew. */
void fal_result_buffer_reset (FalResultBuffer *renderer);

typedef struct {
  GstCaps *allowed; /* what downstream takes */
  guint64 max_pixels;
  FalTimestampMode mode; /* resolved: not AUTO */
  gboolean every_frame;  /* each frame is answered: the input's rate is the output's */
  GstClockTime (*get_running_time) (gpointer user); /* asked when the picture is decoded */
  gpointer user;
} FalResultBufferConfig;

/* The result as a sample of buffer, caps, segment and, as info, what fal_result_describe() says
 * (of an answer). Errors: those of fal_decoder_decode(); G_IO_ERROR_TIMED_OUT where it comes too
 * late, since output time never goes back. */
GstSample *fal_result_buffer_make (FalResultBuffer *renderer, const FalResult *result,
    const FalResultBufferConfig *config, GError **error);

/* A frame that passes, as it is where downstream takes that; a picture is decoded where it does
 * not. The same errors; G_IO_ERROR_NOT_FOUND for raw video in a format that downstream does not
 * take. */
GstSample *fal_result_buffer_pass (FalResultBuffer *renderer, FalResult *result,
    const FalResultBufferConfig *config, GError **error);

/* Works out which time @fill is to fill, for fal_result_buffer_make(). FALSE: none, a picture
 * would be too early; or a gap is enough, and then, where it is long enough to be told of, a GAP
 * event comes as @gap, else NULL. @now: running time. */
gboolean fal_result_buffer_place_fallback (FalResultBuffer *renderer, FalResult *fill,
    FalTimestampMode mode, GstClockTime now, GstEvent **gap);

/* A SEGMENT or GAP event of upstream's goes out. FALSE: the time of the gap is over already. */
gboolean fal_result_buffer_admit_event (FalResultBuffer *renderer, GstEvent *event);

/* An answer came @age after its frame. TRUE, once: they keep coming later than @latency. */
gboolean fal_result_buffer_note_age (
    FalResultBuffer *renderer, GstClockTime age, GstClockTime latency);

G_END_DECLS
