/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libFuzzer target: a whole session of the element with a server on loopback that says what the
 * input says, from the handshake on. What must hold whatever a peer does is looked at after each
 * input.
 *
 * The first byte chooses the element's properties, the second how the stream goes on. Then come the
 * steps of the server: a line that begins with "@" and a letter, see add_letter(), whose bytes go
 * on until the next such line. Bytes before the first step are sent as they are, before any request
 * was read. */
#define _GNU_SOURCE /* memmem() */
#include "../faults/peer-fixture.h"
#include "what-is-told.h"
#include "whole-element.h"

#include <gst/video/video.h>

#include <string.h>

int LLVMFuzzerInitialize (int *argc, char ***argv);
int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

/* ---- the input ---- */

#define STEPS_MAX 64
/* A stream that does not come to its end by itself is ended after so many frames. */
#define FRAMES 16
#define FRAME_INTERVAL 500 /* µs */
/* Whatever ends a stream is told on the bus, but where the peer's threads are the last to know.
 * Where both sides wait for each other, it is ended after so many looks. */
#define LOOK_INTERVAL (4 * GST_MSECOND)
#define LOOKS 25

/* The second byte. */
enum {
  NOT_LIVE = 1 << 0,
  FLUSH = 1 << 1, /* in the middle */
  END = 1 << 2,   /* after half of the frames */
};

typedef struct {
  const gchar *properties;
  gboolean may_hold; /* more than one frame waits here */
} Setup;

/* Any may follow any other, so that inputs keep their meaning: new ones go to the end. */
static const Setup setups[] = {
  { "" },
  { "auth=auto api-key=" TOLD_KEY },
  { "auth=key-header api-key=" TOLD_KEY },
  { "auth=key-query api-key=" TOLD_KEY " max-buffering=2" },
  { "image-encoding=data-uri image-field=image_url encoding=json" },
  { "image-encoding=base64 result-field=images[*].content max-in-flight=3" },
  { "fallback=passthrough fallback-timeout=0" },
  { "fallback=last request-timeout=1" },
  { "composite=over composite-frames=all", TRUE },
  { "composite=over region=4,4,16,16 region-absent=hold", TRUE },
  { "composite=matte-over background=blur feather=2", TRUE },
  { "wait-for-ready=true path=/ws" },
  { "leaky=no", TRUE },
  { "latency-mode=auto", TRUE },
  { "latency=20 timestamp-mode=arrival", TRUE },
  { "connections=3", TRUE },
  { "output-framerate=60/1 transition=fade", TRUE },
  { "request-id=never" },
  { "request-id=always feedback-fields=seed,x start-fields=prompt prompt=cat" },
  { "app=fal-ai/krea-wan-14b", TRUE },
  { "app=fal-ai/flux-2/klein", TRUE },
  { "app=fal-ai/birefnet", TRUE },
  { "app=fal-ai/live-portrait", TRUE },
  { "block-size=3 path=/ws", TRUE },
  { "change-threshold=200 max-unchanged-time=5", TRUE },
  { "server-streaming=true", TRUE },
  { "budget=3 price-per-request=1" },
  { "connection-key=one drain-timeout=1" },
  { "max-message-size=1024 max-pixels=4096" },
  { "idle-timeout=1 session-limit=1" },
  { "width=24 height=16 fit=letterbox" },
};

/* What comes of one input; "bytes" of steps point into the input, or into texts. */
typedef struct {
  const Setup *setup;
  guint flags;
  GArray *steps; /* PeerStep */
  GPtrArray *texts;
  guint connections;
  GBytes *picture;
} Script;

static void
add_step (Script *script, PeerStep step)
{
  g_array_append_val (script->steps, step);
}

/* Bytes of no length would be a string's. */
static void
add_send (Script *script, const guint8 *data, gsize size)
{
  if (size > 0)
    add_step (script, (PeerStep) { PEER_SEND, .bytes = (const gchar *) data, .size = size });
}

static void
add_frame (Script *script, guint head, const guint8 *data, gsize size)
{
  add_step (script, (PeerStep) { PEER_FRAME, head & 15, .bytes = size ? (const gchar *) data : NULL,
                        .size = size, .more = (head & 0x80) == 0 });
}

/* How many requests this connection has read by then. */
static guint
count_requests (Script *script)
{
  guint n = 0;

  for (guint i = 0; i < script->steps->len; i++) {
    PeerAct act = g_array_index (script->steps, PeerStep, i).act;

    n = act == PEER_NEXT ? 0 : n + (act == PEER_AWAIT);
  }
  return n;
}

