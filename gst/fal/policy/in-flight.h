/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of a request in flight. Plain data of the pacer's. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  gpointer frame; /* NULL: flushed away, the reply is still awaited */
  guint64 serial; /* of the frame */
  guint64 id;     /* unique in the pacer's life */
  gint64 sent_time;
  gboolean kept;   /* goes again where its connection is lost: decided when it is first taken */
  gboolean unsent; /* its connection went: goes again before any other */
} FalInFlight;

/* In a queue of them: that with the id, the first that is unsent; or NULL. */
GList *fal_in_flight_find (const GQueue *requests, guint64 id);
FalInFlight *fal_in_flight_find_unsent (const GQueue *requests);

G_END_DECLS
