/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The sink: a result is shown when its frame's time and the delay are over, or when it comes. */
#include "playout-world.h"
#include "fal/policy/playout.h"

/* What max-latency is by default. */
#define MOST (5 * SECOND)

typedef struct {
  GArray *lags, *delays, *distances; /* gdouble, ms */
  Show show;
  gint64 frame, shown; /* of the result before; NEVER: there is none */
} Stage;

static gint
compare (gconstpointer a, gconstpointer b)
{
  gdouble x = *(const gdouble *) a, y = *(const gdouble *) b;

  return (x > y) - (x < y);
}

static gdouble
percentile (GArray *values, gdouble part)
{
  g_array_sort (values, compare);
  return values->len ? g_array_index (values, gdouble, (guint) (part * (values->len - 1))) : 0;
}

static void
append_ms (GArray *values, gint64 time)
{
  gdouble ms = time / (gdouble) MS;

  g_array_append_val (values, ms);
}

static void
show_result (Stage *stage, const Answer *answer, gint64 delay)
{
  gint64 frame = answer->at - answer->age, shown = MAX (frame + delay, answer->at);
  Show *s = &stage->show;

  append_ms (stage->lags, answer->age);
  append_ms (stage->delays, delay);
  if (stage->frame != NEVER)
    append_ms (stage->distances, ABS ((shown - stage->shown) - (frame - stage->frame)));
  stage->frame = frame;
  stage->shown = shown;
  s->late += answer->age > delay;
  s->n++;
  s->longest = MAX (s->longest, delay / (gdouble) MS);
}

Show
show (const Scenario *scenario, gdouble since, gdouble until)
{
  g_autoptr (Story) story = tell (scenario);
  g_autoptr (FalPlayout) playout = fal_playout_new ();
  g_autoptr (GArray) lags = g_array_new (FALSE, FALSE, sizeof (gdouble));
  g_autoptr (GArray) delays = g_array_new (FALSE, FALSE, sizeof (gdouble));
  g_autoptr (GArray) distances = g_array_new (FALSE, FALSE, sizeof (gdouble));
  Stage stage = { lags, delays, distances, { 0 }, NEVER, NEVER };

  fal_playout_configure (playout, 0, MOST);
  for (guint i = 0; i < story->answers->len; i++) {
    const Answer *answer = &g_array_index (story->answers, Answer, i);
    gboolean counts = answer->at >= since * MS && answer->at < until * MS;

    if (counts)
      show_result (&stage, answer, fal_playout_get_delay (playout));
    if (fal_playout_note (playout, answer->age, answer->at))
      stage.show.changes += counts;
  }
  stage.show.p95 = percentile (lags, 0.95);
  stage.show.p98 = percentile (lags, 0.98);
  stage.show.delay = percentile (delays, 0.5);
  stage.show.uneven = percentile (distances, 0.95);
  return stage.show;
}
