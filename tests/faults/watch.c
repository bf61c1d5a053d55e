/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The watch: a thread that samples books, bounds and memory, and a probe on the pad that takes the
 * results, on the element's source task. */
#include "watch.h"

#include <string.h>
#include <unistd.h>

#define SAMPLE_INTERVAL (3 * G_TIME_SPAN_MILLISECOND)
#define NULL_LIMIT (PATIENCE * 250 * G_TIME_SPAN_MILLISECOND)
/* After it, a test that hangs on its way to NULL is ended. */
#define NULL_WATCHDOG (5 * G_USEC_PER_SEC)

/* A sanitizer's shadow and quarantine count too. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_LIMIT (256 << 20)
#else
#define MEMORY_LIMIT (64 << 20)
#endif

struct _Watch {
  guint descriptors, threads;
  gsize memory; /* bytes */
  gsize most_memory;
  Fixture *fixture;
  guint most_waiting, most_in_flight;
  GThread *sampler;

  GMutex lock;
  GCond stop;
  /* Below: lock. */
  gboolean stopped;
  gint64 down_since; /* when it was to go to NULL; 0: not yet */
  GstSegment segment;
  gboolean has_caps, has_segment, flushing, over;
  GstClockTime last; /* running time */
  guint good, newest;
  gint width, height; /* of the last result of another size */
};

/* ---- the process ---- */

static guint
count_entries (const gchar *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

static gsize
get_memory (void)
{
  g_autofree gchar *text = NULL;
  const gchar *resident;

  if (!g_file_get_contents ("/proc/self/statm", &text, NULL, NULL))
    return 0;
  resident = strchr (text, ' ');
  return g_ascii_strtoull (resident + 1, NULL, 10) * sysconf (_SC_PAGESIZE);
}

static gchar *
list_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  GString *names = g_string_new (NULL);
  const gchar *id;

  while ((id = g_dir_read_name (dir))) {
    g_autofree gchar *path = g_strdup_printf ("/proc/self/task/%s/comm", id);
    g_autofree gchar *name = NULL;

    if (g_file_get_contents (path, &name, NULL, NULL))
      g_string_append_printf (names, "%s ", g_strchomp (name));
  }
  return g_string_free (names, FALSE);
}

/* A thread that was joined stays in the list for a moment, one of a GLib pool for half a second. */
static void
wait_for_entries (const gchar *folder, guint wanted)
{
  gint64 watchdog = g_get_monotonic_time () + 5 * G_USEC_PER_SEC;

  while (count_entries (folder) > wanted) {
    if (g_get_monotonic_time () > watchdog) {
      g_autofree gchar *threads = list_threads ();

      g_error ("%s holds %u entries, held %u before; threads: %s", folder, count_entries (folder),
          wanted, threads);
    }
    g_usleep (1000);
  }
}

/* ---- the element ---- */

static void
check_memory (Watch *watch)
{
  gsize memory = get_memory ();

  watch->most_memory = MAX (watch->most_memory, memory);
  if (memory > watch->memory + MEMORY_LIMIT)
    g_error ("memory grew by %" G_GSIZE_FORMAT " MB", (memory - watch->memory) >> 20);
}

static void
check_element (Watch *watch)
{
  fixture_check_books (watch->fixture);
  if (watch->most_waiting > 0)
    g_assert_cmpuint (fixture_stat (watch->fixture, "frames-waiting"), <=, watch->most_waiting);
  if (watch->most_in_flight > 0)
    g_assert_cmpuint (fixture_stat (watch->fixture, "in-flight"), <=, watch->most_in_flight);
}

static gpointer
sample (gpointer data)
{
  Watch *watch = data;

  g_mutex_lock (&watch->lock);
  while (!watch->stopped) {
    g_mutex_unlock (&watch->lock);
    check_memory (watch);
    check_element (watch);
    g_mutex_lock (&watch->lock);
    if (watch->down_since && g_get_monotonic_time () - watch->down_since > NULL_WATCHDOG)
      g_error ("the element does not come down to NULL");
    if (!watch->stopped)
      g_cond_wait_until (&watch->stop, &watch->lock, g_get_monotonic_time () + SAMPLE_INTERVAL);
  }
  g_mutex_unlock (&watch->lock);
  return NULL;
}

