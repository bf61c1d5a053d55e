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

/* The result as a sample of buffer, caps, segment and, as info, what fal_result_describe() says.
 * Errors: those of fal_decoder_decode(); G_IO_ERROR_TIMED_OUT where it comes too late, since output
 * time never goes back. */
GstSample *fal_renderer_render (FalRenderer *renderer, const FalResult *result,
    const FalRendererConfig *config, GError **error);

/* A frame that passes, as it is where downstream takes that; a picture is decoded where it does
 * not. The same errors; G_IO_ERROR_NOT_FOUND for raw video in a format that downstream does not
 * take. */
GstSample *fal_renderer_pass (
    FalRenderer *renderer, FalResult *result, const FalRendererConfig *config, GError **error);

G_END_DECLS
