/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flow: a live upstream is held up by nothing, another one loses nothing, and what downstream does
 * stops nobody but the frames. */
#define _GNU_SOURCE /* RUSAGE_THREAD */
#include "pipeline-fixture.h"
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static void
push_frame (Fixture *f, guint n)
{
  fixture_push (f, fixture_frame (32, 32, n % 256 << 16, n));
}

/* Returns when the source task is held there, with the result of frame 0. */
static gulong
block (Fixture *f)
{
  gulong probe = fixture_block_downstream (f);

  push_frame (f, 0);
  fixture_wait_until_blocked (f);
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
    GstBuffer *frame = make_frame (picture, n + 1, load->rate);

    pace_until (began + (gint64) n * G_USEC_PER_SEC / load->rate);
    took[n] = measure_push (f, frame);
  }
  sort_times (took, load->rate);
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
test_a_blocked_downstream_does_not_stop_the_connection (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input retry-delay=1");
  g_autoptr (GstMessage) warning = NULL;
  guint64 bytes;
  guint n = 1;
  gulong probe;

  fixture_set_size (f, 32, 32);
  probe = block (f);
  REPEAT_UNTIL (f->element, fixture_stat (f, "dropped-replaced") >= 10, push_frame (f, n++));
  bytes = fixture_stat (f, "bytes-received");
  bytes += send_some (f, 100);
  WAIT_UNTIL (f->element, fixture_stat (f, "bytes-received") >= bytes);
  fal_server_close (f->server, 1012, "restarting");
  warning = fixture_wait_for_message (f, GST_MESSAGE_WARNING);
  gst_pad_remove_probe (f->harness->sinkpad, probe);
  REPEAT_UNTIL (f->element, fixture_stat (f, "reconnections") > 0, push_frame (f, n++));
  fixture_push_end (f);
  fixture_wait_for_end (f);
  g_assert_cmpuint (fixture_stat (f, "reconnections"), ==, 1);
}

/* Results that downstream does not take are not piled up, nor paid for. */
static void
test_a_blocked_downstream_costs_few_requests (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input max-in-flight=1");
  gulong probe;
  guint n = 1;

  fixture_set_size (f, 32, 32);
  for (; n <= 2; n++) /* until the first one is taken they wait for the pipeline's latency */
    fixture_push_and_pull (f, n);
  probe = block (f);
  REPEAT_UNTIL (f->element, fixture_stat (f, "dropped-replaced") >= 100, push_frame (f, n++));
  g_assert_cmpuint (fal_server_get_requests (f->server), <=, 2 + 8);
  gst_pad_remove_probe (f->harness->sinkpad, probe);
  push_frame (f, n);
  fixture_push_end (f);
  fixture_wait_for_end (f);
}

/* ---- what downstream says reaches upstream, until it says otherwise ---- */

static void
push_until (Fixture *f, GstFlowReturn wanted, guint *n)
{
  GstFlowReturn flow = GST_FLOW_OK;

  REPEAT_UNTIL (f->element, flow != GST_FLOW_OK,
      flow = gst_harness_push (f->harness, fixture_frame (32, 32, 0, (*n)++)));
  g_assert_cmpint (flow, ==, wanted);
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
    { GST_FLOW_NOT_LINKED, fixture_flush },
    { GST_FLOW_FLUSHING, fixture_flush },
    { GST_FLOW_EOS, fixture_flush },
    { GST_FLOW_EOS, fixture_push_segment },
    { GST_FLOW_ERROR, fixture_flush },
  };

  for (guint live = 0; live < 2; live++)
    for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
      g_autoptr (Fixture) f = live ? fixture_new_live (NULL, NULL) : fixture_new (NULL, NULL);
      gint flow = rows[i].flow;
      guint n = 0;
      guint64 out;

      fixture_refuse_downstream (f, &flow);
      fixture_set_size (f, 32, 32);
      push_until (f, rows[i].flow, &n);
      g_atomic_int_set (&flow, GST_FLOW_OK);
      rows[i].resume (f);
      out = fixture_stat (f, "frames-out");
      push_frame (f, n);
      WAIT_UNTIL (f->element, fixture_stat (f, "frames-out") > out);
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

    fixture_refuse_downstream (f, &flow);
    fixture_set_size (f, 32, 32);
    push_until (f, flows[i], &n);
    g_assert_cmpuint (n, <=, 6);
    gst_element_set_state (f->harness->element, GST_STATE_NULL);
  }
}

/* ---- nothing is lost where nothing may drop ---- */

#define FRAMES 100
/* How many frames the results may be behind. */
#define AHEAD 6

typedef struct {
  Fixture *f;
  GMutex lock;
  GCond more;
  guint allowed; /* lock; frames before this one may be pushed */
} Upstream;

static void
allow (Upstream *upstream, guint frames)
{
  g_mutex_lock (&upstream->lock);
  upstream->allowed = frames;
  g_cond_signal (&upstream->more);
  g_mutex_unlock (&upstream->lock);
}

static gpointer
push_all (gpointer data)
{
  Upstream *upstream = data;

  for (guint n = 0; n < FRAMES; n++) {
    g_mutex_lock (&upstream->lock);
    while (n >= upstream->allowed)
      g_cond_wait (&upstream->more, &upstream->lock);
    g_mutex_unlock (&upstream->lock);
    push_frame (upstream->f, n);
  }
  fixture_push_end (upstream->f);
  return NULL;
}

/* Waits until the connection was @times in this state since this was asked last. */
static void
wait_for_states (Fixture *f, const gchar *state, guint times)
{
  while (times > 0) {
    g_autoptr (GstMessage) message = fixture_wait_for_message (f, GST_MESSAGE_ELEMENT);
    const GstStructure *structure = gst_message_get_structure (message);
    g_autofree gchar *now = NULL;

    if (!gst_structure_has_name (structure, "fal-connection"))
      continue;
    now = gst_value_serialize (gst_structure_get_value (structure, "state"));
    times -= g_str_equal (now, state);
  }
}

static void
restart (Fixture *f)
{
  fal_server_close (f->server, 1012, "restarting");
  wait_for_states (f, "waiting", 1);
}

/* Until a second attempt was refused. */
static void
stay_away (Fixture *f)
{
  fal_server_set_refusal (f->server, 503);
  fal_server_close (f->server, 0, NULL);
  wait_for_states (f, "waiting", 3);
  fal_server_set_refusal (f->server, 0);
}

/* A server that goes again and again, and stays away for a while. Frames are still to come each
 * time, so that it is missed. */
static void
test_no_frame_of_a_file_is_lost_to_a_server_that_restarts (void)
{
  FalServerOptions options = { .effect = "echo", .delay_ms = 2 };
  g_autoptr (Fixture) f =
      fixture_new (&options, "max-in-flight=4 max-buffering=4 retry-delay=5 max-retry-delay=20");
  Upstream upstream = { f, .allowed = AHEAD };
  GThread *thread;

  fixture_set_size (f, 32, 32);
  thread = g_thread_new ("push", push_all, &upstream);
  for (guint n = 0; n < FRAMES; n++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (n, GST_SECOND, 30));
    assert_colour (fixture_colour (f, buffer), n % 256 << 16, 4);
    if (n % 20 == 10)
      n % 40 == 30 ? stay_away (f) : restart (f);
    allow (&upstream, n + 1 + AHEAD);
  }
  fixture_wait_for_end (f);
  g_thread_join (thread);
  g_assert_cmpuint (fixture_stat (f, "reconnections"), ==, 5);
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
