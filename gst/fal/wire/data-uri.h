/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures as text: data URIs and plain base64. Pure and thread safe. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "data:image/jpeg;base64,…", or with @media_type NULL the base64 alone; made in one allocation. */
gchar *fal_data_uri_encode (const gchar *media_type, GBytes *image);

/* The picture in a data URI of an image or in plain base64. Error: G_IO_ERROR_INVALID_DATA. */
GBytes *fal_data_uri_decode (const gchar *text, GError **error);

G_END_DECLS
