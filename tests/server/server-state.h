/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the local server has seen, and how it is to behave: all that its thread and those of the
 * tests share, behind one mutex. Every function may be called from any thread. */
#pragma once

#include <gst/gst.h>
#include "model.h"
#include "received-request.h"

G_BEGIN_DECLS

typedef struct _FalServerState FalServerState;

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

/* @max_requests: how many are kept for fal_server_state_pop(); each keeps its message alive. */
FalServerState *fal_server_state_new (guint max_requests);
void fal_server_state_free (FalServerState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalServerState, fal_server_state_free)

void fal_server_state_add (FalServerState *state, FalCount count, gint amount);
guint fal_server_state_get (FalServerState *state, FalCount count);
/* For how long connections were open, each by itself and all together, µs. */
gint64 fal_server_state_get_billed_time (FalServerState *state);

/* Counts a request and keeps a copy; the oldest goes where there are too many. */
void fal_server_state_push (
    FalServerState *state, const GstStructure *request, GBytes *message, guint connection);
FalReceivedRequest *fal_server_state_pop (FalServerState *state, guint timeout_ms);

void fal_server_state_set_target (FalServerState *state, const gchar *target);
gchar *fal_server_state_dup_target (FalServerState *state);

void fal_server_state_set_delay (FalServerState *state, guint delay_ms);
guint fal_server_state_get_delay (FalServerState *state);
void fal_server_state_set_session_timeout (FalServerState *state, guint timeout_ms);
guint fal_server_state_get_session_timeout (FalServerState *state);
void fal_server_state_set_effect (FalServerState *state, const FalEffect *effect);
const FalEffect *fal_server_state_get_effect (FalServerState *state);
void fal_server_state_set_answer (FalServerState *state, GBytes *message, gboolean text);
/* A reference, or NULL. */
GBytes *fal_server_state_get_answer (FalServerState *state, gboolean *text);
void fal_server_state_set_mute (FalServerState *state, gboolean mute);
gboolean fal_server_state_get_mute (FalServerState *state);
void fal_server_state_set_refusal (FalServerState *state, guint status);
guint fal_server_state_get_refusal (FalServerState *state);

G_END_DECLS
