/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one name server that this program asks, in the other network: it knows all names, or none. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _NameServer NameServer;

#define NAME_SERVER_PATIENCE 1 /* seconds that whoever asks waits for an answer */

/* From now on this program's questions for names go to @address, and nowhere else: other files are
 * mounted over those of the system, in a namespace that is the program's own. What is wrong; NULL:
 * it is so. */
gchar *name_server_be_asked (const gchar *address);

/* Answers whoever asks for any name with @result, of IPv4. It has a thread of its own, in the
 * network of the thread that calls this. */
NameServer *name_server_new (const gchar *result);
/* Any thread, as with those below. */
void name_server_free (NameServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (NameServer, name_server_free)

/* Whether there is such a name, from now on; at first there is. */
void name_server_set_known (NameServer *server, gboolean known);
/* Questions that came so far. */
guint name_server_get_questions (NameServer *server);

G_END_DECLS
