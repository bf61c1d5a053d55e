/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came out of an element, in its order, as one line: "caps segment mark frame0! frame1 eos".
 * A frame is named by its time, 30 to a second; "!" says that it bears DISCONT. A custom event is
 * named by its structure, any other by its type. */
#pragma once

#include "fixture.h"

G_BEGIN_DECLS

typedef struct _Sequence Sequence;

/* Of all that reaches @pad from now on. */
Sequence *sequence_new (GstPad *pad);
void sequence_free (Sequence *sequence);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Sequence, sequence_free)

gchar *sequence_dup (Sequence *sequence);
/* Waits until @word came @times. */
void sequence_wait_for (Sequence *sequence, const gchar *word, guint times);
guint sequence_count (Sequence *sequence, const gchar *word);
/* Waits until as many words came as @wanted has, and compares. */
void sequence_expect (Sequence *sequence, const gchar *wanted);
/* The last event of the type; or a failure of the test. */
GstEvent *sequence_get_event (Sequence *sequence, GstEventType type);

G_END_DECLS
