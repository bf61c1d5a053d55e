/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes text of a peer safe to be shown on a terminal, in a log or in a message: it cannot move the
 * cursor, begin a line of its own, turn the direction of what follows, or hide. Pure; used on any
 * thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Whether all of @text, which ends with a NUL, would stay as it is below. */
gboolean fal_text_is_visible (const gchar *text);

/* A copy of @text in which what is not seen is written out: "\n", "\r" and "\t"; other control
 * characters and bytes that are not UTF-8 as "\x1b"; line and paragraph separators, marks of
 * direction, of zero width, of byte order and whatever else only formats as "\u202e". Backslashes
 * of @text stay single. NULL gives NULL. */
gchar *fal_text_make_visible (const gchar *text);

/* A copy of @text, which is UTF-8, of at most @max characters: a longer one is cut off there, and
 * ends with "…". */
gchar *fal_text_cut (const gchar *text, gsize max);

G_END_DECLS
