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
  p->f = invariants_make_fixture (description, live);
  invariants_begin (p->invariants, p->f, 0, 0);
  fixture_set_size (p->f, FRAME_SIZE, FRAME_SIZE);
  return p;
}

void
peer_fixture_free (PeerFixture *p)
{
  invariants_stop (p->invariants);
  invariants_free_fixture (p->f);
  peer_free (p->peer);
  invariants_free (p->invariants);
  g_free (p);
}

/* What is never to be seen: the figures tell where it hangs. */
static void
report_hang (PeerFixture *p)
{
  g_autoptr (GstStructure) stats = NULL;
  g_autofree gchar *text = NULL;
  gint state;

  g_object_get (p->f->element, "stats", &stats, "connection-state", &state, NULL);
  text = gst_structure_to_string (stats);
  g_test_message ("connection-state %d, %u connection(s) at the peer, %u good result(s), %s", state,
      peer_get_connections (p->peer), invariants_get_good (p->invariants), text);
}

void
peer_fixture_wait_until (gboolean (*test) (PeerFixture *p, guint n), PeerFixture *p, guint n)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  while (!test (p, n)) {
    if (g_get_monotonic_time () >= watchdog) {
      report_hang (p);
      g_assert_not_reached ();
    }
    g_usleep (500);
  }
}

gboolean
peer_fixture_has_results (PeerFixture *p, guint n)
{
  return invariants_get_good (p->invariants) >= n;
}

gboolean
peer_fixture_is_over (PeerFixture *p, guint n)
{
  return invariants_is_over (p->invariants);
}

gboolean
peer_fixture_has_in_flight (PeerFixture *p, guint n)
{
  return fixture_stat (p->f, "in-flight") >= n;
}

void
peer_fixture_expect_no_message (PeerFixture *p)
{
  g_assert_null (gst_bus_pop_filtered (p->f->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
}
