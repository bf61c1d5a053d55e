/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is tortured: elements between pads of this program, that is run with faulty-calls.c
 * preloaded and talks to peers.c. The same streams run three times: as they should, so that all is
 * there that GLib makes once for a process; with a call that fails, or near a limit; and once more
 * as they should. What came of the second time goes to standard output, a line for each fact. What
 * must hold whatever fails is asserted here. */
#define _GNU_SOURCE /* dladdr */
#include "../invariants.h"
#include "faulty-calls.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define NULL_LIMIT (250 * G_TIME_SPAN_MILLISECOND)
#define MOST_ELEMENTS 2
#define IN_VAIN 100 /* results that were all dropped */

/* ---- what is wished ---- */

typedef struct {
  gchar *properties;
  gint frames, elements, size, cut_after, peers;
  gboolean live, prompt, cold, shows, provider;
  gint kind, number;
  gchar *limit;
  gint left, user;
} Wishes;

static Wishes wishes = { .frames = 1, .elements = 1, .size = 32, .kind = FAULTY_KINDS };

static void
read_wishes (gint *argc, gchar ***argv)
{
  const GOptionEntry entries[] = { { "properties", 0, 0, G_OPTION_ARG_STRING, &wishes.properties,
                                       "The elements'", "TEXT" },
    { "frames", 0, 0, G_OPTION_ARG_INT, &wishes.frames, "That are to be answered", "N" },
    { "elements", 0, 0, G_OPTION_ARG_INT, &wishes.elements, "Side by side", "N" },
    { "size", 0, 0, G_OPTION_ARG_INT, &wishes.size, "Of frames, in pixels", "N" },
    { "live", 0, 0, G_OPTION_ARG_NONE, &wishes.live, "Frames come until enough are answered",
        NULL },
    { "prompt", 0, 0, G_OPTION_ARG_NONE, &wishes.prompt, "A text track has a cue for each frame",
        NULL },
    { "provider", 0, 0, G_OPTION_ARG_NONE, &wishes.provider, "request-token is answered", NULL },
    { "cut-after", 0, 0, G_OPTION_ARG_INT, &wishes.cut_after, "Results; then connections are cut",
        "N" },
    { "peers", 0, 0, G_OPTION_ARG_INT, &wishes.peers, "The process that cuts them", "PID" },
    { "cold", 0, 0, G_OPTION_ARG_NONE, &wishes.cold, "Without the first time as it should", NULL },
    { "kind", 0, 0, G_OPTION_ARG_INT, &wishes.kind, "Of the calls", "N" },
    { "number", 0, 0, G_OPTION_ARG_INT, &wishes.number, "Of the call that fails; 0: none", "N" },
    { "shows", 0, 0, G_OPTION_ARG_NONE, &wishes.shows, "Shows from where it was called", NULL },
    { "limit", 0, 0, G_OPTION_ARG_STRING, &wishes.limit, "descriptors, threads or address-space",
        "NAME" },
    { "left", 0, 0, G_OPTION_ARG_INT, &wishes.left, "Of them; address space in MiB", "N" },
    { "user", 0, 0, G_OPTION_ARG_INT, &wishes.user, "Becomes that user", "UID" }, { NULL } };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (GError) error = NULL;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, &error))
    g_error ("%s", error->message);
  g_assert_cmpint (wishes.elements, <=, MOST_ELEMENTS);
}

/* ---- what fails ---- */

static struct {
  __typeof__ (&faulty_calls_arm) arm;
  __typeof__ (&faulty_calls_disarm) disarm;
  __typeof__ (&faulty_calls_count) count;
  __typeof__ (&faulty_calls_failed) failed;
  __typeof__ (&faulty_calls_unguarded) unguarded;
} calls;

static void
find_calls (void)
{
  calls.arm = dlsym (RTLD_DEFAULT, "faulty_calls_arm");
  calls.disarm = dlsym (RTLD_DEFAULT, "faulty_calls_disarm");
  calls.count = dlsym (RTLD_DEFAULT, "faulty_calls_count");
  calls.failed = dlsym (RTLD_DEFAULT, "faulty_calls_failed");
  calls.unguarded = dlsym (RTLD_DEFAULT, "faulty_calls_unguarded");
  if (calls.arm == NULL)
    g_error ("the library that makes calls fail is to be preloaded");
}

