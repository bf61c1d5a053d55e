/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures that a test sends. Pure; any thread. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A JPEG, evenly grey: @level is 0 (black) to 255 (white). */
GBytes *fal_sample_picture_new (guint width, guint height, guint8 level);
/* "data:image/jpeg;base64,…" */
gchar *fal_sample_picture_dup_data_uri (GBytes *picture);

G_END_DECLS
