/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps the messages that a SoupServer is serving alive. libsoup 3.6.5 frees a connection in the
 * middle of its TLS handshake, whose end then finds it gone; a message holds its connection, and is
 * there before the handshake begins. Server's thread. */
#pragma once

#include <libsoup/soup.h>

G_BEGIN_DECLS

/* From now on @soup holds a reference to each of its messages until it is answered or aborted.
 * Those of which it never says so, such as after a handshake that failed, are held for as long as
 * @soup lives. */
void fal_message_holder_attach (SoupServer *soup);

/* For a message whose connection became a WebSocket: libsoup does not tell of its end. */
void fal_message_holder_release (SoupServer *soup, SoupServerMessage *message);

G_END_DECLS