static void
set_limit (int resource, rlim_t most)
{
  struct rlimit limit;

  getrlimit (resource, &limit);
  limit.rlim_cur = MIN (most, limit.rlim_max);
  if (setrlimit (resource, &limit) != 0)
    g_error ("no limit could be set");
}

/* The lowest that the next one could have; those above it are not to be had under a limit. */
static gint
find_next_descriptor (void)
{
  gint next = dup (STDERR_FILENO);

  close (next);
  return next;
}

/* Threads of GLib's pools; the others stay for as long as the process does. */
static gboolean
is_passing (const gchar *id)
{
  static const gchar *const lasting[] = { "torture-subject", "gmain", "pool-spawner", NULL };
  g_autofree gchar *path = g_strdup_printf ("/proc/self/task/%s/comm", id);
  g_autofree gchar *name = NULL;

  return g_file_get_contents (path, &name, NULL, NULL) &&
         !g_strv_contains (lasting, g_strchomp (name));
}

static guint
count_threads (gboolean passing)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *id;
  guint n = 0;

  while ((id = g_dir_read_name (dir)))
    n += !passing || is_passing (id);
  return n;
}

/* A thread of a pool waits for half a second for more to do, so that no new one would be made. */
static void
settle (void)
{
  if (wishes.kind == FAULTY_THREAD || g_strcmp0 (wishes.limit, "threads") == 0)
    WAIT_UNTIL (NULL, count_threads (TRUE) == 0);
}

static guint64
get_address_space (void)
{
  g_autofree gchar *text = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/statm", &text, NULL, NULL));
  return g_ascii_strtoull (text, NULL, 10) * sysconf (_SC_PAGESIZE);
}

static gboolean tortured;

static void
arm (gboolean on)
{
  if (tortured && on)
    calls.arm (wishes.kind, wishes.number, wishes.shows);
  else
    calls.disarm ();
}

/* What is left of a resource while streams run. */
static void
limit (gboolean on)
{
  if (g_strcmp0 (wishes.limit, "descriptors") == 0)
    set_limit (RLIMIT_NOFILE, on ? (rlim_t) find_next_descriptor () + wishes.left : RLIM_INFINITY);
  else if (g_strcmp0 (wishes.limit, "threads") == 0)
    set_limit (RLIMIT_NPROC, on ? count_threads (FALSE) + wishes.left : RLIM_INFINITY);
  else if (g_strcmp0 (wishes.limit, "address-space") == 0)
    set_limit (
        RLIMIT_AS, on ? get_address_space () + ((guint64) wishes.left << 20) : RLIM_INFINITY);
}

/* ---- a stream ---- */

typedef struct {
  GstElement *element;
  Fixture books; /* for its statistics alone */
  GstBus *bus;
  GstPad *src, *sink, *text;
  GstBuffer *picture; /* of all frames: made before anything fails */
  gboolean started;
  guint pushed;
  gint results, over, failed; /* atomic */

  GMutex lock;
  GPtrArray *said; /* lock; lines */
} Stream;

static void
note (Stream *stream, const gchar *what, const GError *error)
{
  if (wishes.shows)
    g_printerr ("%s: %s\n", what, error->message);
  g_mutex_lock (&stream->lock);
  g_ptr_array_add (stream->said, g_strdup_printf ("%s %s", what, error->message));
  g_mutex_unlock (&stream->lock);
}

static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  Stream *stream = data;
  g_autoptr (GError) error = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, NULL);
    note (stream, "error", error);
    g_atomic_int_set (&stream->failed, TRUE);
  } else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_WARNING) {
    gst_message_parse_warning (message, &error, NULL);
    note (stream, "warning", error);
  }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

static Stream *
stream_of (GstPad *pad)
{
  return g_object_get_data (G_OBJECT (pad), "stream");
}

