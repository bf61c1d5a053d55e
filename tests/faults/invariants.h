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
#define FRAME_SIZE 32

typedef struct _Invariants Invariants;

/* What the process has now is what it must come back to. */
Invariants *invariants_new (void);
/* From now on until invariants_stop(): the books, at most @waiting frames that wait and @in_flight
 * requests (0: no bound), the output's order, and where a result is of FRAME_SIZE, that it has the
 * colour of the frame whose time it bears. */
void invariants_begin (Invariants *invariants, Fixture *fixture, guint waiting, guint in_flight);
/* The time of the frames themselves goes back @times times, and so may that of the output. */
void invariants_expect_steps_back (Invariants *invariants, guint times);
/* The peer may answer with any picture: it is not held against the frame. */
void invariants_expect_any_picture (Invariants *invariants);
/* Takes the element to NULL, in time. */
void invariants_stop (Invariants *invariants);
/* Everything was let go: so must the process have. */
void invariants_free (Invariants *invariants);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Invariants, invariants_free)

/* Frame @n of 30 a second; its colour tells @n, below 4096. */
GstBuffer *invariants_make_frame (guint n);

/* What came out so far: results of the right colour, the number of the last of them, EOS. */
guint invariants_get_good (Invariants *invariants);
guint invariants_get_newest (Invariants *invariants);
gboolean invariants_is_over (Invariants *invariants);
/* "WxH" of the last result of another size than FRAME_SIZE. */
gchar *invariants_dup_size (Invariants *invariants);

/* Ends unused threads of GLib's pools at once and has its lasting ones started. */
void invariants_init (int *argc, char ***argv);

G_END_DECLS
