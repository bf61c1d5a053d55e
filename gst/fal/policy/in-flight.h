/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is known of a request in flight, and of the tries before it. Plain data of the pacer's. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Ids of a frame that are remembered: the model may still answer an earlier one. */
#define FAL_TRIES_MAX_IDS 4

/* How often a frame went already, and what came of it. */
typedef struct {
  guint64 ids[FAL_TRIES_MAX_IDS]; /* newest first; 0: none */
  gint64 sent[FAL_TRIES_MAX_IDS]; /* when it went with that id */
  guint unanswered;               /* tries that got no answer in time */
  guint deaths;                   /* connections in a row that died while it was out */
  guint64 last_death;             /* number of the last of them among those of the stream */
} FalTries;

typedef struct {
  gpointer frame; /* NULL: flushed away, the reply is still awaited */
  guint64 serial; /* of the frame */
  guint64 time;   /* of the frame, as fal_pacer_set_earliest() has it */
  guint64 id;     /* unique in the pacer's life */
  gint64 sent_time;
  gint64 overtaken; /* a later one was answered: this one is awaited until then; G_MAXINT64: no */
  gboolean kept;    /* no frame may be lost: it goes again. Decided when it is first taken */
  FalTries tries;   /* with this one */
} FalInFlight;

/* In a queue of them: that which went with the id; or NULL. */
GList *fal_in_flight_find (const GQueue *requests, guint64 id);

/* It goes with @id at @now. */
void fal_tries_note (FalTries *tries, guint64 id, gint64 now);
/* Whether it ever went, and when it went with @id; G_MININT64: it did not, or that is forgotten. */
gboolean fal_tries_were_made (const FalTries *tries);
gint64 fal_tries_find (const FalTries *tries, guint64 id);

G_END_DECLS
