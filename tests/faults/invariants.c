/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A thread that samples books, bounds and memory, and a probe on the pad that takes the
 * results, on the element's source task. */
#include "invariants.h"

#include <string.h>
#include <unistd.h>

#define SAMPLE_INTERVAL (3 * G_TIME_SPAN_MILLISECOND)
#define NULL_LIMIT (250 * G_TIME_SPAN_MILLISECOND)
/* After it, a test that hangs on its way to NULL is ended. */
#define NULL_WATCHDOG (5 * G_USEC_PER_SEC)

/* A sanitizer's shadow and quarantine count too. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MEMORY_LIMIT (256 << 20)
#else
#define MEMORY_LIMIT (64 << 20)
#endif

struct _Invariants {
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
  guint steps_back;  /* that may still come */
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
  Wait wait = wait_begin (1000, folder, G_STRLOC);

  while (count_entries (folder) > wanted)
    if (!wait_goes_on (&wait)) {
      g_autofree gchar *threads = list_threads ();

      g_error ("%s holds %u entries, held %u before; threads: %s", folder, count_entries (folder),
          wanted, threads);
    }
}

/* ---- the element ---- */

static void
check_memory (Invariants *invariants)
{
  gsize memory = get_memory ();

  invariants->most_memory = MAX (invariants->most_memory, memory);
  if (memory > invariants->memory + MEMORY_LIMIT)
    g_error ("memory grew by %" G_GSIZE_FORMAT " MB", (memory - invariants->memory) >> 20);
}

static void
check_element (Invariants *invariants)
{
  fixture_check_books (invariants->fixture);
  if (invariants->most_waiting > 0)
    g_assert_cmpuint (
        fixture_stat (invariants->fixture, "frames-waiting"), <=, invariants->most_waiting);
  if (invariants->most_in_flight > 0)
    g_assert_cmpuint (
        fixture_stat (invariants->fixture, "in-flight"), <=, invariants->most_in_flight);
}

