/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The size of a frame, raw or encoded. No state; used on any thread. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Of raw video as its caps say it (of the field, where each field is a frame); of an encoded
 * picture as its header says it. 0 × 0: not known, because the picture is broken, or of a kind that
 * this build leaves out. */
void fal_frame_size_read (GstSample *frame, gint *width, gint *height);

G_END_DECLS
