/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the local server saw, and how it is told to behave: all that is shared between its thread
 * and those of the tests, behind one mutex. Every function may be called from any thread. */
#pragma once

#include <gst/gst.h>
#include "effects.h"
#include "received.h"

G_BEGIN_DECLS

typedef struct _FalLedger FalLedger;

typedef enum {
  FAL_COUNT_CONNECTIONS,
  FAL_COUNT_OPEN,
  FAL_COUNT_REQUESTS,
  FAL_COUNT_DROPPED,
  FAL_COUNT_TOKEN_REQUESTS,
  FAL_COUNT_INFERENCES, /* begun */
  FAL_COUNT_MODEL_TIME, /* of them, µs */
  FAL_N_COUNTS
} FalCount;

/* @max_requests: how many are kept for fal_ledger_pop(); each keeps its message alive. */
FalLedger *fal_ledger_new (guint max_requests);
void fal_ledger_free (FalLedger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalLedger, fal_ledger_free)

void fal_ledger_add (FalLedger *ledger, FalCount count, gint amount);
guint fal_ledger_get (FalLedger *ledger, FalCount count);

/* Counts a request and keeps a copy; the oldest goes where there are too many. */
void fal_ledger_push (
    FalLedger *ledger, const GstStructure *request, GBytes *message, guint connection);
FalReceived *fal_ledger_pop (FalLedger *ledger, guint timeout_ms);

void fal_ledger_set_target (FalLedger *ledger, const gchar *target);
gchar *fal_ledger_dup_target (FalLedger *ledger);

void fal_ledger_set_delay (FalLedger *ledger, guint delay_ms);
guint fal_ledger_get_delay (FalLedger *ledger);
void fal_ledger_set_effect (FalLedger *ledger, const FalEffect *effect);
const FalEffect *fal_ledger_get_effect (FalLedger *ledger);
void fal_ledger_set_answer (FalLedger *ledger, GBytes *message, gboolean text);
/* A reference, or NULL. */
GBytes *fal_ledger_get_answer (FalLedger *ledger, gboolean *text);
void fal_ledger_set_mute (FalLedger *ledger, gboolean mute);
gboolean fal_ledger_get_mute (FalLedger *ledger);
void fal_ledger_set_refusal (FalLedger *ledger, guint status);
guint fal_ledger_get_refusal (FalLedger *ledger);

G_END_DECLS
