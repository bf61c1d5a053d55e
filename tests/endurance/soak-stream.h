/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One pipeline of the soak: plays, looks after itself as an application does, and checks what must
 * hold at every moment. The test's own thread. */
#pragma once

#include "books.h"

G_BEGIN_DECLS

typedef struct {
  const gchar *name;
  const gchar *model;                      /* of its server, for troubled_servers_new() */
  const gchar *source, *properties, *sink; /* parts of a pipeline description */
} SoakKind;

typedef struct _SoakStream SoakStream;

/* Plays. @kind must live longer. */
SoakStream *soak_stream_new (const SoakKind *kind, const gchar *uri);
/* To NULL within 250 ms, and away. */
void soak_stream_free (SoakStream *stream);

/* Reads what is on the bus: a file that came to its end begins anew, and so does what was given up
 * because no connection ever stood; another latency is told to all, WARNINGs are counted, any other
 * ERROR ends the test. So do books that do not balance, a storm of
 * WARNINGs, and a stream that shows nothing for as long as a test waits. */
Books soak_stream_look (SoakStream *stream);

GstElement *soak_stream_get_filter (SoakStream *stream); /* borrowed */
const gchar *soak_stream_get_name (SoakStream *stream);
guint soak_stream_get_warnings (SoakStream *stream); /* so far */
/* How many buffers came out so far; looked at, each in its order. */
guint soak_stream_get_shown (SoakStream *stream);
void soak_stream_set_state (SoakStream *stream, GstState state);
/* A flushing seek to the beginning. */
void soak_stream_seek (SoakStream *stream);

G_END_DECLS
