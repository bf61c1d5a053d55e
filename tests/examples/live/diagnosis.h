/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Remembers the last looks at the element's statistics, and when bytes arrived, and judges by them
 * what limits now. Time is an argument. */
#pragma once

#include "limit.h"

G_BEGIN_DECLS

typedef struct _LiveDiagnosis LiveDiagnosis;

LiveDiagnosis *live_diagnosis_new (void);
void live_diagnosis_free (LiveDiagnosis *diagnosis);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LiveDiagnosis, live_diagnosis_free)

/* Bytes have arrived from the app, at @time (monotonic µs). Any thread. */
void live_diagnosis_note_received (LiveDiagnosis *diagnosis, gint64 time);

/* Looks at @situation, whose before, time and receiving it fills in, at @now (monotonic µs): judges
 * by the last two seconds, or by as many more as it takes for a few answers, up to ten. One thread.
 */
LiveLimit live_diagnosis_look (
    LiveDiagnosis *diagnosis, LiveSituation *situation, gint64 now, gchar **sentence);

G_END_DECLS
