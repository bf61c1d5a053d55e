/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A result becomes a buffer: decoded, stamped, described. Belongs to the source
 * pad's task. */
#pragma once

#include "codec.h"
#include "frame.h"
#include "timeline.h"

G_BEGIN_DECLS

typedef struct _FalRenderer FalRenderer;

FalRenderer *fal_renderer_new (void);
void fal_renderer_free (FalRenderer *renderer);

/* A flush or a new start: output time may begin anew. */
void fal_renderer_reset (FalRenderer *renderer);

typedef struct {
  GstCaps *allowed; /* what downstream takes */
  guint64 max_pixels;
  FalTimestampMode mode; /* resolved: not AUTO */
  gboolean every_frame;  /* each frame is answered: the input's rate is the output's */
  GstClockTime (*get_running_time) (gpointer user); /* asked when the picture is decoded */
  gpointer user;
} FalRendererConfig;

/* The result as a sample of buffer, caps, segment and, as info, what fal_result_describe() says
 * (of an answer). Errors: those of fal_decoder_decode(); G_IO_ERROR_TIMED_OUT where it comes too
 * late, since output time never goes back. */
GstSample *fal_renderer_render (FalRenderer *renderer, const FalResult *result,
    const FalRendererConfig *config, GError **error);

/* A frame that passes, as it is where downstream takes that; a picture is decoded where it does
 * not. The same errors; G_IO_ERROR_NOT_FOUND for raw video in a format that downstream does not
 * take. */
GstSample *fal_renderer_pass (
    FalRenderer *renderer, FalResult *result, const FalRendererConfig *config, GError **error);

/* Works out which time @fill is to fill, for fal_renderer_render(). FALSE: none, a picture
 * would be too early; or a gap is enough, and then, where it is long enough to be told of, a GAP
 * event comes as @gap, else NULL. @now: running time. */
gboolean fal_renderer_place_fill (FalRenderer *renderer, FalResult *fill, FalTimestampMode mode,
    GstClockTime now, GstEvent **gap);

/* A SEGMENT or GAP event of upstream's goes out. FALSE: the time of the gap is over already. */
gboolean fal_renderer_admit_event (FalRenderer *renderer, GstEvent *event);

/* An answer came @age after its frame. TRUE, once: they keep coming later than @latency. */
gboolean fal_renderer_note_age (FalRenderer *renderer, GstClockTime age, GstClockTime latency);

G_END_DECLS
