/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The id that a request carries: the one place that knows its form.
 *
 * "frame-12", and on a shared connection "frame-12@3", where 3 is the member that sent it. Pure and
 * thread safe. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The id as it stands in a request. */
gchar *fal_request_id_format (guint64 id);
/* Whether @text is such an id, and which. */
gboolean fal_request_id_parse (const gchar *text, guint64 *id);

G_END_DECLS
