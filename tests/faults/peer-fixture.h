/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An element, the peer that it talks to and the invariants of both, for tests that are no rows of a
 * table. */
#pragma once

#include "scripted-peer.h"
#include "invariants.h"

G_BEGIN_DECLS

typedef struct {
  Invariants *invariants;
  Peer *peer;
  Fixture *f;
} PeerFixture;

/* @config NULL: a peer that behaves. The element's @properties come after those that suit it;
 * frames of FRAME_SIZE may be pushed. */
PeerFixture *peer_fixture_new (const PeerConfig *config, const gchar *properties, gboolean live);
void peer_fixture_free (PeerFixture *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PeerFixture, peer_fixture_free)

/* A pipeline description of one more element for @peer. */
gchar *peer_fixture_describe (Peer *peer, const gchar *properties);

/* Waits until @n results of the right colour came out, in all; until EOS did. */
void peer_fixture_wait_for_results (PeerFixture *p, guint n);
void peer_fixture_wait_for_end (PeerFixture *p);

G_END_DECLS
