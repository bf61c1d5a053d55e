/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The send thread: waits until a frame is to be sent, encodes it and hands it to the net thread.
 * Nothing is encoded that is not sent. Between requests it looks at the connection's socket, since
 * a server that floods keeps the net thread from doing so. */
#pragma once

#include "reporter.h"
#include "shared-state.h"

G_BEGIN_DECLS

typedef struct _FalSender FalSender;

/* All must live longer. */
FalSender *fal_sender_new (
    FalSharedState *state, FalReporter *reporter, const FalSessionOwner *owner);
void fal_sender_free (FalSender *sender);

/* @settings, which were found good, hold until the thread looks at those of the state. @member: as
 * fal_request_id_format() has it. Error G_THREAD_ERROR: the process may have no more threads. */
gboolean fal_sender_start (FalSender *sender, FalSettings *settings, guint member, GError **error);
/* Waits for the thread, which ends once the state has stopped. */
void fal_sender_stop (FalSender *sender);

G_END_DECLS
