/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An element here and a server in the other network, which echoes; a new wire between the two. */
#pragma once

#include "../faults/camera.h"
#include "two-networks.h"

G_BEGIN_DECLS

/* How soon after the network's return there is a result, at the latest. Where packets were lost and
 * TCP tries again by itself it pauses for as long as it has tried, so there that comes on top. */
#define SOON G_USEC_PER_SEC

typedef struct {
  Camera camera;
  FalServer *server;
} FarServer;

/* @host: how the element calls the server; NULL: by its address. The element's @properties come
 * after those that suit it; frames of FRAME_SIZE may be pushed. */
FarServer *far_server_new (const gchar *host, const gchar *properties, gboolean live);
void far_server_free (FarServer *far);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FarServer, far_server_free)

/* The peer was taken away without a word: that is found out in time, and told. */
void far_server_expect_gone (FarServer *far);
/* The network can be used again: within @limit µs there is a result of a frame that is younger than
 * that, and then more; nothing more is told. */
void far_server_expect_results (FarServer *far, gint64 limit);
/* All that was sent is answered, over one connection and without a word. */
void far_server_check_all_was_answered (FarServer *far);

G_END_DECLS