/* ---- the output ---- */

/* Steps of 16 with room on both sides: JPEG leaves them apart. */
static guint
colour_of (guint n)
{
  guint colour = 0;

  for (guint i = 0; i < 3; i++)
    colour |= (((n >> (4 * i)) & 15) * 15 + 8) << (8 * i);
  return colour;
}

GstBuffer *
watch_make_frame (guint n)
{
  return fixture_frame (WATCH_SIZE, WATCH_SIZE, colour_of (n % 4096), n);
}

/* With the lock held. */
static void
look_at_picture (Watch *watch, GstBuffer *buffer)
{
  g_autoptr (GstCaps) caps = fixture_get_caps (watch->fixture);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  guint n = (GST_BUFFER_PTS (buffer) * 30 + 30) / GST_SECOND; /* it was rounded down */
  gint width = 0, height = 0;

  gst_structure_get_int (structure, "width", &width);
  gst_structure_get_int (structure, "height", &height);
  if (width != WATCH_SIZE || height != WATCH_SIZE) {
    watch->width = width;
    watch->height = height;
    return;
  }
  if (GST_BUFFER_PTS_IS_VALID (buffer))
    assert_colour (fixture_colour (watch->fixture, buffer), colour_of (n % 4096), 6);
  watch->newest = n;
  watch->good++;
}

/* With the lock held. */
static void
look_at_buffer (Watch *watch, GstBuffer *buffer)
{
  GstClockTime running;

  g_assert_true (watch->has_caps && watch->has_segment);
  g_assert_false (watch->over);
  g_assert_false (watch->flushing);
  look_at_picture (watch, buffer);
  if (watch->segment.format != GST_FORMAT_TIME)
    return;
  running = gst_segment_to_running_time (&watch->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  if (!GST_CLOCK_TIME_IS_VALID (running))
    return;
  if (GST_CLOCK_TIME_IS_VALID (watch->last))
    g_assert_cmpuint (running, >=, watch->last);
  watch->last = running;
}

/* With the lock held. */
static void
look_at_event (Watch *watch, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_CAPS:
    watch->has_caps = TRUE;
    break;
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment (event, &watch->segment);
    watch->has_segment = TRUE;
    break;
  case GST_EVENT_EOS:
    watch->over = TRUE;
    break;
  case GST_EVENT_FLUSH_START:
    watch->flushing = TRUE;
    break;
  case GST_EVENT_FLUSH_STOP:
    watch->flushing = watch->over = watch->has_segment = FALSE;
    watch->last = GST_CLOCK_TIME_NONE;
    break;
  case GST_EVENT_STREAM_START:
    watch->over = watch->has_caps = watch->has_segment = FALSE;
    watch->last = GST_CLOCK_TIME_NONE;
    break;
  default:
    break;
  }
}

