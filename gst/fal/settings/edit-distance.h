/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much one word differs from another, for whoever guesses what was meant. Pure; used on any
 * thread. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Of each word, in bytes; longer ones are not compared. */
#define FAL_EDIT_DISTANCE_MAX_LENGTH 127

/* How many edits make @b of @a: a letter is put in, left out, replaced, or changes places with the
 * next one. No place is edited twice. Upper and lower case of ASCII are alike. G_MAXUINT: a word is
 * too long. */
guint fal_edit_distance (const gchar *a, const gchar *b);

G_END_DECLS
