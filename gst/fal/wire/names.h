/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which keys of a message may become names of fields.
 *
 * Up to GStreamer 1.24 the name of a structure's field is a quark, which a process never frees. So
 * each peer has a budget of new names, which no connection renews: once it is spent, fields of
 * other new names are left out of what it sends, and counted. What the process knows already costs
 * nothing: the words of the protocol, and all that the user has set. No peer takes from another's
 * budget, nor from the user, who needs none. Pure; one thread at a time uses a budget. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define FAL_NAMES_MAX_BYTES 256 /* of one name */
#define FAL_NAMES_BUDGET 1024   /* new names, for whoever reads results */

typedef struct _FalNames FalNames;

/* @budget: how many new names; 0: only what is known is of use. */
FalNames *fal_names_new (guint budget);
void fal_names_free (FalNames *names);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalNames, fal_names_free)

/* Makes every name known in @path, or list of paths, that the user has set: "output.images[*]". */
void fal_names_know (const gchar *path);

/* The quark of @name, where it may become a field's name; else 0. Not taken: one that is too long
 * or not seen, and a new one where the budget is spent. @names NULL: what the user wrote, all that
 * is not too long. */
GQuark fal_names_admit (FalNames *names, const gchar *name);

/* A field was left out of a message, whatever the reason. @names may be NULL. */
void fal_names_note_dropped (FalNames *names);
/* How many were, since this was called last; @names as above. */
guint64 fal_names_take_dropped (FalNames *names);

G_END_DECLS