static GstPadProbeReturn
on_output (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Watch *watch = data;

  g_mutex_lock (&watch->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    look_at_buffer (watch, GST_PAD_PROBE_INFO_BUFFER (info));
  else
    look_at_event (watch, GST_PAD_PROBE_INFO_EVENT (info));
  g_mutex_unlock (&watch->lock);
  return GST_PAD_PROBE_OK;
}

/* ---- life ---- */

Watch *
watch_new (void)
{
  Watch *watch = g_new0 (Watch, 1);

  g_mutex_init (&watch->lock);
  g_cond_init (&watch->stop);
  watch->last = GST_CLOCK_TIME_NONE;
  watch->descriptors = count_entries ("/proc/self/fd");
  watch->threads = count_entries ("/proc/self/task");
  watch->memory = watch->most_memory = get_memory ();
  return watch;
}

void
watch_begin (Watch *watch, Fixture *fixture, guint waiting, guint in_flight)
{
  watch->fixture = fixture;
  watch->most_waiting = waiting;
  watch->most_in_flight = in_flight;
  gst_harness_set_drop_buffers (fixture->harness, TRUE);
  gst_pad_add_probe (fixture->harness->sinkpad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
          GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      on_output, watch, NULL);
  watch->sampler = g_thread_new ("watch", sample, watch);
}

void
watch_stop (Watch *watch)
{
  gint64 began = g_get_monotonic_time (), took;

  g_mutex_lock (&watch->lock);
  watch->down_since = began;
  g_mutex_unlock (&watch->lock);
  gst_element_set_state (watch->fixture->harness->element, GST_STATE_NULL);
  took = g_get_monotonic_time () - began;
  g_assert_cmpint (took, <, NULL_LIMIT);
  g_mutex_lock (&watch->lock);
  watch->stopped = TRUE;
  g_cond_signal (&watch->stop);
  g_mutex_unlock (&watch->lock);
  g_thread_join (watch->sampler);
  check_memory (watch);
  check_element (watch);
  g_assert_cmpuint (fixture_stat (watch->fixture, "in-flight"), ==, 0);
  g_assert_cmpuint (fixture_stat (watch->fixture, "frames-waiting"), ==, 0);
  g_test_message ("to NULL in %d us; memory grew by %d MB", (gint) took,
      (gint) ((watch->most_memory - watch->memory) >> 20));
}

void
watch_free (Watch *watch)
{
  wait_for_entries ("/proc/self/fd", watch->descriptors);
  wait_for_entries ("/proc/self/task", watch->threads);
  g_mutex_clear (&watch->lock);
  g_cond_clear (&watch->stop);
  g_free (watch);
}

/* ---- questions ---- */

static guint
get_count (Watch *watch, const guint *count)
{
  guint n;

  g_mutex_lock (&watch->lock);
  n = *count;
  g_mutex_unlock (&watch->lock);
  return n;
}

guint
watch_get_good (Watch *watch)
{
  return get_count (watch, &watch->good);
}

guint
watch_get_newest (Watch *watch)
{
  return get_count (watch, &watch->newest);
}

gboolean
watch_is_over (Watch *watch)
{
  gboolean over;

  g_mutex_lock (&watch->lock);
  over = watch->over;
  g_mutex_unlock (&watch->lock);
  return over;
}

gchar *
watch_dup_size (Watch *watch)
{
  gchar *size;

  g_mutex_lock (&watch->lock);
  size = g_strdup_printf ("%dx%d", watch->width, watch->height);
  g_mutex_unlock (&watch->lock);
  return size;
}

/* ---- fixtures without a server ---- */

Fixture *
watch_make_fixture (const gchar *description, gboolean live)
{
  Fixture *fixture = g_new0 (Fixture, 1);

  fixture->harness = gst_harness_new_parse (description);
  g_assert_nonnull (fixture->harness);
  gst_harness_set_live (fixture->harness, live);
  fixture->element = gst_harness_find_element (fixture->harness, "falrealtimefilter");
  gst_object_unref (fixture->element);
  fixture->bus = gst_bus_new ();
  gst_element_set_bus (fixture->element, fixture->bus);
  return fixture;
}

void
watch_free_fixture (Fixture *fixture)
{
  gst_element_set_bus (fixture->element, NULL);
  gst_harness_teardown (fixture->harness);
  gst_bus_set_flushing (fixture->bus, TRUE);
  gst_object_unref (fixture->bus);
  g_free (fixture);
}

/* One round of everything that starts something for good: the thread that spawns those of pools,
 * the file descriptors of the resolver's and the clock's. */
static void
warm_up (void)
{
  g_autoptr (Fixture) fixture = fixture_new_live (NULL, "token=warm");

  fixture_set_size (fixture, WATCH_SIZE, WATCH_SIZE);
  fixture_push (fixture, watch_make_frame (0));
  gst_buffer_unref (fixture_pull (fixture));
}

/* A line for each frame and message: GTest would print them all. */
static void
drop_log (const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
}

void
watch_init (int *argc, char ***argv)
{
  static const gchar *const domains[] = { "libsoup", "GLib-GIO" };

  fixture_init (argc, argv);
  for (guint i = 0; i < G_N_ELEMENTS (domains); i++)
    g_log_set_handler (domains[i], G_LOG_LEVEL_DEBUG, drop_log, NULL);
  g_thread_pool_set_max_unused_threads (0);
  warm_up ();
}
