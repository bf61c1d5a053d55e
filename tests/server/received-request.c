/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The received request: its decoded form and its bytes. Any thread. */
#include "received-request.h"

FalReceivedRequest *
fal_received_request_new (const GstStructure *request, GBytes *message, guint connection)
{
  FalReceivedRequest *received = g_new (FalReceivedRequest, 1);

  *received =
      (FalReceivedRequest){ gst_structure_copy (request), g_bytes_ref (message), connection };
  return received;
}

void
fal_received_request_free (FalReceivedRequest *received)
{
  g_clear_pointer (&received->request, gst_structure_free); /* may have been taken out */
  g_bytes_unref (received->message);
  g_free (received);
}
