/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How big a message may be that comes over a WebSocket, for both ends. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* libsoup's own limits are 128 KiB for each: for a frame, and from 3.8 on for a message of a
 * server, which pictures exceed. To be called before the main context reads anything. */
void fal_message_limit_set (SoupWebsocketConnection *socket, guint64 bytes);

G_END_DECLS
