/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flow: a live upstream is held up by nothing, another one loses nothing, and what downstream does
 * stops nobody but the frames. */
#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "pipeline-fixture.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static void
push_frame (Fixture *f, guint n)
{
  fixture_push (f, fixture_frame (32, 32, n % 256 << 16, n));
}

static GstPadProbeReturn
stay_blocked (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  return GST_PAD_PROBE_OK;
}

/* Returns when the source task is held there. */
static gulong
block (Fixture *f)
{
  gulong probe = gst_pad_add_probe (
      f->harness->sinkpad, GST_PAD_PROBE_TYPE_BLOCK_DOWNSTREAM, stay_blocked, NULL, NULL);
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  push_frame (f, 0);
  while (!gst_pad_is_blocking (f->harness->sinkpad)) {
    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    g_usleep (1000);
  }
  return probe;
}

/* ---- upstream is not held up ---- */

/* A second of this. */
#define RATE 240
/* The most that a push may take, µs. */
#define MOST 1000

static void
nothing (Fixture *f)
{
}

static void
go_mute (Fixture *f)
{
  fal_server_set_mute (f->server, TRUE);
}

static void
go_offline (Fixture *f)
{
  fal_server_set_refusal (f->server, 503);
}

static void
block_for_good (Fixture *f)
{
  block (f);
}

typedef struct {
  const gchar *name, *properties;
  guint delay_ms, width, height, rate;
  void (*prepare) (Fixture *f);
} Load;

static const Load loads[] = {
  { "all-is-well", "", 0, 64, 64, RATE, nothing },
  { "by-default", "throttle-interval=128", 20, 64, 64, RATE, nothing },
  { "many-wait", "max-buffering=60", 20, 64, 64, RATE, nothing },
  { "a-slow-model", "", 300, 64, 64, RATE, nothing },
  { "a-mute-model", "request-timeout=200 fallback=passthrough fallback-timeout=100", 0, 64, 64,
      RATE, go_mute },
  { "offline", "retries=-1", 0, 64, 64, RATE, go_offline },
  { "downstream-is-blocked", "", 0, 32, 32, RATE, block_for_good },
  { "frames-pass", "enabled=false", 0, 64, 64, RATE, nothing },
  { "4k", "", 0, 3840, 2160, 60, nothing },
  { "4k-scaled", "throttle-interval=128 width=512 height=512", 20, 3840, 2160, RATE, nothing },
};

static gint
compare (gconstpointer a, gconstpointer b)
{
  const gint64 *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

/* A frame of its own over the pixels of @picture: as from a pool, it costs upstream nothing. */
static GstBuffer *
make_frame (GstBuffer *picture, guint n, guint rate)
{
  GstBuffer *buffer = gst_buffer_copy (picture);

  GST_BUFFER_PTS (buffer) = gst_util_uint64_scale (n, GST_SECOND, rate);
  GST_BUFFER_DURATION (buffer) = GST_SECOND / rate;
  return buffer;
}

typedef struct {
  gint64 wall, processor; /* µs */
  glong waits;            /* of its own accord */
} Moment;

static Moment
get_moment (void)
{
  struct rusage usage;
  struct timespec time;

  getrusage (RUSAGE_THREAD, &usage);
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return (Moment){ g_get_monotonic_time (), time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000,
    usage.ru_nvcsw };
}

/* How long the push of @frame takes, µs. Where it does not wait, the time in which others had the
 * processor is not its own. */
static gint64
measure_push (Fixture *f, GstBuffer *frame)
{
  Moment before = get_moment (), after;

  fixture_push (f, frame);
  after = get_moment ();
  return after.waits > before.waits ? after.wall - before.wall : after.processor - before.processor;
}

/* The time that most of a second's pushes took at the most, µs; @middle: that of half of them. */
static gint64
measure_pushes (Fixture *f, const Load *load, gint64 *middle)
{
  g_autoptr (GstBuffer) picture = fixture_frame (load->width, load->height, 0x406080, 0);
  gint64 took[RATE], began = g_get_monotonic_time ();

  for (guint n = 0; n < load->rate; n++) {
    gint64 due = began + (gint64) n * G_USEC_PER_SEC / load->rate, now = g_get_monotonic_time ();
    GstBuffer *frame = make_frame (picture, n + 1, load->rate);

    if (due > now)
      g_usleep (due - now);
    took[n] = measure_push (f, frame);
  }
  qsort (took, load->rate, sizeof *took, compare);
  *middle = took[load->rate / 2];
  return took[load->rate * 95 / 100];
}

/* A push that waits for anything does so each time; but a busy machine may take the processor away
 * from whoever has a lock that it needs, so that one round in three is to be good. */
static void
test_upstream_is_not_held_up (gconstpointer data)
{
  const Load *load = data;
  FalServerOptions options = { .delay_ms = load->delay_ms, .forget_requests = TRUE };
  g_autofree gchar *properties = g_strdup_printf ("timestamp-mode=input %s", load->properties);
  g_autoptr (Fixture) f = fixture_new_live (&options, properties);
  gint64 most = G_MAXINT64, middle;

  gst_harness_set_drop_buffers (f->harness, TRUE);
  fixture_set_size (f, load->width, load->height);
  load->prepare (f);
  for (guint round = 0; round < 3 && most > MOST; round++) {
    most = measure_pushes (f, load, &middle);
    g_test_message ("half of all took %.3f ms, 95 %% of them %.3f ms", middle / 1e3, most / 1e3);
    g_assert_cmpint (middle, <=, MOST);
  }
  g_assert_cmpint (most, <=, MOST);
  gst_pad_set_active (f->harness->sinkpad, FALSE); /* in a pipeline the sink goes first, too */
}

/* ---- a blocked downstream blocks nobody else ---- */

static guint64
send_some (Fixture *f, guint messages)
{
  static const gchar text[] = "{\"type\": \"something\", \"else\": \"that nobody knows\"}";
  g_autoptr (GBytes) message = g_bytes_new_static (text, strlen (text));

  for (guint i = 0; i < messages; i++)
    fal_server_send (f->server, message, TRUE);
  return messages * strlen (text);
}

static void
wait_for_at_least (Fixture *f, const gchar *stat, guint64 value)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  while (fixture_stat (f, stat) < value) {
    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    g_usleep (1000);
  }
}

