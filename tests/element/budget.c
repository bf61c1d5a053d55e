/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a stream costs, and how its budget ends it. The server counts what a host would bill: a
 * price of 1 a second makes seconds of the cost. Both go on while they are looked at, so each is
 * looked at before and after the other. */
#include "fixture.h"
#include <string.h>

#define LIVE "timestamp-mode=input "
/* That the element may be wrong by, s. */
#define MOST 1

static gdouble
get_cost (Fixture *f)
{
  g_autoptr (GstStructure) stats = NULL;
  gdouble cost;

  g_object_get (f->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_double (stats, "cost", &cost));
  return cost;
}

/* Seconds. */
static gdouble
get_billed (FalServer *server)
{
  return fal_server_get_billed_time (server) / (gdouble) G_TIME_SPAN_SECOND;
}

static void
expect_billed_cost (Fixture *f)
{
  gdouble before = get_billed (f->server), cost = get_cost (f), after = get_billed (f->server);

  g_test_message ("cost %g, billed %g to %g", cost, before, after);
  g_assert_cmpfloat (cost, >=, before - MOST);
  g_assert_cmpfloat (cost, <=, after + MOST);
}

static void
wait_until_billed (FalServer *server, gdouble time)
{
  WAIT_UNTIL (NULL, get_billed (server) >= time);
}

/* Of another element, so long that it would be seen in the cost of one that is not connected. */
static void
outlast_error (void)
{
  g_autoptr (FalServer) server = fixture_start_server (NULL);
  g_autoptr (Fixture) other = fixture_join (server, "");

  fixture_push_and_pull (other, 0);
  wait_until_billed (server, MOST + 0.2);
}

/* The text of the WARNING with which the stream ended, and with which all is over. */
static gchar *
take_end (Fixture *f)
{
  gchar *text;

  fixture_wait_for_end (f);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, "budget");
  fixture_wait_until_closed (f);
  g_assert_cmpint (gst_harness_push (f->harness, fixture_frame (32, 32, 0, 100)), ==, GST_FLOW_EOS);
  fixture_expect_no_message (f);
  return text;
}

static GstBusSyncReply
keep_cost (GstBus *bus, GstMessage *message, gpointer costs)
{
  if (gst_message_has_name (message, "fal-cost"))
    g_async_queue_push (costs, gst_structure_copy (gst_message_get_structure (message)));
  return GST_BUS_PASS;
}

/* The messages "fal-cost" from now on (GstStructure). */
static GAsyncQueue *
keep_costs (Fixture *f)
{
  GAsyncQueue *costs = g_async_queue_new_full ((GDestroyNotify) gst_structure_free);

  gst_bus_set_sync_handler (
      f->bus, keep_cost, g_async_queue_ref (costs), (GDestroyNotify) g_async_queue_unref);
  return costs;
}

static gdouble
get_double (const GstStructure *fields, const gchar *name)
{
  gdouble value;

  g_assert_true (gst_structure_get_double (fields, name, &value));
  return value;
}

static guint64
get_count (const GstStructure *fields, const gchar *name)
{
  guint64 value;

  g_assert_true (gst_structure_get_uint64 (fields, name, &value));
  return value;
}

/* ---- the cost ---- */

/* The time of a model that is being loaded is billed, that between two connections is not. */
static void
test_the_cost_is_what_is_billed_over_connections (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE "price-per-second=1");
  gdouble cost;

  fixture_set_size (f, 32, 32);
  g_assert_cmpfloat (get_cost (f), ==, 0);
  fal_server_set_mute (f->server, TRUE);
  fixture_push_frame (f, 0);
  wait_until_billed (f->server, MOST + 0.2);
  expect_billed_cost (f);
  fal_server_set_mute (f->server, FALSE);
  fal_server_close (f->server, 1000, NULL);
  fixture_wait_for_stat (f, "connections", 2); /* for the frame that had no answer */
  gst_buffer_unref (fixture_pull (f));
  wait_until_billed (f->server, 2 * (MOST + 0.2));
  expect_billed_cost (f);
  g_signal_emit_by_name (f->element, "close");
  fixture_wait_until_closed (f);
  expect_billed_cost (f);
  cost = get_cost (f);
  outlast_error ();
  g_assert_cmpfloat (get_cost (f), ==, cost);
  fixture_push_and_pull (f, 1);
  wait_until_billed (f->server, 3 * (MOST + 0.2));
  expect_billed_cost (f);
  gst_element_set_state (f->element, GST_STATE_READY);
  WAIT_UNTIL (f->element, fal_server_get_open (f->server) == 0);
  expect_billed_cost (f);
}

