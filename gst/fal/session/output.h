/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session's side towards downstream: what goes out next becomes an event or a buffer. Belongs
 * to the source pad's task. */
#pragma once

#include "repeater.h"
#include "reporter.h"
#include "shared-state.h"

G_BEGIN_DECLS

typedef struct _FalOutputSide FalOutputSide;

/* All must live longer. */
FalOutputSide *fal_output_side_new (
    FalSharedState *state, FalReporter *reporter, const FalSessionOwner *owner);
void fal_output_side_free (FalOutputSide *side);

/* While the task does not run: a new start; and a flush, after which output time may begin anew. */
void fal_output_side_reset (FalOutputSide *side);
void fal_output_side_flush (FalOutputSide *side);

/* As fal_session_pull(), fal_session_render() and fal_session_note_pushed() have it. */
gboolean fal_output_side_pull (FalOutputSide *side, GstEvent **event, FalResult **result);
GstSample *fal_output_side_render (
    FalOutputSide *side, FalResult *result, GstCaps *allowed, GError **error);
gboolean fal_output_side_take_picture (FalOutputSide *side, gboolean ends, FalPicture *picture);
void fal_output_side_end_pictures (FalOutputSide *side);

G_END_DECLS