static void
test_a_blocked_downstream_does_not_stop_the_connection (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input retry-delay=1");
  g_autoptr (GstMessage) warning = NULL;
  guint64 bytes;
  gulong probe;

  fixture_set_size (f, 32, 32);
  probe = block (f);
  for (guint n = 1; n < 50; n++) {
    push_frame (f, n);
    g_usleep (500);
  }
  bytes = fixture_stat (f, "bytes-received");
  bytes += send_some (f, 100);
  wait_for_at_least (f, "bytes-received", bytes);
  fal_server_close (f->server, 1012, "restarting");
  warning = fixture_wait_for_message (f, GST_MESSAGE_WARNING);
  gst_pad_remove_probe (f->harness->sinkpad, probe);
  push_frame (f, 50);
  gst_harness_push_event (f->harness, gst_event_new_eos ());
  gst_event_unref (fixture_wait_for_event (f, GST_EVENT_EOS));
  g_assert_cmpuint (fixture_stat (f, "reconnections"), ==, 1);
}

/* Results that downstream does not take are not piled up, nor paid for. */
static void
test_a_blocked_downstream_costs_few_requests (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input max-in-flight=1");
  gulong probe;
  guint requests;

  fixture_set_size (f, 32, 32);
  probe = block (f);
  for (guint n = 1; n < 200; n++) {
    push_frame (f, n);
    g_usleep (500);
  }
  requests = fal_server_get_requests (f->server);
  g_assert_cmpuint (requests, <=, 8);
  gst_pad_remove_probe (f->harness->sinkpad, probe);
  push_frame (f, 200);
  gst_harness_push_event (f->harness, gst_event_new_eos ());
  gst_event_unref (fixture_wait_for_event (f, GST_EVENT_EOS));
}

/* ---- what downstream says reaches upstream, until it says otherwise ---- */

static GstFlowReturn
answer (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gint *flow = g_object_get_data (G_OBJECT (pad), "flow");

  gst_buffer_unref (buffer);
  return g_atomic_int_get (flow);
}

static void
set_downstream (Fixture *f, gint *flow)
{
  g_object_set_data (G_OBJECT (f->harness->sinkpad), "flow", flow);
  gst_pad_set_chain_function (f->harness->sinkpad, answer);
  fixture_set_size (f, 32, 32);
}

static void
push_until (Fixture *f, GstFlowReturn wanted, guint *n)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;
  GstFlowReturn flow;

  while ((flow = gst_harness_push (f->harness, fixture_frame (32, 32, 0, (*n)++))) == GST_FLOW_OK) {
    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    g_usleep (1000);
  }
  g_assert_cmpint (flow, ==, wanted);
}

static void
push_segment (Fixture *f)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (f->harness, gst_event_new_segment (&segment));
}

