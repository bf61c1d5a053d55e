/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The holder: a set of messages that belongs to the SoupServer. Server's thread. */
#include "message-holder.h"

#define KEY "fal-message-holder"

static void
on_started (SoupServer *soup, SoupServerMessage *message, gpointer messages)
{
  g_hash_table_add (messages, g_object_ref (message));
}

/* libsoup has a reference of its own until it is done with the message. */
static void
on_ended (SoupServer *soup, SoupServerMessage *message, gpointer messages)
{
  g_hash_table_remove (messages, message);
}

void
fal_message_holder_attach (SoupServer *soup)
{
  GHashTable *messages = g_hash_table_new_full (NULL, NULL, g_object_unref, NULL);

  g_object_set_data_full (G_OBJECT (soup), KEY, messages, (GDestroyNotify) g_hash_table_unref);
  g_signal_connect (soup, "request-started", G_CALLBACK (on_started), messages);
  g_signal_connect (soup, "request-finished", G_CALLBACK (on_ended), messages);
  g_signal_connect (soup, "request-aborted", G_CALLBACK (on_ended), messages);
}

void
fal_message_holder_release (SoupServer *soup, SoupServerMessage *message)
{
  g_hash_table_remove (g_object_get_data (G_OBJECT (soup), KEY), message);
}