/* To the last request, with @id, or that of the request where it is empty. */
static void
add_answer (Script *script, guint images, const guint8 *id, gsize size)
{
  gchar *text = NULL;

  if (count_requests (script) == 0)
    add_step (script, (PeerStep) { PEER_AWAIT });
  if (size > 0) {
    text = g_utf8_make_valid ((const gchar *) id, size);
    g_ptr_array_add (script->texts, text);
  }
  add_step (script,
      (PeerStep) { PEER_ANSWER, count_requests (script) - 1, .bytes = text, .images = images });
}

/* So that the client learns that no more comes. */
static void
end_connection (Script *script)
{
  add_step (script, (PeerStep) { PEER_CUT });
  script->connections++;
}

static void
set_picture (Script *script, const guint8 *data, gsize size)
{
  g_clear_pointer (&script->picture, g_bytes_unref);
  script->picture = g_bytes_new_static (data, size);
}

static void
add_next_connection (Script *script)
{
  end_connection (script);
  add_step (script, (PeerStep) { PEER_NEXT });
}

/* What may have bytes. FALSE: the letter stands for none of it. */
static gboolean
add_bytes (Script *script, gchar letter, const guint8 *data, gsize size)
{
  switch (letter) {
  case 's': /* bytes as they are */
    add_send (script, data, size);
    return TRUE;
  case 't': /* a text message */
    add_frame (script, 0x81, data, size);
    return TRUE;
  case 'b': /* a binary one */
    add_frame (script, 0x82, data, size);
    return TRUE;
  case 'c': /* a close frame */
    add_frame (script, 0x88, data, size);
    return TRUE;
  case 'f': /* a frame, whose first byte comes first */
    if (size > 0)
      add_frame (script, data[0], data + 1, size - 1);
    return TRUE;
  case 'r': /* a result, with the id that follows */
    add_answer (script, 1, data, size);
    return TRUE;
  case 'd': /* one of two pictures */
    add_answer (script, 2, data, size);
    return TRUE;
  case 'p': /* the picture of all results */
    set_picture (script, data, size);
    return TRUE;
  default:
    return FALSE;
  }
}

/* What follows such a letter is sent. */
static void
add_letter (Script *script, gchar letter, const guint8 *data, gsize size)
{
  static const struct {
    gchar letter;
    PeerAct act;
  } acts[] = {
    { 'u', PEER_UPGRADE },                    /* answers the handshake as it should be */
    { 'h', PEER_HTTP },                       /* reads a request of HTTP */
    { 'a', PEER_AWAIT },                      /* reads a request of the app */
    { 'z', PEER_RESET }, { 'w', PEER_STALL }, /* says nothing more */
    { 'v', PEER_SERVE },                      /* behaves from here on */
  };

  if (add_bytes (script, letter, data, size))
    return;
  if (letter == 'n')
    add_next_connection (script);
  for (guint i = 0; i < G_N_ELEMENTS (acts); i++)
    if (acts[i].letter == letter)
      add_step (script, (PeerStep) { acts[i].act });
  add_send (script, data, size);
}

/* Where the next step begins, or the end. */
static const guint8 *
find_step (const guint8 *data, const guint8 *end)
{
  const guint8 *at = memmem (data, end - data, "\n@", 2);

  return at ? at : end;
}

static void
read_script (Script *script, const guint8 *data, gsize size)
{
  const guint8 *end = data + size;
  const guint8 *at = data + 2;

  *script = (Script) { .setup = &setups[data[0] % G_N_ELEMENTS (setups)], .flags = data[1] };
  script->steps = g_array_new (FALSE, FALSE, sizeof (PeerStep));
  script->texts = g_ptr_array_new_with_free_func (g_free);
  add_send (script, at, find_step (at, end) - at);
  at = find_step (at, end);
  while (end - at > 2 && script->steps->len < STEPS_MAX) {
    const guint8 *next = find_step (at + 2, end);

    add_letter (script, at[2], MIN (at + 3, next), next - MIN (at + 3, next));
    at = next;
  }
  end_connection (script);
  add_step (script, (PeerStep) { PEER_END });
}

static void
clear_script (Script *script)
{
  g_array_unref (script->steps);
  g_ptr_array_unref (script->texts);
  g_clear_pointer (&script->picture, g_bytes_unref);
}

/* ---- the session ---- */

typedef struct {
  Script script;
  Invariants *invariants;
  Peer *peer;
  Fixture *f;
  ToldCounts told;
  gint64 began;
  gint pushed; /* atomic: all frames, or the stream has ended */
} Run;