static void
flush (Fixture *f)
{
  gst_harness_push_event (f->harness, gst_event_new_flush_start ());
  gst_harness_push_event (f->harness, gst_event_new_flush_stop (TRUE));
  push_segment (f);
}

static void
link_anew (Fixture *f)
{
  gst_harness_push_upstream_event (f->harness, gst_event_new_reconfigure ());
}

static void
test_it_flows_again (void)
{
  static const struct {
    GstFlowReturn flow;
    void (*resume) (Fixture *f);
  } rows[] = {
    { GST_FLOW_NOT_LINKED, link_anew },
    { GST_FLOW_NOT_LINKED, flush },
    { GST_FLOW_FLUSHING, flush },
    { GST_FLOW_EOS, flush },
    { GST_FLOW_EOS, push_segment },
    { GST_FLOW_ERROR, flush },
  };

  for (guint live = 0; live < 2; live++)
    for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
      g_autoptr (Fixture) f = live ? fixture_new_live (NULL, NULL) : fixture_new (NULL, NULL);
      gint flow = rows[i].flow;
      guint n = 0;
      guint64 out;

      set_downstream (f, &flow);
      push_until (f, rows[i].flow, &n);
      g_atomic_int_set (&flow, GST_FLOW_OK);
      rows[i].resume (f);
      out = fixture_stat (f, "frames-out");
      push_frame (f, n);
      wait_for_at_least (f, "frames-out", out + 1);
      gst_element_set_state (f->harness->element, GST_STATE_NULL);
    }
}

/* Upstream waits for room, and is told there too. */
static void
test_an_upstream_that_waits_is_told (void)
{
  static const GstFlowReturn flows[] = { GST_FLOW_EOS, GST_FLOW_NOT_LINKED, GST_FLOW_ERROR };

  for (guint i = 0; i < G_N_ELEMENTS (flows); i++) {
    FalServerOptions options = { .delay_ms = 30 };
    g_autoptr (Fixture) f = fixture_new (&options, "max-in-flight=1");
    gint flow = flows[i];
    guint n = 0;

    set_downstream (f, &flow);
    push_until (f, flows[i], &n);
    g_assert_cmpuint (n, <=, 6);
    gst_element_set_state (f->harness->element, GST_STATE_NULL);
  }
}

/* ---- nothing is lost where nothing may drop ---- */

#define FRAMES 100

static gpointer
push_all (gpointer data)
{
  for (guint n = 0; n < FRAMES; n++)
    push_frame (data, n);
  gst_harness_push_event (((Fixture *) data)->harness, gst_event_new_eos ());
  return NULL;
}

/* A server that goes again and again, and stays away for a while. */
static void
test_no_frame_of_a_file_is_lost_to_a_server_that_restarts (void)
{
  FalServerOptions options = { .effect = "echo", .delay_ms = 2 };
  g_autoptr (Fixture) f =
      fixture_new (&options, "max-in-flight=4 max-buffering=4 retry-delay=5 max-retry-delay=20");
  GThread *thread;

  fixture_set_size (f, 32, 32);
  thread = g_thread_new ("push", push_all, f);
  for (guint n = 0; n < FRAMES; n++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (n, GST_SECOND, 30));
    assert_colour (fixture_colour (f, buffer), n % 256 << 16, 4);
    fal_server_set_refusal (f->server, 0);
    if (n % 20 == 10) {
      fal_server_set_refusal (f->server, n % 40 == 30 ? 503 : 0);
      fal_server_close (f->server, n % 40 == 30 ? 0 : 1012, "restarting");
      g_usleep (n % 40 == 30 ? 30000 : 0);
      fal_server_set_refusal (f->server, 0);
    }
  }
  gst_event_unref (fixture_wait_for_event (f, GST_EVENT_EOS));
  g_thread_join (thread);
  g_assert_cmpuint (fixture_stat (f, "reconnections"), >=, 4);
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, FRAMES);
  g_assert_cmpuint (fixture_stat (f, "lost"), ==, 0);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (loads); i++) {
    g_autofree gchar *path = g_strdup_printf ("/flow/upstream-is-not-held-up/%s", loads[i].name);

    g_test_add_data_func (path, &loads[i], test_upstream_is_not_held_up);
  }
#define ADD(name) g_test_add_func ("/flow/" #name, test_##name)
  ADD (a_blocked_downstream_does_not_stop_the_connection);
  ADD (a_blocked_downstream_costs_few_requests);
  ADD (it_flows_again);
  ADD (an_upstream_that_waits_is_told);
  ADD (no_frame_of_a_file_is_lost_to_a_server_that_restarts);
  return fixture_run ();
}
