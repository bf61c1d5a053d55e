/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Downstream that takes nothing, and much of everything at once. */
#include "peer-fixture.h"

/* ---- downstream ---- */

static void
test_downstream_is_blocked_for_a_while (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, "max-in-flight=4 request-timeout=0", TRUE);
  gulong probe;
  guint results, n = 1;

  fixture_push (p->f, invariants_make_frame (0));
  peer_fixture_wait_for_results (p, 1);
  probe = fixture_block_downstream (p->f);
  REPEAT_UNTIL (p->f->element, fixture_stat (p->f, "dropped-replaced") >= 100,
      fixture_push (p->f, invariants_make_frame (n++)));
  g_assert_cmpuint (fixture_stat (p->f, "results"), <=, 16);
  results = invariants_get_good (p->invariants);
  gst_pad_remove_probe (p->f->harness->sinkpad, probe);
  peer_fixture_wait_for_results (p, results + 1);
  fixture_push_end (p->f);
  peer_fixture_wait_for_end (p);
  g_assert_cmpuint (invariants_get_newest (p->invariants), ==, n - 1);
  fixture_expect_no_message (p->f);
}

typedef struct {
  const gchar *name;
  GstFlowReturn flow;
} Refusal;

static const Refusal refusals[] = {
  { "eos", GST_FLOW_EOS },
  { "flushing", GST_FLOW_FLUSHING },
  { "not-linked", GST_FLOW_NOT_LINKED },
  { "not-negotiated", GST_FLOW_NOT_NEGOTIATED },
  { "error", GST_FLOW_ERROR },
  { "a-custom-error", GST_FLOW_CUSTOM_ERROR },
};

/* Upstream is told, nothing more is sent, EOS and NULL work. */
static void
test_downstream_refuses (gconstpointer data)
{
  const Refusal *refusal = data;
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, "drain-timeout=100", TRUE);
  GstFlowReturn flow = GST_FLOW_OK;
  gint refused = refusal->flow;
  guint64 sent;
  guint pushed = 0;

  fixture_refuse_downstream (p->f, &refused);
  REPEAT_UNTIL (p->f->element, flow != GST_FLOW_OK,
      flow = gst_harness_push (p->f->harness, invariants_make_frame (pushed++)));
  g_assert_cmpint (flow, ==, refusal->flow);
  sent = fixture_stat (p->f, "frames-sent");
  for (guint n = 0; n < 20; n++)
    g_assert_cmpint (
        gst_harness_push (p->f->harness, invariants_make_frame (n)), ==, refusal->flow);
  g_assert_cmpuint (fixture_stat (p->f, "frames-sent"), ==, sent);
  gst_harness_push_event (p->f->harness, gst_event_new_eos ()); /* taken or not */
}

/* ---- much at once ---- */

static void
test_240_frames_a_second (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, "throttle-interval=128", TRUE);
  gint64 began = g_get_monotonic_time ();

  for (guint n = 0; n < 240; n++) {
    pace_until (began + n * G_USEC_PER_SEC / 240);
    fixture_push (p->f, invariants_make_frame (n));
  }
  fixture_push_end (p->f);
  peer_fixture_wait_for_end (p);
  g_assert_cmpuint (fixture_stat (p->f, "frames-in"), ==, 240);
  g_assert_cmpuint (fixture_stat (p->f, "frames-sent"), <=,
      2 + (g_get_monotonic_time () - began) / (128 * G_TIME_SPAN_MILLISECOND));
  g_assert_cmpuint (invariants_get_newest (p->invariants), ==, 239);
}

static gpointer
change_properties (gpointer data)
{
  PeerFixture *p = data;

  for (guint i = 0; i < 300; i++) {
    g_autofree gchar *prompt = g_strdup_printf ("prompt %u", i);
    g_autoptr (GstStructure) parameters = gst_structure_new ("p", "n", G_TYPE_INT, i, NULL);
    GstStructure *stats;

    g_object_set (p->f->element, "prompt", prompt, "parameters", parameters, "quality", 50 + i % 50,
        "max-in-flight", i % 5, "max-buffering", i % 4, "leaky", i % 3, "request-timeout", 5000 + i,
        "token", prompt, "seed", (gint64) i, NULL);
    g_object_get (p->f->element, "stats", &stats, NULL);
    gst_structure_free (stats);
  }
  return NULL;
}

static void
test_properties_change_from_several_threads (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, NULL, TRUE);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("change", change_properties, p);
  for (guint n = 0; n < 300; n++)
    fixture_push (p->f, invariants_make_frame (n));
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  g_object_set (p->f->element, "leaky", 0, "max-in-flight", 0, NULL);
  fixture_push (p->f, invariants_make_frame (300));
  fixture_push_end (p->f);
  peer_fixture_wait_for_end (p);
  g_assert_cmpuint (invariants_get_newest (p->invariants), ==, 300);
  fixture_expect_no_message (p->f);
}

static void
test_sixteen_elements_in_one_process (void)
{
  g_autoptr (PeerFixture) p = peer_fixture_new (NULL, NULL, FALSE);
  g_autofree gchar *description = peer_fixture_describe (p->peer, NULL);
  Fixture *others[15];

  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    others[i] = fixture_new_from (description, FALSE);
    fixture_set_size (others[i], FRAME_SIZE, FRAME_SIZE);
  }
  for (guint n = 0; n < 10; n++) {
    fixture_push (p->f, invariants_make_frame (n));
    for (guint i = 0; i < G_N_ELEMENTS (others); i++)
      fixture_push (others[i], invariants_make_frame (n));
  }
  peer_fixture_wait_for_results (p, 10);
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    fixture_wait_for_stat (others[i], "frames-out", 10);
    fixture_free (others[i]);
  }
  g_assert_cmpuint (peer_get_connections (p->peer), ==, 16);
}

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (refusals); i++) {
    g_autofree gchar *path =
        g_strdup_printf ("/downstream-and-load/downstream/%s", refusals[i].name);

    g_test_add_data_func (path, &refusals[i], test_downstream_refuses);
  }
#define ADD(name) g_test_add_func ("/downstream-and-load/" #name, test_##name)
  ADD (downstream_is_blocked_for_a_while);
  ADD (240_frames_a_second);
  ADD (properties_change_from_several_threads);
  ADD (sixteen_elements_in_one_process);
  return g_test_run ();
}