static void
test_requests_cost_what_the_server_got (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "price-per-request=0.25");

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 8; n++) {
    fixture_push_and_pull (f, n);
    g_assert_cmpfloat (get_cost (f), ==, 0.25 * fal_server_get_requests (f->server));
    if (n == 4)
      g_signal_emit_by_name (f->element, "reconnect");
  }
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 8);
}

/* A frame that could not be encoded was not sent. */
static void
test_what_is_not_sent_costs_nothing (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "price-per-request=0.25 fallback=last");

  gst_harness_set_src_caps (
      f->harness, gst_caps_new_simple ("image/jpeg", "width", G_TYPE_INT, 32, "height", G_TYPE_INT,
                      32, "framerate", GST_TYPE_FRACTION, 30, 1, NULL));
  fixture_push (f, gst_buffer_new_wrapped (g_strdup ("no picture"), strlen ("no picture")));
  fixture_wait_for_stat (f, "dropped-invalid", 1);
  g_assert_cmpfloat (get_cost (f), ==, 0);
}

static void
test_the_cost_stays_until_ready (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "price-per-request=0.25");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_signal_emit_by_name (f->element, "reset-stats");
  g_assert_cmpuint (fixture_stat (f, "frames-sent"), ==, 0);
  g_assert_cmpfloat (get_cost (f), ==, 0.25);
  fixture_push_and_pull (f, 1);
  g_assert_cmpfloat (get_cost (f), ==, 0.5);
  gst_element_set_state (f->element, GST_STATE_READY);
  g_assert_cmpfloat (get_cost (f), ==, 0.5);
  fixture_play (f);
  g_assert_cmpfloat (get_cost (f), ==, 0);
}

static void
test_a_price_may_be_set_while_playing (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "");

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  fixture_push_and_pull (f, 1);
  g_assert_cmpfloat (get_cost (f), ==, 0);
  g_object_set (f->element, "price-per-request", 0.25, NULL);
  g_assert_cmpfloat (get_cost (f), ==, 0.5);
}

/* ---- the budget ---- */

/* All that was paid for comes out, and the eleventh frame ends the stream. Ten times 0.1 is not
 * exactly 1. */
static void
test_the_request_that_would_exceed_it_ends_the_stream (void)
{
  g_autoptr (Fixture) f =
      fixture_new (NULL, "price-per-request=0.1 budget=1 max-in-flight=3 max-buffering=4");
  g_autoptr (GAsyncQueue) costs = keep_costs (f);
  g_autofree gchar *text = NULL;

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 10; n++)
    fixture_push_frame (f, n);
  for (guint n = 0; n < 10; n++)
    gst_buffer_unref (fixture_pull (f));
  fixture_run_another_stream ();
  fixture_expect_no_message (f);
  for (guint n = 1; n <= 10; n++) {
    g_autoptr (GstStructure) fields = g_async_queue_try_pop (costs);

    g_assert_nonnull (fields);
    g_assert_cmpuint (get_count (fields, "requests"), ==, n);
    g_assert_cmpfloat (ABS (get_double (fields, "cost") - n * 0.1), <, 1e-6);
    g_assert_cmpfloat (get_double (fields, "budget"), ==, 1);
  }
  g_assert_null (g_async_queue_try_pop (costs));
  gst_harness_push (f->harness, fixture_frame (32, 32, 0, 10));
  text = take_end (f);
  assert_says (text, "10 requests");
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 10);
  g_assert_null (g_async_queue_try_pop (costs));
}

/* Those that are under way when it is used up are waited for. */
static void
test_what_is_paid_for_comes_out_before_the_end (void)
{
  const FalServerOptions slow = { .delay_ms = 100 };
  g_autoptr (Fixture) f =
      fixture_new (&slow, "price-per-request=1 budget=3 max-in-flight=3 max-buffering=4");
  g_autofree gchar *text = NULL;

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 4; n++)
    gst_harness_push (f->harness, fixture_frame (32, 32, 0, n));
  for (guint n = 0; n < 3; n++)
    gst_buffer_unref (fixture_pull (f));
  text = take_end (f);
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 3);
}