static gpointer
sample (gpointer data)
{
  Invariants *invariants = data;

  g_mutex_lock (&invariants->lock);
  while (!invariants->stopped) {
    g_mutex_unlock (&invariants->lock);
    check_memory (invariants);
    check_element (invariants);
    g_mutex_lock (&invariants->lock);
    if (invariants->down_since && g_get_monotonic_time () - invariants->down_since > NULL_WATCHDOG)
      g_error ("the element does not come down to NULL");
    if (!invariants->stopped)
      g_cond_wait_until (
          &invariants->stop, &invariants->lock, g_get_monotonic_time () + SAMPLE_INTERVAL);
  }
  g_mutex_unlock (&invariants->lock);
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
invariants_make_frame (guint n)
{
  return fixture_frame (FRAME_SIZE, FRAME_SIZE, colour_of (n % 4096), n);
}

/* With the lock held. */
static void
look_at_picture (Invariants *invariants, GstBuffer *buffer)
{
  g_autoptr (GstCaps) caps = fixture_get_caps (invariants->fixture);
  const GstStructure *structure = gst_caps_get_structure (caps, 0);
  guint n = (GST_BUFFER_PTS (buffer) * 30 + 30) / GST_SECOND; /* it was rounded down */
  gint width = 0, height = 0;

  gst_structure_get_int (structure, "width", &width);
  gst_structure_get_int (structure, "height", &height);
  if (width != FRAME_SIZE || height != FRAME_SIZE) {
    invariants->width = width;
    invariants->height = height;
    return;
  }
  if (GST_BUFFER_PTS_IS_VALID (buffer))
    assert_colour (fixture_colour (invariants->fixture, buffer), colour_of (n % 4096), 6);
  invariants->newest = n;
  invariants->good++;
}

/* With the lock held. */
static void
look_at_buffer (Invariants *invariants, GstBuffer *buffer)
{
  GstClockTime running;

  g_assert_true (invariants->has_caps && invariants->has_segment);
  g_assert_false (invariants->over);
  g_assert_false (invariants->flushing);
  look_at_picture (invariants, buffer);
  if (invariants->segment.format != GST_FORMAT_TIME)
    return;
  running =
      gst_segment_to_running_time (&invariants->segment, GST_FORMAT_TIME, GST_BUFFER_PTS (buffer));
  if (!GST_CLOCK_TIME_IS_VALID (running))
    return;
  if (GST_CLOCK_TIME_IS_VALID (invariants->last) && running < invariants->last)
    g_assert_cmpuint (invariants->steps_back--, >, 0);
  invariants->last = running;
}

/* With the lock held. */
static void
look_at_event (Invariants *invariants, GstEvent *event)
{
  switch (GST_EVENT_TYPE (event)) {
  case GST_EVENT_CAPS:
    invariants->has_caps = TRUE;
    break;
  case GST_EVENT_SEGMENT:
    gst_event_copy_segment (event, &invariants->segment);
    invariants->has_segment = TRUE;
    break;
  case GST_EVENT_EOS:
    invariants->over = TRUE;
    break;
  case GST_EVENT_FLUSH_START:
    invariants->flushing = TRUE;
    break;
  case GST_EVENT_FLUSH_STOP:
    invariants->flushing = invariants->over = invariants->has_segment = FALSE;
    invariants->last = GST_CLOCK_TIME_NONE;
    break;
  case GST_EVENT_STREAM_START:
    invariants->over = invariants->has_caps = invariants->has_segment = FALSE;
    invariants->last = GST_CLOCK_TIME_NONE;
    break;
  default:
    break;
  }
}

static GstPadProbeReturn
on_output (GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
  Invariants *invariants = data;

  g_mutex_lock (&invariants->lock);
  if (info->type & GST_PAD_PROBE_TYPE_BUFFER)
    look_at_buffer (invariants, GST_PAD_PROBE_INFO_BUFFER (info));
  else
    look_at_event (invariants, GST_PAD_PROBE_INFO_EVENT (info));
  g_mutex_unlock (&invariants->lock);
  return GST_PAD_PROBE_OK;
}

/* ---- life ---- */

Invariants *
invariants_new (void)
{
  Invariants *invariants = g_new0 (Invariants, 1);

  g_mutex_init (&invariants->lock);
  g_cond_init (&invariants->stop);
  invariants->last = GST_CLOCK_TIME_NONE;
  invariants->descriptors = count_entries ("/proc/self/fd");
  invariants->threads = count_entries ("/proc/self/task");
  invariants->memory = invariants->most_memory = get_memory ();
  return invariants;
}

void
invariants_begin (Invariants *invariants, Fixture *fixture, guint waiting, guint in_flight)
{
  invariants->fixture = fixture;
  invariants->most_waiting = waiting;
  invariants->most_in_flight = in_flight;
  gst_harness_set_drop_buffers (fixture->harness, TRUE);
  gst_pad_add_probe (fixture->harness->sinkpad,
      GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM |
          GST_PAD_PROBE_TYPE_EVENT_FLUSH,
      on_output, invariants, NULL);
  invariants->sampler = g_thread_new ("invariants", sample, invariants);
}

void
invariants_stop (Invariants *invariants)
{
  TimeLimit *watch = time_limit_begin ();
  gint64 took;

  g_mutex_lock (&invariants->lock);
  invariants->down_since = g_get_monotonic_time ();
  g_mutex_unlock (&invariants->lock);
  gst_element_set_state (invariants->fixture->harness->element, GST_STATE_NULL);
  took = time_limit_expect (watch, NULL_LIMIT, "to NULL", G_STRLOC);
  g_mutex_lock (&invariants->lock);
  invariants->stopped = TRUE;
  g_cond_signal (&invariants->stop);
  g_mutex_unlock (&invariants->lock);
  g_thread_join (invariants->sampler);
  check_memory (invariants);
  check_element (invariants);
  g_assert_cmpuint (fixture_stat (invariants->fixture, "in-flight"), ==, 0);
  g_assert_cmpuint (fixture_stat (invariants->fixture, "frames-waiting"), ==, 0);
  g_test_message ("to NULL in %d us; memory grew by %d MB", (gint) took,
      (gint) ((invariants->most_memory - invariants->memory) >> 20));
}

void
invariants_free (Invariants *invariants)
{
  wait_for_entries ("/proc/self/fd", invariants->descriptors);
  wait_for_entries ("/proc/self/task", invariants->threads);
  g_mutex_clear (&invariants->lock);
  g_cond_clear (&invariants->stop);
  g_free (invariants);
}

/* ---- questions ---- */

static guint
get_count (Invariants *invariants, const guint *count)
{
  guint n;

  g_mutex_lock (&invariants->lock);
  n = *count;
  g_mutex_unlock (&invariants->lock);
  return n;
}

void
invariants_expect_steps_back (Invariants *invariants, guint times)
{
  g_mutex_lock (&invariants->lock);
  invariants->steps_back = times;
  g_mutex_unlock (&invariants->lock);
}

guint
invariants_get_good (Invariants *invariants)
{
  return get_count (invariants, &invariants->good);
}

guint
invariants_get_newest (Invariants *invariants)
{
  return get_count (invariants, &invariants->newest);
}

gboolean
invariants_is_over (Invariants *invariants)
{
  gboolean over;

  g_mutex_lock (&invariants->lock);
  over = invariants->over;
  g_mutex_unlock (&invariants->lock);
  return over;
}

gchar *
invariants_dup_size (Invariants *invariants)
{
  gchar *size;

  g_mutex_lock (&invariants->lock);
  size = g_strdup_printf ("%dx%d", invariants->width, invariants->height);
  g_mutex_unlock (&invariants->lock);
  return size;
}

/* ---- before all tests ---- */

/* One round of everything that starts something for good: the thread that spawns those of pools,
 * the file descriptors of the resolver's and the clock's. */
static void
warm_up (void)
{
  g_autoptr (Fixture) fixture = fixture_new_live (NULL, "token=warm");

  fixture_set_size (fixture, FRAME_SIZE, FRAME_SIZE);
  fixture_push (fixture, invariants_make_frame (0));
  gst_buffer_unref (fixture_pull (fixture));
}

/* A line for each frame and message: GTest would print them all. */
static void
drop_log (const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer data)
{
}

void
invariants_init (int *argc, char ***argv)
{
  static const gchar *const domains[] = { "libsoup", "GLib-GIO" };

  fixture_init (argc, argv);
  for (guint i = 0; i < G_N_ELEMENTS (domains); i++)
    g_log_set_handler (domains[i], G_LOG_LEVEL_DEBUG, drop_log, NULL);
  g_thread_pool_set_max_unused_threads (0);
  warm_up ();
}
