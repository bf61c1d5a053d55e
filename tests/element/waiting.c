/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "waiting.h"

#include <stdio.h>

Wait
wait_begin (guint interval, const gchar *condition, const gchar *place)
{
  return (Wait){ interval, g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC, condition,
    place };
}

gboolean
wait_goes_on (Wait *wait)
{
  if (g_get_monotonic_time () >= wait->end)
    return FALSE;
  g_usleep (wait->interval);
  return TRUE;
}

static gchar *
describe (GstElement *element)
{
  g_autoptr (GstStructure) stats = NULL;
  g_autofree gchar *figures = NULL;
  gint state;

  if (element == NULL)
    return g_strdup ("no more is known");
  g_object_get (element, "stats", &stats, "connection-state", &state, NULL);
  figures = gst_structure_to_string (stats);
  return g_strdup_printf ("connection-state %d, %s", state, figures);
}

void
wait_fail (const Wait *wait, GstElement *element)
{
  g_autofree gchar *description = describe (element);

  g_error ("%s: waited in vain for \"%s\": %s", wait->place, wait->condition, description);
}

void
pace_until (gint64 moment)
{
  gint64 now = g_get_monotonic_time ();

  if (moment > now)
    g_usleep (moment - now);
}

void
pace_for (gint64 interval)
{
  pace_until (g_get_monotonic_time () + interval);
}

/* ---- time limits ---- */

/* How often it looks at the threads: one that ends between two looks is known up to the last. */
#define LOOK_INTERVAL (2 * G_TIME_SPAN_MILLISECOND)

struct _TimeLimit {
  gint64 began;
  GThread *thread;
  gint stopped; /* atomic */

  /* The thread's, and after its end the owner's. */
  GHashTable *first, *last; /* id of a thread to the ns for which it has waited for a processor */
};

/* The kernel's second figure of a thread is the time for which it was ready and did not run. */
static gboolean
read_delay (const gchar *thread, guint64 *delay)
{
  g_autofree gchar *path = g_strdup_printf ("/proc/self/task/%s/schedstat", thread);
  g_autofree gchar *text = NULL;
  guint64 ran;

  return g_file_get_contents (path, &text, NULL, NULL) &&
         sscanf (text, "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT, &ran, delay) == 2;
}

/* A thread that is new since the start counts from nothing. */
static void
look (TimeLimit *watch, gboolean is_first)
{
  GDir *dir = g_dir_open ("/proc/self/task", 0, NULL);
  const gchar *thread;
  guint64 delay;

  while (dir != NULL && (thread = g_dir_read_name (dir))) {
    if (!read_delay (thread, &delay))
      continue;
    g_hash_table_replace (watch->last, g_strdup (thread), g_memdup2 (&delay, sizeof delay));
    if (is_first)
      g_hash_table_replace (watch->first, g_strdup (thread), g_memdup2 (&delay, sizeof delay));
  }
  if (dir != NULL)
    g_dir_close (dir);
}

static gpointer
keep_looking (gpointer data)
{
  TimeLimit *watch = data;

  while (!g_atomic_int_get (&watch->stopped)) {
    look (watch, FALSE);
    g_usleep (LOOK_INTERVAL);
  }
  return NULL;
}

TimeLimit *
time_limit_begin (void)
{
  TimeLimit *watch = g_new0 (TimeLimit, 1);

  watch->first = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  watch->last = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  look (watch, TRUE);
  watch->began = g_get_monotonic_time ();
  watch->thread = g_thread_new ("time-limit", keep_looking, watch);
  return watch;
}

/* For how long this program's threads waited for a processor since the start, µs. */
static gint64
sum_delays (TimeLimit *watch)
{
  GHashTableIter iter;
  gpointer thread, delay;
  guint64 sum = 0;

  g_hash_table_iter_init (&iter, watch->last);
  while (g_hash_table_iter_next (&iter, &thread, &delay)) {
    const guint64 *before = g_hash_table_lookup (watch->first, thread);

    sum += *(guint64 *) delay - (before ? *before : 0);
  }
  return sum / 1000;
}

gint64
time_limit_end (TimeLimit *watch, gint64 *delayed)
{
  gint64 took = g_get_monotonic_time () - watch->began;

  g_atomic_int_set (&watch->stopped, TRUE);
  g_thread_join (watch->thread);
  look (watch, FALSE);
  *delayed = sum_delays (watch);
  g_hash_table_unref (watch->first);
  g_hash_table_unref (watch->last);
  g_free (watch);
  return took;
}

gint64
time_limit_expect (TimeLimit *watch, gint64 limit, const gchar *step, const gchar *place)
{
  gint64 delayed, took = time_limit_end (watch, &delayed);

  limit *= PATIENCE;
  if (took - delayed > limit)
    g_error ("%s: \"%s\" took %d µs, and %d µs more for want of a processor, where %d are allowed",
        place, step, (gint) (took - delayed), (gint) delayed, (gint) limit);
  return took;
}
