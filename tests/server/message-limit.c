/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message-limit.h"

void
fal_message_limit_set (SoupWebsocketConnection *socket, guint64 bytes)
{
  soup_websocket_connection_set_max_incoming_payload_size (socket, bytes);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (socket), "max-total-message-size"))
    g_object_set (socket, "max-total-message-size", bytes, NULL);
}
