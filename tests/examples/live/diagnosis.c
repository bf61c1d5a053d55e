/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "diagnosis.h"

#define LEAST (2 * G_TIME_SPAN_SECOND)
#define MOST (10 * G_TIME_SPAN_SECOND)
#define ENOUGH_ANSWERS 4
#define N_ARRIVALS 4096 /* kept: a packet each is 6 MB, in ten seconds */

typedef struct {
  gint64 time;
  GstStructure *stats;
} Look;

struct _LiveDiagnosis {
  GQueue looks; /* Look, the oldest first */

  GMutex mutex;                /* protects the next two */
  gint64 arrivals[N_ARRIVALS]; /* monotonic µs, a ring */
  guint64 n_arrivals;          /* so far */
};

static void
look_free (Look *look)
{
  gst_structure_free (look->stats);
  g_free (look);
}

LiveDiagnosis *
live_diagnosis_new (void)
{
  LiveDiagnosis *diagnosis = g_new0 (LiveDiagnosis, 1);

  g_queue_init (&diagnosis->looks);
  g_mutex_init (&diagnosis->mutex);
  return diagnosis;
}

void
live_diagnosis_free (LiveDiagnosis *diagnosis)
{
  g_queue_clear_full (&diagnosis->looks, (GDestroyNotify) look_free);
  g_mutex_clear (&diagnosis->mutex);
  g_free (diagnosis);
}

void
live_diagnosis_note_received (LiveDiagnosis *diagnosis, gint64 time)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&diagnosis->mutex);

  diagnosis->arrivals[diagnosis->n_arrivals++ % N_ARRIVALS] = time;
}

/* Since @since, without the pauses, which are longer than @pause: µs. */
static gint64
get_receiving (LiveDiagnosis *diagnosis, gint64 since, gint64 pause)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&diagnosis->mutex);
  guint64 oldest = diagnosis->n_arrivals - MIN (diagnosis->n_arrivals, N_ARRIVALS);
  gint64 receiving = 0;

  for (guint64 i = diagnosis->n_arrivals; i > oldest + 1; i--) {
    gint64 last = diagnosis->arrivals[(i - 1) % N_ARRIVALS];
    gint64 before = diagnosis->arrivals[(i - 2) % N_ARRIVALS];

    if (before < since)
      break;
    if (last - before <= pause)
      receiving += last - before;
  }
  return receiving;
}

static guint64
count_answers (const GstStructure *stats)
{
  guint64 count = 0;

  gst_structure_get_uint64 (stats, "answered", &count);
  return count;
}

/* The newest look that is old enough and has enough answers since; else the oldest. */
static const Look *
find_before (const LiveDiagnosis *diagnosis, const GstStructure *now_stats, gint64 now)
{
  guint64 answered = count_answers (now_stats);

  for (GList *link = diagnosis->looks.tail; link != NULL; link = link->prev) {
    const Look *look = link->data;

    if (now - look->time >= LEAST && answered >= count_answers (look->stats) + ENOUGH_ANSWERS)
      return look;
  }
  return g_queue_peek_head (&((LiveDiagnosis *) diagnosis)->looks);
}

static void
remember (LiveDiagnosis *diagnosis, const GstStructure *stats, gint64 now)
{
  Look *look = g_new (Look, 1);

  *look = (Look){ now, gst_structure_copy (stats) };
  g_queue_push_tail (&diagnosis->looks, look);
  while (now - ((Look *) g_queue_peek_head (&diagnosis->looks))->time > MOST)
    look_free (g_queue_pop_head (&diagnosis->looks));
}

LiveLimit
live_diagnosis_look (
    LiveDiagnosis *diagnosis, LiveSituation *situation, gint64 now, gchar **sentence)
{
  const Look *before = find_before (diagnosis, situation->now, now);
  LiveLimit limit;

  situation->before = before ? before->stats : situation->now;
  situation->time = before ? now - before->time : 0;
  if (before != NULL) {
    guint64 answers = count_answers (situation->now) - count_answers (before->stats);
    gint64 pause = answers > 0 ? situation->time / (gint64) answers / 2 : 0;

    situation->receiving = get_receiving (diagnosis, before->time, pause);
  }
  limit = live_limit_find (situation, sentence);
  remember (diagnosis, situation->now, now);
  return limit;
}
