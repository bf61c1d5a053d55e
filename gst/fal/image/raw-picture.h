/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encoded pictures that upstream brings, as raw video that the encoder takes: where a part of one
 * is to be sent, or another size of it shown. No state; used on any thread. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* @picture, whose pixels have the shape @par_n / @par_d, as raw video: a JPEG as its planes, which
 * takes half the time that RGB does, anything else as RGB. Flaws are shown as every decoder shows
 * them. Errors: G_IO_ERROR_INVALID_DATA (broken, or larger than FAL_CAMERA_PICTURE_MAX_PIXELS),
 * G_IO_ERROR_NOT_SUPPORTED (this build leaves the kind of picture out), G_IO_ERROR_NO_SPACE. */
GstSample *fal_raw_picture_make (GBytes *picture, gint par_n, gint par_d, GError **error);

G_END_DECLS
