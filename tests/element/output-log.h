/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came out of an element, in its order, as one line: "caps segment mark frame0! frame1 eos".
 * A frame is named by its time, 30 to a second; "!" says that it bears DISCONT. A custom event is
 * named by its structure, any other by its type. */
#pragma once

#include "fixture.h"

G_BEGIN_DECLS

typedef struct _OutputLog OutputLog;

/* Of all that reaches @pad from now on. */
OutputLog *output_log_new (GstPad *pad);
void output_log_free (OutputLog *log);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (OutputLog, output_log_free)

gchar *output_log_dup (OutputLog *log);
/* Waits until @word came @times. */
void output_log_wait_for (OutputLog *log, const gchar *word, guint times);
guint output_log_count (OutputLog *log, const gchar *word);
/* Waits until as many words came as @wanted has, and compares. */
void output_log_expect (OutputLog *log, const gchar *wanted);
/* The last event of the type; or a failure of the test. */
GstEvent *output_log_get_event (OutputLog *log, GstEventType type);

G_END_DECLS
