/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures as text: data URIs (RFC 2397) and plain base64. Pure; used on any thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "data:image/jpeg;base64,…" or, with @media_type NULL, the base64 alone. Encodes straight into the
 * text that is returned, because a picture may be megabytes. Free with g_free(). */
gchar *fal_data_uri_encode (const gchar *media_type, GBytes *image);

/* The bytes of a data URI of an image, or of plain base64, either of which must be whole. Error:
 * G_IO_ERROR_INVALID_DATA. */
GBytes *fal_data_uri_decode (const gchar *text, GError **error);

G_END_DECLS
