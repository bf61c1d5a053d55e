/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A background for results that have none, as those of a model that cuts a person out. No state;
 * used on any thread. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* @frame on an evening sky: a sample of its own without alpha. NULL: the frame is not RGB of 8 bits
 * with alpha, which is how the element puts out a picture that has any. */
GstSample *live_background_lay (GstSample *frame);

G_END_DECLS