/* But not for longer than for any answer. */
static void
test_a_model_that_is_mute_delays_no_end (void)
{
  g_autoptr (Fixture) f =
      fixture_new_live (NULL, LIVE "price-per-request=1 budget=1 request-timeout=100");
  gchar *text = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_object_set (f->element, "budget", 2.0, NULL);
  fal_server_set_mute (f->server, TRUE);
  fixture_push_frame (f, 1);
  WAIT_UNTIL (f->element, fal_server_get_requests (f->server) == 2);
  fixture_push_frame (f, 2);
  do { /* the connection may be told of before */
    g_free (text);
    text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  } while (strstr (text, "budget") == NULL);
  g_free (text);
  fixture_wait_for_end (f);
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 2);
}

/* Nothing is sent after the first frame: time alone ends it. */
static void
test_time_ends_the_stream (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE "price-per-second=1 budget=1.5");
  g_autoptr (GAsyncQueue) costs = keep_costs (f);
  g_autofree gchar *text = NULL;
  gdouble last = 0;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  text = take_end (f);
  assert_says (text, "s connected");
  g_assert_cmpfloat (get_cost (f), >=, 1.5);
  g_assert_cmpfloat (get_billed (f->server), <=, 1.5 + MOST);
  expect_billed_cost (f);
  for (guint n = 1; n <= 10; n++) {
    g_autoptr (GstStructure) fields = g_async_queue_try_pop (costs);
    gdouble cost;

    if (fields == NULL) /* two tenths went before the thread woke up */
      break;
    cost = get_double (fields, "cost");
    g_assert_cmpfloat (cost, >=, 0.15 * n - 1e-6);
    g_assert_cmpint ((gint) (cost / 0.15 + 1e-6), >, (gint) (last / 0.15 + 1e-6));
    g_assert_cmpfloat (ABS (get_count (fields, "connected-time") / 1e9 - cost), <, 1e-6);
    last = cost;
  }
  g_assert_cmpfloat (last, >=, 1.5 - 1e-6);
  g_assert_null (g_async_queue_try_pop (costs));
}

/* It may be raised and taken away in time; one that is below the cost ends the stream at once. */
static void
test_it_may_be_changed_while_playing (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, LIVE "price-per-second=1 budget=1");
  g_autofree gchar *text = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_object_set (f->element, "budget", 100.0, NULL);
  wait_until_billed (f->server, 1 + MOST);
  fixture_push_and_pull (f, 1);
  g_object_set (f->element, "budget", 0.0, NULL);
  fixture_push_and_pull (f, 2);
  fixture_expect_no_message (f);
  g_object_set (f->element, "budget", 0.5, NULL);
  text = take_end (f);
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
}

/* What is under the budget of one start is so again with the next. */
static void
test_each_start_has_all_of_it (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "price-per-request=1 budget=1");
  g_autofree gchar *text = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  gst_harness_push (f->harness, fixture_frame (32, 32, 0, 1));
  text = take_end (f);
  gst_element_set_state (f->element, GST_STATE_READY);
  fixture_play (f);
  fixture_push_and_pull (f, 0);
}

/* ---- without a price ---- */

static void
test_a_budget_without_a_price_is_refused (void)
{
  g_autofree gchar *text =
      take_refusal ("falrealtimefilter app=test/app base-uri=ws://127.0.0.1:1 auth=none budget=1");

  assert_says (text, "price-per-second");
}

static void
test_a_budget_without_a_price_is_warned_of_while_playing (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "");
  g_autofree gchar *text = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_object_set (f->element, "budget", 5.0, NULL);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, "price-per-second");
  g_object_set (f->element, "price-per-second", 0.0, NULL); /* it was told */
  fixture_expect_no_message (f);
  fixture_push_and_pull (f, 1);
  g_object_set (f->element, "price-per-second", 0.1, NULL);
  fixture_expect_no_message (f);
}

/* In whatever order one call has them. */
static void
test_price_and_budget_may_be_set_together (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "");

  fixture_set_size (f, 32, 32);
  g_object_set (f->element, "budget", 5.0, "price-per-second", 0.1, NULL);
  g_object_set (f->element, "price-per-second", 0.0, "budget", 0.0, NULL);
  fixture_push_and_pull (f, 0);
  fixture_expect_no_message (f);
}

/* ---- several elements on one connection ---- */

typedef struct {
  FalServer *server;
  Fixture *a, *b;
} Pair;

