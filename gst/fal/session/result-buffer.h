/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes buffers of results: the picture is decoded, gets its time, and is described. Only the
 * source pad's task uses it, so it needs no lock. */
#pragma once

#include "fal/frame.h"
#include "fal/policy/timeline.h"

G_BEGIN_DECLS

typedef struct _FalResultBuffer FalResultBuffer;

FalResultBuffer *fal_result_buffer_new (void);
void fal_result_buffer_free (FalResultBuffer *maker);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalResultBuffer, fal_result_buffer_free)

/* After a flush: output time may begin anew. */
void fal_result_buffer_reset (FalResultBuffer *maker);
/* The same at a new start, where nothing was shown yet. */
void fal_result_buffer_forget (FalResultBuffer *maker);

typedef struct {
  GstCaps *allowed; /* what downstream takes */
  guint64 max_pixels;
  FalTimestampMode mode; /* resolved: not AUTO */
  gboolean every_frame;  /* each frame is answered: the output's frame rate is the input's */
  GstClockTime latency;  /* what comes now is shown as a frame of this much earlier: upstream takes
                            so long to bring one, and sinks may have it wait */
  FalFraction rate;      /* of what goes out, where that is constant; else 0/1 */
  FalOverlayConfig composite; /* its mode is not NONE: what has a sample is laid on that */
  gboolean held;         /* a result bears its frame's time unless it is late */
  GstClockTime (*get_running_time) (gpointer user); /* called before and after it is decoded */
  gpointer user;
} FalResultBufferConfig;

/* @result as a sample of buffer, caps and segment. An answer's fields move to the buffer's meta.
 * Errors: those of fal_decoder_decode() and fal_compositor_make(); G_IO_ERROR_TIMED_OUT where the
 * result comes too late, since output time goes back only where that of the frames did. */
GstSample *fal_result_buffer_make (
    FalResultBuffer *maker, FalResult *result, const FalResultBufferConfig *config, GError **error);

/* The same for a frame that passes. It stays as it is where downstream takes that; else, or where
 * composites go out, it is decoded if it is an encoded picture. Errors: the same, and
 * G_IO_ERROR_NOT_FOUND for raw video in a format that downstream does not take. */
GstSample *fal_result_buffer_pass (
    FalResultBuffer *maker, FalResult *result, const FalResultBufferConfig *config, GError **error);

/* Works out which time a fallback fills, and notes it in @result for fal_result_buffer_make().
 * FALSE: no buffer is to be made. Then either it is too early for one, or a gap is enough; *@gap is
 * a GAP event (transfer full) where the gap is long enough to be told of, else NULL. @arrived: as
 * fal_timeline_get_arrival() has it. */
gboolean fal_result_buffer_place_fallback (FalResultBuffer *maker, FalResult *result,
    FalTimestampMode mode, GstClockTime arrived, GstEvent **gap);

/* The last result stands for the frame of @result, too, and goes on to its end: the GAP (transfer
 * full) that says so; NULL: none is needed. */
GstEvent *fal_result_buffer_pass_over (FalResultBuffer *maker, const FalResult *result);

/* Notes that an event goes out. FALSE: it must not, since it is a GAP whose time is over. */
gboolean fal_result_buffer_admit_event (FalResultBuffer *maker, GstEvent *event);

/* Notes that an answer came @age after its frame. TRUE, once: answers keep coming later than
 * @latency. */
gboolean fal_result_buffer_note_age (
    FalResultBuffer *maker, GstClockTime age, GstClockTime latency);

G_END_DECLS
