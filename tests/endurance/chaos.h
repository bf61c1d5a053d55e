/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes wrong with one stream of the soak: at one frame in a hundred its server, its network,
 * its settings or its state is another for a while. The test's own thread. */
#pragma once

#include "soak-stream.h"
#include "troubled-servers.h"

G_BEGIN_DECLS

typedef struct _Chaos Chaos;

/* Number @server of @servers is that of @stream; both must live longer. The same @seed makes the
 * same troubles. */
Chaos *chaos_new (SoakStream *stream, TroubledServers *servers, guint server, guint32 seed);
/* All is well again. */
void chaos_free (Chaos *chaos);

/* @frames came since the last time: begins and ends troubles. */
void chaos_go_on (Chaos *chaos, guint64 frames);
guint chaos_get_troubles (Chaos *chaos); /* so far */

/* Prints what may go wrong, a name a line, as -l of a GLib test prints its cases. */
void chaos_list (void);

G_END_DECLS
