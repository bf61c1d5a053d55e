/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's properties as fields of the settings: a table with a row for each. */
#pragma once

#include "settings.h"

G_BEGIN_DECLS

/* Which parts of a session use a property: a change is told only to them. A property may concern
 * several. */
typedef enum {
  FAL_CONCERN_REQUEST = 1 << 0, /* the send thread: what stands in a request, how it is encoded */
  FAL_CONCERN_PACING = 1 << 1,  /* the pacer: which frame is sent, and when */
  FAL_CONCERN_OUTPUT = 1 << 2,  /* the source pad's task: results, their times, the fallback */
  FAL_CONCERN_CONNECTION = 1 << 3, /* the net thread: connecting, reading replies, downloads */
  FAL_CONCERN_WATCHDOG = 1 << 4,   /* what ends a request or a connection after a time */
  FAL_CONCERN_ENABLED = 1 << 5,    /* whether frames go to the app at all */
  FAL_CONCERN_BUDGET = 1 << 6,     /* what the stream costs, and may cost */
  FAL_CONCERN_REGION = 1 << 7,     /* upstream's thread: which part of a frame is sent */
} FalConcerns;

/* Installs the properties, with ids from 1 to the number returned. To be called once, before any
 * other function here, while the element's class is made. */
guint fal_properties_install (GObjectClass *klass);

/* Sets property @id, and notes that it was set; or gets it. */
void fal_properties_set (FalSettings *settings, guint id, const GValue *value);
void fal_properties_get (const FalSettings *settings, guint id, GValue *value);

/* Gives it its default, as if it had never been set. */
void fal_properties_unset (FalSettings *settings, guint id);
/* @settings: zeroed. */
void fal_properties_set_defaults (FalSettings *settings);
/* Makes @to, whatever it holds (it frees nothing), a copy of all of @from that shares no memory
 * with it. Cheap: only strings, structures and objects that are there cost anything. */
void fal_properties_copy (const FalSettings *from, FalSettings *to);
/* Frees what the fields hold. */
void fal_properties_clear (FalSettings *settings);

/* The name of the first property that elements must have alike to share a connection, and that
 * differs between the two; NULL: none does. */
const gchar *fal_properties_find_difference (const FalSettings *a, const FalSettings *b);

/* Whom the property @id concerns; never 0. */
FalConcerns fal_properties_get_concerns (guint id);

/* Whom the differences between two snapshots concern; 0: the two mean the same. Strings and
 * structures are compared by what they hold, objects by identity; where a property that was not set
 * is absent or follows the app, having set it counts as a difference too. */
FalConcerns fal_properties_compare (const FalSettings *a, const FalSettings *b);

/* Whether the property @id, which may be of something else than the settings, is an input of the
 * model. */
gboolean fal_properties_is_input (guint id);

/* Whether the field at @offset was set by the user. Only for a property whose row says that this
 * counts: what fal_properties_compare() tells rests on that. */
gboolean fal_properties_is_set (const FalSettings *settings, gsize offset);

G_END_DECLS