static GstFlowReturn
chain (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  gst_buffer_unref (buffer);
  g_atomic_int_inc (&stream_of (pad)->results);
  return GST_FLOW_OK;
}

static gboolean
on_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS)
    g_atomic_int_set (&stream_of (pad)->over, TRUE);
  gst_event_unref (event);
  return TRUE;
}

static gboolean
on_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_latency (query, wishes.live, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

static GstPad *
add_pad (Stream *stream, const gchar *name, GstPadDirection direction, const gchar *peer_name)
{
  GstPad *pad = gst_object_ref_sink (gst_pad_new (name, direction));
  g_autoptr (GstPad) peer = gst_element_get_static_pad (stream->element, peer_name);

  g_object_set_data (G_OBJECT (pad), "stream", stream);
  gst_pad_set_query_function (pad, on_query);
  if (direction == GST_PAD_SINK) {
    gst_pad_set_chain_function (pad, chain);
    gst_pad_set_event_function (pad, on_event);
    g_assert_cmpint (gst_pad_link (peer, pad), ==, GST_PAD_LINK_OK);
  } else {
    g_assert_cmpint (gst_pad_link (pad, peer), ==, GST_PAD_LINK_OK);
  }
  gst_pad_set_active (pad, TRUE);
  return pad;
}

static gchar *
give_token (GstElement *element, const gchar *endpoint, gpointer data)
{
  return g_strdup ("t");
}

static Stream *
stream_new (void)
{
  Stream *stream = g_new0 (Stream, 1);
  g_autofree gchar *description = g_strdup_printf ("falrealtimefilter %s", wishes.properties);
  g_autoptr (GError) error = NULL;

  g_mutex_init (&stream->lock);
  stream->said = g_ptr_array_new_with_free_func (g_free);
  stream->element = gst_object_ref_sink (gst_parse_launch (description, &error));
  g_assert_no_error (error);
  stream->books.element = stream->element;
  stream->picture = fixture_noise (wishes.size, wishes.size, 0);
  stream->bus = gst_bus_new ();
  gst_bus_set_sync_handler (stream->bus, on_message, stream, NULL);
  gst_element_set_bus (stream->element, stream->bus);
  if (wishes.provider)
    g_signal_connect (stream->element, "request-token", G_CALLBACK (give_token), NULL);
  if (wishes.prompt)
    gst_object_unref (gst_element_request_pad_simple (stream->element, "prompt"));
  stream->sink = add_pad (stream, "results", GST_PAD_SINK, "src");
  stream->src = add_pad (stream, "frames", GST_PAD_SRC, "sink");
  stream->text = wishes.prompt ? add_pad (stream, "text", GST_PAD_SRC, "prompt") : NULL;
  return stream;
}

static void
drop_pad (GstPad *pad)
{
  if (pad == NULL)
    return;
  gst_pad_set_active (pad, FALSE);
  gst_object_unref (pad);
}

static void
stream_free (Stream *stream)
{
  gst_element_set_bus (stream->element, NULL);
  gst_object_unref (stream->bus);
  gst_object_unref (stream->element);
  drop_pad (stream->src);
  drop_pad (stream->sink);
  drop_pad (stream->text);
  gst_buffer_unref (stream->picture);
  g_ptr_array_unref (stream->said);
  g_mutex_clear (&stream->lock);
  g_free (stream);
}

/* ---- what runs through it ---- */

static void
begin (GstPad *pad, GstCaps *caps)
{
  GstSegment segment;

  gst_segment_init (&segment, GST_FORMAT_TIME);
  gst_pad_push_event (pad, gst_event_new_stream_start ("torture"));
  gst_pad_push_event (pad, gst_event_new_caps (caps));
  gst_pad_push_event (pad, gst_event_new_segment (&segment));
  gst_caps_unref (caps);
}

static void
stream_start (Stream *stream)
{
  stream->started =
      gst_element_set_state (stream->element, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
  if (!stream->started)
    return;
  begin (stream->src, gst_caps_new_simple ("video/x-raw", "format", G_TYPE_STRING, "RGB", "width",
                          G_TYPE_INT, wishes.size, "height", G_TYPE_INT, wishes.size, "framerate",
                          GST_TYPE_FRACTION, 30, 1, NULL));
  if (stream->text)
    begin (stream->text, gst_caps_new_simple ("text/x-raw", "format", G_TYPE_STRING, "utf8", NULL));
}

static void
push_cue (Stream *stream, guint n)
{
  GstBuffer *cue = gst_buffer_new_memdup ("a fox", strlen ("a fox"));

  GST_BUFFER_PTS (cue) = gst_util_uint64_scale (n, GST_SECOND, 30);
  GST_BUFFER_DURATION (cue) = GST_SECOND / 30;
  gst_pad_push (stream->text, cue);
}

/* A camera goes on whose every result is dropped with a WARNING, as long as something is missing.
 */
static gboolean
is_in_vain (Stream *stream)
{
  return stream->pushed > IN_VAIN && fixture_stat (&stream->books, "results-invalid") > IN_VAIN;
}

static gboolean
is_done (Stream *stream)
{
  gint wanted = wishes.live
                    ? g_atomic_int_get (&stream->results) >= wishes.frames || is_in_vain (stream)
                    : g_atomic_int_get (&stream->over);

  return !stream->started || wanted || g_atomic_int_get (&stream->failed);
}

static void
push_frame (Stream *stream, guint n)
{
  GstBuffer *frame = gst_buffer_copy (stream->picture); /* of the same memory */

  GST_BUFFER_PTS (frame) = gst_util_uint64_scale (n, GST_SECOND, 30);
  gst_pad_push (stream->src, frame);
}

/* The next frame; after the last one of a file, the end. */
static void
stream_push (Stream *stream)
{
  if (is_done (stream) || (!wishes.live && (gint) stream->pushed > wishes.frames))
    return;
  if (!wishes.live && (gint) stream->pushed == wishes.frames) {
    gst_pad_push_event (stream->src, gst_event_new_eos ());
  } else {
    if (stream->text)
      push_cue (stream, stream->pushed);
    push_frame (stream, stream->pushed);
  }
  stream->pushed++;
}

/* In time; but whoever looks at the clock needs a thread and descriptors, too. */
static void
go_to_null (Stream *stream)
{
  TimeLimit *watch = NULL;

  if (wishes.limit == NULL) {
    arm (FALSE);
    watch = time_limit_begin ();
    arm (TRUE);
  }
  gst_element_set_state (stream->element, GST_STATE_NULL);
  if (watch != NULL)
    time_limit_expect (watch, NULL_LIMIT, "to NULL", G_STRLOC);
}

static void
stream_stop (Stream *stream)
{
  fixture_check_books (&stream->books);
  go_to_null (stream);
  fixture_check_books (&stream->books);
  g_assert_cmpuint (fixture_stat (&stream->books, "in-flight"), ==, 0);
  g_assert_cmpuint (fixture_stat (&stream->books, "frames-waiting"), ==, 0);
}

/* ---- all of them ---- */

static gboolean is_cut;

static void
cut_in_time (const Stream *first)
{
  if (wishes.cut_after == 0 || is_cut || g_atomic_int_get (&first->results) < wishes.cut_after)
    return;
  is_cut = TRUE;
  kill (wishes.peers, SIGUSR1);
}

static gboolean
step (Stream **streams)
{
  gboolean done = TRUE;

  for (gint i = 0; i < wishes.elements; i++) {
    stream_push (streams[i]);
    cut_in_time (streams[i]);
    done = is_done (streams[i]) && done;
  }
  return done;
}

static void
run (Stream **streams)
{
  is_cut = FALSE;
  for (gint i = 0; i < wishes.elements; i++)
    stream_start (streams[i]);
  WAIT_UNTIL (streams[0]->element, step (streams));
  for (gint i = 0; i < wishes.elements; i++)
    stream_stop (streams[i]);
}

static void
make (Stream **streams)
{
  for (gint i = 0; i < wishes.elements; i++)
    streams[i] = stream_new ();
}

static void
let_go (Stream **streams)
{
  for (gint i = 0; i < wishes.elements; i++)
    stream_free (streams[i]);
}

static void
run_as_it_should (void)
{
  Stream *streams[MOST_ELEMENTS];

  make (streams);
  run (streams);
  for (gint i = 0; i < wishes.elements; i++)
    if (streams[i]->results < wishes.frames)
      g_error ("only %d results where nothing fails: %s", streams[i]->results,
          streams[i]->said->len > 0 ? (gchar *) streams[i]->said->pdata[0] : "and not a word");
  let_go (streams);
}

/* ---- the second time ---- */

/* What was said, and that something was where a stream was not served. */
static void
tell (Stream *stream)
{
  gboolean served = stream->results >= wishes.frames && !stream->failed;

  printf ("%s\n", served ? "served" : "not-served");
  for (guint i = 0; i < stream->said->len; i++)
    printf ("%s\n", (gchar *) stream->said->pdata[i]);
  if (!served && stream->said->len == 0)
    g_error ("%s, %d of %d results, and not a word", stream->started ? "started" : "did not start",
        stream->results, wishes.frames);
}

static void
tell_calls (void)
{
  Dl_info info = { 0 };
  void *place;
  gsize size = calls.unguarded (&place);

  for (guint i = 0; i < FAULTY_KINDS; i++)
    printf ("calls %u %lu\n", i, calls.count (i));
  printf ("hit %d\n", calls.failed ());
  if (place != NULL && dladdr (place, &info) != 0)
    printf ("unguarded %" G_GSIZE_FORMAT " %s+0x%lx\n", size, info.dli_fname,
        (gulong) ((gchar *) place - (gchar *) info.dli_fbase));
}

static void
run_tortured (void)
{
  Stream *streams[MOST_ELEMENTS];

  make (streams);
  tortured = TRUE;
  limit (TRUE);
  arm (TRUE);
  run (streams);
  tortured = FALSE;
  arm (FALSE);
  limit (FALSE);
  for (gint i = 0; i < wishes.elements; i++)
    tell (streams[i]);
  let_go (streams);
}

/* ---- the program ---- */

static void
drop_log (const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
}

/* One who has no other process, since a limit of threads is the user's. It comes after what only
 * root may read. */
static void
become_user (void)
{
  if (wishes.user == 0)
    return;
  if (setgid (wishes.user) != 0 || setuid (wishes.user) != 0)
    g_error ("cannot become user %d", wishes.user);
  prctl (PR_SET_DUMPABLE, 1); /* else /proc/self/fd is root's */
}

/* Says from where the crash came, before the program ends of it. */
static void
on_crash (int number)
{
  void *frames[48];

  backtrace_symbols_fd (frames, backtrace (frames, 48), STDERR_FILENO);
  signal (number, SIG_DFL);
}

static void
catch_crashes (void)
{
  static gchar memory[65536];
  const stack_t stack = { .ss_sp = memory, .ss_size = sizeof memory };
  const struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_ONSTACK };
  void *frame;

  sigaltstack (&stack, NULL);
  sigaction (SIGSEGV, &action, NULL);
  backtrace (&frame, 1); /* loads what it needs while there is memory */
}

int
main (int argc, char **argv)
{
  Invariants *invariants;

  read_wishes (&argc, &argv);
  gst_init (NULL, NULL);
  catch_crashes ();
  find_calls ();
  g_log_set_handler ("libsoup", G_LOG_LEVEL_DEBUG, drop_log, NULL);
  g_thread_pool_set_max_unused_threads (0);
  if (wishes.cold) {
    run_tortured ();
    run_as_it_should ();
    invariants = invariants_new ();
  } else {
    run_as_it_should ();
    become_user ();
    settle ();
    invariants = invariants_new ();
    run_tortured ();
  }
  run_as_it_should ();
  invariants_free (invariants);
  tell_calls ();
  return 0;
}
