/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The received request: a holder of its two forms. Any thread. */
#include "received.h"

FalReceived *
fal_received_new (const GstStructure *request, GBytes *message, guint connection)
{
  FalReceived *received = g_new (FalReceived, 1);

  *received = (FalReceived){ gst_structure_copy (request), g_bytes_ref (message), connection };
  return received;
}

void
fal_received_free (FalReceived *received)
{
  g_clear_pointer (&received->request, gst_structure_free); /* may have been taken out */
  g_bytes_unref (received->message);
  g_free (received);
}