static Pair *
pair_new (const gchar *properties_a, const gchar *properties_b)
{
  g_autofree gchar *a = g_strdup_printf ("connection-key=budget %s", properties_a);
  g_autofree gchar *b = g_strdup_printf ("connection-key=budget %s", properties_b);
  FalServer *server = fixture_start_server (NULL);
  Pair *pair = g_new (Pair, 1);

  *pair = (Pair) { server, fixture_join (server, a), fixture_join (server, b) };
  fixture_push_and_pull (pair->a, 0);
  fixture_push_and_pull (pair->b, 0);
  return pair;
}

static void
pair_free (Pair *pair)
{
  fixture_free (pair->a);
  g_clear_pointer (&pair->b, fixture_free);
  fal_server_free (pair->server);
  g_free (pair);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pair, pair_free)

static void
test_a_shared_second_is_paid_for_once (void)
{
  g_autoptr (Pair) pair = pair_new ("price-per-second=1", "price-per-second=1");
  gdouble before, after, a, b;

  wait_until_billed (pair->server, 2 * (MOST + 0.2));
  before = get_billed (pair->server);
  a = get_cost (pair->a);
  b = get_cost (pair->b);
  after = get_billed (pair->server);
  g_test_message ("cost %g + %g, billed %g to %g", a, b, before, after);
  g_assert_cmpfloat (a + b, >=, before - MOST);
  g_assert_cmpfloat (a + b, <=, after + MOST);
  g_assert_cmpfloat (ABS (a - b), <, MOST);
}

/* Each pays for its own requests alone. */
static void
test_requests_belong_to_who_sent_them (void)
{
  g_autoptr (Pair) pair = pair_new ("price-per-request=1", "price-per-request=1");

  fixture_push_and_pull (pair->a, 1);
  fixture_push_and_pull (pair->a, 2);
  g_assert_cmpfloat (get_cost (pair->a), ==, 3);
  g_assert_cmpfloat (get_cost (pair->b), ==, 1);
}

/* The cost of a stream that ended, once the net thread has heard of that. */
static gdouble
wait_for_last_cost (Pair *pair, Fixture *f)
{
  gdouble cost;

  do {
    cost = get_cost (f);
    g_assert_cmpfloat (cost, <, 0.5 + MOST);
    wait_until_billed (pair->server, get_billed (pair->server) + 0.01);
  } while (get_cost (f) != cost);
  return cost;
}

/* The one whose stream ended, or that is switched off, pays for nothing any more: the other pays
 * for all, as a second element does that has a connection of its own. */
static void
test_those_that_do_not_use_it_do_not_pay (void)
{
  g_autoptr (Pair) pair = pair_new ("price-per-second=1 budget=0.5", "price-per-second=1");
  gdouble billed, a, b;

  fixture_wait_for_end (pair->a);
  a = wait_for_last_cost (pair, pair->a);
  billed = get_billed (pair->server);
  b = get_cost (pair->b);
  g_assert_cmpfloat (a, >=, 0.5);
  wait_until_billed (pair->server, billed + 2 * MOST + 0.2);
  g_assert_cmpfloat (get_cost (pair->a), ==, a);
  g_assert_cmpfloat (get_cost (pair->b) - b, >=, MOST + 0.2);
  g_object_set (pair->b->element, "enabled", FALSE, NULL);
  WAIT_UNTIL (pair->b->element, fal_server_get_open (pair->server) == 0);
  g_assert_cmpuint (fal_server_get_connections (pair->server), ==, 1);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/budget/" #name, test_##name)
  ADD (the_cost_is_what_is_billed_over_connections);
  ADD (requests_cost_what_the_server_got);
  ADD (what_is_not_sent_costs_nothing);
  ADD (the_cost_stays_until_ready);
  ADD (a_price_may_be_set_while_playing);
  ADD (the_request_that_would_exceed_it_ends_the_stream);
  ADD (what_is_paid_for_comes_out_before_the_end);
  ADD (a_model_that_is_mute_delays_no_end);
  ADD (time_ends_the_stream);
  ADD (it_may_be_changed_while_playing);
  ADD (each_start_has_all_of_it);
  ADD (a_budget_without_a_price_is_refused);
  ADD (a_budget_without_a_price_is_warned_of_while_playing);
  ADD (price_and_budget_may_be_set_together);
  ADD (a_shared_second_is_paid_for_once);
  ADD (requests_belong_to_who_sent_them);
  ADD (those_that_do_not_use_it_do_not_pay);
  return fixture_run ();
}
