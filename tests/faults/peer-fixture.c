/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An element with its peer and the invariants that hold for it, on the test's own thread. */
#include "peer-fixture.h"

gchar *
peer_fixture_describe (Peer *peer, const gchar *properties)
{
  return g_strdup_printf (
      "falrealtimefilter base-uri=ws://127.0.0.1:%u app=test/app/image image-field=image_bytes "
      "image-encoding=bytes throttle-interval=0 timestamp-mode=input retry-delay=1 token=t %s",
      peer_get_port (peer), properties ? properties : "");
}

PeerFixture *
peer_fixture_new (const PeerConfig *config, const gchar *properties, gboolean live)
{
  static const PeerConfig well_behaved = { PEER_DOOR_OPEN };
  g_autofree gchar *description = NULL;
  PeerFixture *p = g_new0 (PeerFixture, 1);

  p->invariants = invariants_new ();
  p->peer = peer_new (config ? config : &well_behaved);
  description = peer_fixture_describe (p->peer, properties);
  p->f = fixture_new_from (description, live);
  invariants_begin (p->invariants, p->f, 0, 0);
  fixture_set_size (p->f, FRAME_SIZE, FRAME_SIZE);
  return p;
}

void
peer_fixture_free (PeerFixture *p)
{
  invariants_stop (p->invariants);
  fixture_free (p->f);
  peer_free (p->peer);
  invariants_free (p->invariants);
  g_free (p);
}

void
peer_fixture_wait_for_results (PeerFixture *p, guint n)
{
  WAIT_UNTIL (p->f->element, invariants_get_good (p->invariants) >= n);
}

void
peer_fixture_wait_for_end (PeerFixture *p)
{
  WAIT_UNTIL (p->f->element, invariants_is_over (p->invariants));
}
