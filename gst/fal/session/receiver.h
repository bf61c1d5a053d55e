/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the server's messages mean for the frames in flight: results, their pictures and fields,
 * errors, what is said about the connection. A message is read by one member of a connection for
 * all; whose request it answers is found out here. Lives on the net thread. */
#pragma once

#include "reporter.h"
#include "shared-state.h"
#include "uplink.h"

G_BEGIN_DECLS

typedef struct _FalReceiver FalReceiver;

/* All must live longer. */
FalReceiver *fal_receiver_new (
    FalSharedState *state, FalUplink *uplink, FalReporter *reporter, const FalSessionOwner *owner);
void fal_receiver_free (FalReceiver *receiver);

/* What holds for the messages to come; called before the first one. */
void fal_receiver_configure (FalReceiver *receiver, FalSettings *settings);

/* A message that came for all members over connection number @lane. */
void fal_receiver_read_message (FalReceiver *receiver, guint lane, GBytes *message, gboolean text);
/* A reply (taken) that concerns this member. @error: why nobody can read it; else NULL. */
void fal_receiver_take_reply (
    FalReceiver *receiver, guint lane, FalReply *reply, const GError *error);

/* Ends all downloads. */
void fal_receiver_leave (FalReceiver *receiver);

G_END_DECLS
