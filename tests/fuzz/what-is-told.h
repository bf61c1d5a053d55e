/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* All that the element tells anybody: its log at level 9, messages, a dot file. No secret may stand
 * there, and nothing that a peer wrote as it came. Breaking that ends the program. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Which the element is given; they are looked for as a whole. */
#define TOLD_TOKEN "eyJwbGFudGVk.dG9rZW4t.cGxhbnRlZA"
#define TOLD_KEY "planted-key-id:planted-key-secret"

/* From now on each line of the log is looked at, on the thread that writes it. After gst_init(). */
void told_watch_log (void);

/* How many messages of what kind there were. */
typedef struct {
  guint errors;
  guint outages; /* WARNINGs that say whether it is tried again */
  guint remarks; /* other WARNINGs */
  guint others;
} ToldCounts;

/* Takes and counts all messages that wait on @bus; where there is none it waits for one, for no
 * longer than @patience. */
void told_take_messages (GstBus *bus, GstClockTime patience, ToldCounts *counts);

void told_check_dot (GstBin *bin);

G_END_DECLS
