/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One request as the local server got it. Belongs to whoever holds it; any thread. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct {
  GstStructure *request; /* decoded */
  GBytes *message;       /* the frame's payload, byte for byte */
  guint connection;      /* that it came on; the server's first is 1 */
} FalReceivedRequest;

/* Copies @request, keeps a reference of @message. */
FalReceivedRequest *fal_received_request_new (
    const GstStructure *request, GBytes *message, guint connection);
void fal_received_request_free (FalReceivedRequest *received);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FalReceivedRequest, fal_received_request_free)

G_END_DECLS
