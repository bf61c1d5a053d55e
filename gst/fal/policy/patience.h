/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When somebody who waits is told that it goes on, so that no wait looks like a hang.
 *
 * Pure and thread safe. Times are microseconds. */
#pragma once

#include "dialer.h"

G_BEGIN_DECLS

/* The connection has been in @state for @waited: how long it will have been when the user is told
 * next. G_MAXINT64: nobody waits for anything then. FAL_DIALER_IDLE stands for the wait for the
 * first frame. */
gint64 fal_patience_get_next (FalDialerState state, gint64 waited);

G_END_DECLS