static Fixture *
make_fixture (Run *run)
{
  guint port = peer_get_port (run->peer);
  g_autofree gchar *description = g_strdup_printf (
      "falrealtimefilter base-uri=ws://127.0.0.1:%u app=test/app image-field=image_bytes "
      "image-encoding=bytes throttle-interval=0 timestamp-mode=input retries=1 retry-delay=1 "
      "max-retry-delay=1 max-message-size=65536 max-pixels=65536 allow-insecure=true "
      "token-uri=http://127.0.0.1:%u/tokens/ %s",
      port, port, run->script.setup->properties);
  Fixture *f = fixture_new_from (description, !(run->script.flags & NOT_LIVE));

  if (strstr (description, "api-key") == NULL)
    g_object_set (f->element, "token", TOLD_TOKEN, NULL);
  return f;
}

static void
flush (GstHarness *harness)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_harness_push_event (harness, gst_event_new_flush_start ());
  gst_harness_push_event (harness, gst_event_new_flush_stop (TRUE));
  gst_harness_push_event (harness, gst_event_new_segment (&segment));
}

/* Upstream's thread. The element may go to NULL meanwhile, so that it takes nothing any more. */
static gpointer
push_frames (gpointer data)
{
  Run *run = data;
  GstHarness *harness = run->f->harness;
  GstFlowReturn flow = GST_FLOW_OK;

  for (guint i = 0; i < FRAMES && flow == GST_FLOW_OK; i++) {
    flow = gst_harness_push (harness, invariants_make_frame (i));
    if (i == FRAMES / 2 && run->script.flags & FLUSH)
      flush (harness);
    if (i == FRAMES / 2 && run->script.flags & END)
      gst_harness_push_event (harness, gst_event_new_eos ());
    g_usleep (FRAME_INTERVAL);
  }
  g_atomic_int_set (&run->pushed, TRUE);
  gst_bus_post (
      run->f->bus, gst_message_new_application (NULL, gst_structure_new_empty ("pushed")));
  return NULL;
}

static gboolean
is_over (Run *run)
{
  return g_atomic_int_get (&run->pushed) || run->told.errors > 0 || peer_is_stalled (run->peer) ||
         (peer_get_connections (run->peer) >= run->script.connections &&
             peer_get_open (run->peer) == 0);
}

static void
play (Run *run)
{
  GThread *upstream = g_thread_new ("upstream", push_frames, run);

  for (guint i = 0; i < LOOKS && !is_over (run); i++)
    told_take_messages (run->f->bus, LOOK_INTERVAL, &run->told);
  told_check_dot (GST_BIN (run->f->harness->element));
  invariants_stop (run->invariants);
  g_thread_join (upstream);
  told_take_messages (run->f->bus, 0, &run->told);
}

static void
check_messages (Run *run)
{
  guint seconds = (g_get_monotonic_time () - run->began) / G_USEC_PER_SEC;
  guint connections = peer_get_connections (run->peer);

  g_assert_cmpuint (run->told.errors, <=, 1);
  g_assert_cmpuint (run->told.outages, <=, connections + 1);
  g_assert_cmpuint (run->told.remarks, <=, 1 + seconds);
}

/* More frames than the buffering says: those of a file, and those that are shown beside results. */
static gboolean
may_hold (Run *run)
{
  return run->script.setup->may_hold || run->script.flags & NOT_LIVE;
}

static void
begin (Run *run)
{
  PeerConfig config = { PEER_DOOR_OPEN, (const PeerStep *) run->script.steps->data,
    .picture = run->script.picture };
  guint waiting;

  run->invariants = invariants_new ();
  run->began = g_get_monotonic_time ();
  run->peer = peer_new (&config);
  run->f = make_fixture (run);
  g_object_get (run->f->element, "max-buffering", &waiting, NULL);
  invariants_begin (
      run->invariants, run->f, may_hold (run) ? 0 : MAX (waiting, 1), FAL_WINDOW_MAX_UNANSWERED);
  invariants_expect_any_picture (run->invariants);
  fixture_set_size (run->f, FRAME_SIZE, FRAME_SIZE);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  Run run = { 0 };

  if (size < 2)
    return 0;
  read_script (&run.script, data, size);
  begin (&run);
  play (&run);
  check_messages (&run);
  fixture_free (run.f);
  peer_free (run.peer);
  invariants_free (run.invariants);
  clear_script (&run.script);
  return 0;
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  whole_element_init ((*argv)[0]);
  return 0;
}
