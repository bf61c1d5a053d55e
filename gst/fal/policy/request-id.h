/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The id that a request carries: the one place that knows its form.
 *
 * "frame-12", and on a shared connection "frame-12@3", where 3 is the member that sent it. Pure and
 * thread safe. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The id as it stands in a request of @member; 0: nothing is said of it. */
gchar *fal_request_id_format (guint64 id, guint member);

/* Whether @text is such an id without its member, and which. */
gboolean fal_request_id_parse (const gchar *text, guint64 *id);

/* Cuts the member off the end of @text and returns it. 0: an id of ours without one; −1: @text,
 * which may be NULL, is no id of ours. */
gint64 fal_request_id_take_member (gchar *text);

G_END_DECLS
