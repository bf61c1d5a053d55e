/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "window-marks.h"
#include <math.h>

/* The part of its time that a model may idle. */
#define IDLE 0.03

gdouble
frame_interval (const Scenario *s)
{
  return 1000 / s->fps;
}

static gdouble
upload (const Scenario *s)
{
  return s->upload > 0 ? s->upload : UPLOAD;
}

static gdouble
download (const Scenario *s)
{
  return s->download > 0 ? s->download : DOWNLOAD;
}

/* Of the slowest part of the way. */
static gdouble
bottleneck (const Scenario *s)
{
  return MAX (MAX (s->service * (1 + 4 * s->stalls), upload (s)), download (s));
}

gdouble
period (const Scenario *s)
{
  return MAX (bottleneck (s), frame_interval (s));
}

/* A path that has no length cannot be shorter by the jitter, only longer. */
gdouble
trip (const Scenario *s)
{
  return upload (s) + s->rtt + download (s) + s->service +
         (s->rtt < s->path_jitter ? (s->path_jitter - s->rtt) / 4 : 0);
}

static gdouble
frame_wait (const Scenario *s)
{
  return bottleneck (s) > frame_interval (s) * 1.001 ? frame_interval (s) : 0;
}

gdouble
floor_of (const Scenario *s)
{
  return trip (s) + frame_wait (s) / 2;
}

Scenario
after_change (const Scenario *s)
{
  Scenario after = *s;
  gdouble size = s->size2 > 0 ? s->size2 : 1;

  after.service = s->service2;
  after.rtt = s->rtt2;
  after.upload = upload (s) * size;
  after.download = download (s) * size;
  return after;
}

/* How far what is normally spread exceeds @z in the mean, in units of the spread. */
static gdouble
normal_loss (gdouble z)
{
  return exp (-z * z / 2) / sqrt (2 * G_PI) - z * erfc (z / G_SQRT2) / 2;
}

/* The @z at which it does so by @loss. */
static gdouble
inverse_loss (gdouble loss)
{
  gdouble low = -20, high = 5;

  for (guint i = 0; i < 50; i++) {
    gdouble z = (low + high) / 2;

    if (normal_loss (z) > loss)
      low = z;
    else
      high = z;
  }
  return low;
}

Foresight
without_foresight (const Scenario *s)
{
  gdouble wait = frame_wait (s), delay = trip (s) - s->service;
  gdouble model = pow (s->jitter * s->service, 2) / 3, path = pow (s->path_jitter, 2) / 6;
  gdouble spread = sqrt (model * (1 + delay / s->service) + path);
  gdouble early = 0, age = floor_of (s);

  if (wait > 0 && spread > 0)
    early = MAX (0, (inverse_loss (IDLE * s->service / spread) * spread) + IDLE * s->service);
  if (model + path == 0)
    return (Foresight){ age, trip (s) + 0.95 * wait };
  spread = MIN (early, spread);
  return (Foresight){ age + 0.8 * early,
    age + early + 1.645 * sqrt (wait * wait / 12 + model + path + spread * spread) };
}

static gint
compare_ages (gconstpointer a, gconstpointer b)
{
  gint64 x = ((const Answer *) a)->age, y = ((const Answer *) b)->age;

  return (x > y) - (x < y);
}

static gdouble
age_at (GArray *sorted, gdouble quantile)
{
  return (gdouble) g_array_index (sorted, Answer, (guint) (sorted->len * quantile)).age / MS;
}

/* The answers from @since on; their mean age and the longest gap go to @marks. */
static GArray *
choose (const Story *story, gdouble since, Marks *marks)
{
  GArray *chosen = g_array_new (FALSE, FALSE, sizeof (Answer));
  gdouble last = since;

  for (guint i = 0; i < story->answers->len; i++) {
    Answer answer = g_array_index (story->answers, Answer, i);
    gdouble at = (gdouble) answer.at / MS;

    if (at < since)
      continue;
    marks->gap = MAX (marks->gap, at - last);
    marks->mean += (gdouble) answer.age / MS;
    last = at;
    g_array_append_val (chosen, answer);
  }
  marks->n = chosen->len;
  marks->mean /= MAX (chosen->len, 1);
  return chosen;
}

/* The rate that is possible is that of the services as chance had them. */
static gdouble
rate_of (const Scenario *s, const Story *story, guint n, gdouble span)
{
  Scenario drawn = *s;

  drawn.service *= story->slowness;
  drawn.stalls = 0;
  return n * period (&drawn) / span;
}

Marks
mark (const Scenario *s, const Story *story, gdouble since)
{
  Marks marks = { 0 };
  g_autoptr (GArray) answers = choose (story, since, &marks);

  if (answers->len == 0)
    return (Marks){ .p50 = G_MAXDOUBLE, .p95 = G_MAXDOUBLE, .mean = G_MAXDOUBLE };
  g_array_sort (answers, compare_ages);
  marks.p50 = age_at (answers, 0.5);
  marks.p95 = age_at (answers, 0.95);
  marks.worst = age_at (answers, 1 - 0.5 / answers->len);
  marks.rate = rate_of (s, story, answers->len, s->seconds * 1000 - since);
  return marks;
}

/* Whether ten answers from the @i-th on are near what is possible in @s. */
static gboolean
is_settled (const Scenario *s, const Story *story, guint i)
{
  const Answer *answers = &g_array_index (story->answers, Answer, i);

  for (guint k = 0; k < 10; k++)
    if (answers[k].age > 1.35 * floor_of (s) * MS)
      return FALSE;
  return answers[10].at - answers[0].at <= 12 * period (s) * MS;
}

gdouble
time_to_settle (const Scenario *scenario, const Story *story)
{
  Scenario after = after_change (scenario);

  for (guint i = 0; i + 10 < story->answers->len; i++) {
    gint64 at = g_array_index (story->answers, Answer, i).at;

    if (at > scenario->changes * MS && is_settled (&after, story, i))
      return (gdouble) at / MS - scenario->changes;
  }
  return G_MAXDOUBLE;
}
