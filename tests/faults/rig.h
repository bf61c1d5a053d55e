/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An element, its peer and the watch over both, for tests that are no rows of a table. */
#pragma once

#include "peer.h"
#include "watch.h"

G_BEGIN_DECLS

typedef struct {
  Watch *watch;
  Peer *peer;
  Fixture *f;
} Rig;

/* @config NULL: a peer that behaves. The element's @properties come after those that suit it;
 * frames of WATCH_SIZE may be pushed. */
Rig *rig_new (const PeerConfig *config, const gchar *properties, gboolean live);
void rig_free (Rig *rig);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rig, rig_free)

/* A pipeline description of one more element for @peer. */
gchar *rig_describe (Peer *peer, const gchar *properties);

/* Waits until @test holds, or fails the test. */
void rig_wait_until (gboolean (*test) (Rig *rig, guint n), Rig *rig, guint n);
gboolean rig_has_results (Rig *rig, guint n);
gboolean rig_has_in_flight (Rig *rig, guint n);
gboolean rig_is_over (Rig *rig, guint n);

void rig_expect_no_message (Rig *rig);

G_END_DECLS
