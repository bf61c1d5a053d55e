/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An element with its peer and the watch over them, on the test's own thread. */
#include "rig.h"

gchar *
rig_describe (Peer *peer, const gchar *properties)
{
  return g_strdup_printf (
      "falrealtimefilter base-uri=ws://127.0.0.1:%u app=test/app/image image-field=image_bytes "
      "image-encoding=bytes throttle-interval=0 timestamp-mode=input retry-delay=1 token=t %s",
      peer_get_port (peer), properties ? properties : "");
}

Rig *
rig_new (const PeerConfig *config, const gchar *properties, gboolean live)
{
  static const PeerConfig well_behaved = { PEER_DOOR_OPEN };
  g_autofree gchar *description = NULL;
  Rig *rig = g_new0 (Rig, 1);

  rig->watch = watch_new ();
  rig->peer = peer_new (config ? config : &well_behaved);
  description = rig_describe (rig->peer, properties);
  rig->f = watch_make_fixture (description, live);
  watch_begin (rig->watch, rig->f, 0, 0);
  fixture_set_size (rig->f, WATCH_SIZE, WATCH_SIZE);
  return rig;
}

void
rig_free (Rig *rig)
{
  watch_stop (rig->watch);
  watch_free_fixture (rig->f);
  peer_free (rig->peer);
  watch_free (rig->watch);
  g_free (rig);
}

/* What is never to be seen: the figures tell where it hangs. */
static void
report_hang (Rig *rig)
{
  g_autoptr (GstStructure) stats = NULL;
  g_autofree gchar *text = NULL;
  gint state;

  g_object_get (rig->f->element, "stats", &stats, "connection-state", &state, NULL);
  text = gst_structure_to_string (stats);
  g_test_message ("connection-state %d, %u connection(s) at the peer, %u good result(s), %s", state,
      peer_get_connections (rig->peer), watch_get_good (rig->watch), text);
}

void
rig_wait_until (gboolean (*test) (Rig *rig, guint n), Rig *rig, guint n)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  while (!test (rig, n)) {
    if (g_get_monotonic_time () >= watchdog) {
      report_hang (rig);
      g_assert_not_reached ();
    }
    g_usleep (500);
  }
}

gboolean
rig_has_results (Rig *rig, guint n)
{
  return watch_get_good (rig->watch) >= n;
}

gboolean
rig_is_over (Rig *rig, guint n)
{
  return watch_is_over (rig->watch);
}

gboolean
rig_has_in_flight (Rig *rig, guint n)
{
  return fixture_stat (rig->f, "in-flight") >= n;
}

void
rig_expect_no_message (Rig *rig)
{
  g_assert_null (gst_bus_pop_filtered (rig->f->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR));
}
