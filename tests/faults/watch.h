/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must hold whatever goes wrong: memory, file descriptors and threads of the process; the
 * books and bounds of an element; the order of what comes out of it.
 *
 * Made before, freed after everything else of a test. Breaking a rule ends the test. */
#pragma once

#include "../element/fixture.h"
#include "fal/policy/window.h"

G_BEGIN_DECLS

/* Of the frames that are made here. */
#define WATCH_SIZE 32

typedef struct _Watch Watch;

/* What the process has now is what it must come back to. */
Watch *watch_new (void);
/* From now on until watch_stop(): the books, at most @waiting frames that wait and @in_flight
 * requests (0: no bound), the output's order, and where a result is of WATCH_SIZE, that it has the
 * colour of the frame whose time it bears. */
void watch_begin (Watch *watch, Fixture *fixture, guint waiting, guint in_flight);
/* Takes the element to NULL, in time. */
void watch_stop (Watch *watch);
/* Everything was let go: so must the process have. */
void watch_free (Watch *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Watch, watch_free)

/* Frame @n of 30 a second; its colour tells @n, below 4096. */
GstBuffer *watch_make_frame (guint n);

/* What came out so far: results of the right colour, the number of the last of them, EOS. */
guint watch_get_good (Watch *watch);
guint watch_get_newest (Watch *watch);
gboolean watch_is_over (Watch *watch);
/* "WxH" of the last result of another size than WATCH_SIZE. */
gchar *watch_dup_size (Watch *watch);

/* An element (like fixture_new_live()) with no server of its own; frees what fixture_free() does,
 * after watch_stop(). */
Fixture *watch_make_fixture (const gchar *description, gboolean live);
void watch_free_fixture (Fixture *fixture);

/* Ends unused threads of GLib's pools at once and has its lasting ones started. */
void watch_init (int *argc, char ***argv);

G_END_DECLS
