/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The playout delay: a ring of lags, the same lags sorted, and when they are reason enough for
 * another delay. The least comes first in what is sorted: a lag is found there by how many are
 * longer. */
#include "playout.h"
#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND
#define SECOND G_TIME_SPAN_SECOND

/* So many lags are remembered, for so long. */
#define LENGTH 512
#define MEMORY (90 * SECOND)

/* What is wanted: of so many lags one may be beyond the delay, and of so many one may be nearly as
 * long as it. The second is shorter where few are much longer than most: what it adds costs little
 * then, and spares changes. */
#define ONE_IN 50
#define MARGIN (2 * MS)
#define NEAR_ONE_IN 20
#define NEAR_MARGIN (16 * MS)
/* Few results do not show how far apart lags are: each part of the distance from the middle that
 * belongs to a result is added so often. */
#define FEW_ADD 3
/* So many lags do not count at first that are longer by this than what 80 % need, and by so many
 * times its distance from the middle: those of a model that was still loading, or of a stall. */
#define OUTLIERS 3
#define OUTLIER_BY (100 * MS)
#define OUTLIER_TIMES 3
/* What a stall held up comes in a burst: of its results, each so soon after the one before, only
 * the first counts, unless they turn out to be a run. */
#define BURST (300 * MS)

/* Before so many results nothing changes but by a run of them. Before so many it grows by bigger
 * steps, and need not be too long for as long. */
#define ENOUGH 10
#define MANY 100
#define STEP (12 * MS)
#define STEP_OF_FEW (24 * MS)

/* Results that keep being late: so many, over at least so long, so that it is more than the burst
 * after a stall. No more than so many are looked at, but all of the shortest such time. */
#define RUN_RESULTS 3
#define RUN_TIME (400 * MS)
#define RUN_MEMORY (2 * SECOND)
#define RUN_MOST 16

/* A delay that is too long by this is made shorter after so long. One that is too long by much, as
 * after a change of the model, as soon as so many results over so long have said so. */
#define SPARE (14 * MS)
#define SPARE_TIME (10 * SECOND)
#define SPARE_TIME_OF_FEW (3 * SECOND)
#define MUCH (40 * MS)
#define EASE_RESULTS 12
#define EASE_TIME (1 * SECOND)

/* What a sink that shows video adds to the latency, for the elements before it, unless it was set
 * otherwise. */
#define SINK_SHARE (20 * MS)

typedef struct {
  gint64 at, lag;
  gboolean counts; /* it is among those that are sorted */
} Lag;

typedef struct {
  gint64 lags[LENGTH];
  guint n;
} Sorted;

struct _FalPlayout {
  gint64 least, most;
  gint64 delay;
  gint64 spare_since; /* when the delay became longer than it need be; G_MAXINT64: it is not */
  guint64 changes;
  Lag lags[LENGTH]; /* a ring */
  guint64 end;      /* number of the next one */
  guint64 begin;    /* number of the first that still counts */
  Sorted sorted;    /* those that count */
};

FalPlayout *
fal_playout_new (void)
{
  FalPlayout *playout = g_new0 (FalPlayout, 1);

  playout->most = G_MAXINT64;
  fal_playout_reset (playout);
  return playout;
}

void
fal_playout_free (FalPlayout *playout)
{
  g_free (playout);
}

void
fal_playout_reset (FalPlayout *playout)
{
  playout->delay = playout->least;
  playout->spare_since = G_MAXINT64;
  playout->changes = playout->begin = playout->end = 0;
  playout->sorted.n = 0;
}

static gint64
limit (const FalPlayout *playout, gint64 delay)
{
  return MAX (playout->least, MIN (delay, playout->most));
}

void
fal_playout_configure (FalPlayout *playout, gint64 least, gint64 most)
{
  playout->least = least;
  playout->most = MAX (least, most);
  playout->delay = limit (playout, playout->delay);
}

/* ---- sorted lags ---- */

/* How many are less than @lag. */
static guint
find_rank (const Sorted *sorted, gint64 lag)
{
  guint begin = 0, end = sorted->n;

  while (begin < end) {
    guint middle = (begin + end) / 2;

    if (sorted->lags[middle] < lag)
      begin = middle + 1;
    else
      end = middle;
  }
  return begin;
}

/* There is room for it. */
static void
insert_lag (Sorted *sorted, gint64 lag)
{
  guint rank = find_rank (sorted, lag);

  memmove (sorted->lags + rank + 1, sorted->lags + rank, (sorted->n - rank) * sizeof (gint64));
  sorted->lags[rank] = lag;
  sorted->n++;
}

static void
remove_lag (Sorted *sorted, gint64 lag)
{
  guint rank = find_rank (sorted, lag);

  sorted->n--;
  memmove (sorted->lags + rank, sorted->lags + rank + 1, (sorted->n - rank) * sizeof (gint64));
}

/* The lag that so many are longer than. */
static gint64
get_longest_but (const Sorted *sorted, guint longer)
{
  return sorted->lags[sorted->n - 1 - longer];
}

/* The lag that no more than this part of them are shorter than. */
static gint64
get_percentile (const Sorted *sorted, guint percent)
{
  guint rank = (sorted->n - 1) * percent / 100;

  /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.UndefReturn): each of the n is filled */
  return sorted->lags[rank]; /* -Wanalyzer-use-of-uninitialized-value: each is filled */
}

static guint
count_outliers (const Sorted *sorted)
{
  gint64 most = get_percentile (sorted, 80);
  gint64 longest = most + OUTLIER_BY + OUTLIER_TIMES * (most - get_percentile (sorted, 50));
  guint n = 0;

  while (n < MIN (OUTLIERS, sorted->n / 4) && get_longest_but (sorted, n) > longest)
    n++;
  return n;
}

/* The delay that they want; there is at least one. */
static gint64
find_delay (const Sorted *sorted)
{
  guint beyond = MAX (sorted->n / ONE_IN, count_outliers (sorted));
  gint64 most = get_longest_but (sorted, beyond);
  gint64 nearly = get_longest_but (sorted, MAX (sorted->n / NEAR_ONE_IN, beyond));

  /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): there is at least one */
  most += MARGIN + FEW_ADD * (most - get_percentile (sorted, 50)) / sorted->n;
  return (MAX (most, nearly + NEAR_MARGIN) + MS - 1) / MS * MS;
}

/* ---- the lags in their order ---- */

static const Lag *
get_lag (const FalPlayout *playout, guint64 number)
{
  return &playout->lags[number % LENGTH];
}

static guint
count_since (const FalPlayout *playout, guint64 first)
{
  return playout->end - first;
}

static gboolean
is_late (const FalPlayout *playout, guint64 number)
{
  return get_lag (playout, number)->lag > playout->delay;
}

static void
forget_oldest (FalPlayout *playout)
{
  const Lag *oldest = get_lag (playout, playout->begin++);

  if (oldest->counts)
    remove_lag (&playout->sorted, oldest->lag);
}

/* Those of number @first to before number @end. */
static void
sort_lags (const FalPlayout *playout, guint64 first, guint64 end, Sorted *sorted)
{
  sorted->n = 0;
  for (guint64 i = first; i < end; i++)
    insert_lag (sorted, get_lag (playout, i)->lag);
}

/* Those before number @first do not count any more, all others do. */
static void
begin_anew (FalPlayout *playout, guint64 first)
{
  playout->begin = first;
  for (guint64 i = first; i < playout->end; i++)
    playout->lags[i % LENGTH].counts = TRUE;
  sort_lags (playout, first, playout->end, &playout->sorted);
}

/* Whether a result that is ready now is one more of what a stall held up. */
static gboolean
is_of_burst (const FalPlayout *playout, gint64 lag, gint64 now)
{
  return lag > playout->delay + OUTLIER_BY && playout->end > playout->begin &&
         is_late (playout, playout->end - 1) &&
         now - get_lag (playout, playout->end - 1)->at < BURST;
}

static void
add_lag (FalPlayout *playout, gint64 lag, gint64 now)
{
  gboolean counts = !is_of_burst (playout, lag, now);

  if (count_since (playout, playout->begin) == LENGTH)
    forget_oldest (playout);
  playout->lags[playout->end++ % LENGTH] = (Lag) { now, lag, counts };
  if (counts)
    insert_lag (&playout->sorted, lag);
  while (get_lag (playout, playout->begin)->at < now - MEMORY)
    forget_oldest (playout);
  if (playout->sorted.n == 0)
    begin_anew (playout, playout->begin);
}

/* ---- when it becomes another ---- */

static gboolean
set_delay (FalPlayout *playout, gint64 delay)
{
  playout->spare_since = G_MAXINT64;
  delay = limit (playout, delay);
  if (delay == playout->delay)
    return FALSE;
  playout->delay = delay;
  playout->changes++;
  return TRUE;
}

/* By enough that it need not again for the next few late ones. */
static gboolean
grow (FalPlayout *playout, gint64 delay)
{
  gint64 step = playout->sorted.n < MANY ? STEP_OF_FEW : STEP;

  return set_delay (playout, MAX (delay, playout->delay + step));
}

/* The number of the first of the results that have been late since, as most after it were, too;
 * that of the next result where these are no more than a burst. */
static guint64
find_late_run (const FalPlayout *playout, gint64 now)
{
  gint64 covered = 0;
  guint late = 0;

  for (guint64 i = playout->end; i-- > playout->begin;) {
    guint n = count_since (playout, i);

    if ((n > RUN_RESULTS && get_lag (playout, i)->at < now - RUN_MEMORY) ||
        (n > RUN_MOST && covered >= RUN_TIME))
      break;
    covered = now - get_lag (playout, i)->at;
    late += is_late (playout, i);
    if (is_late (playout, i) && late >= RUN_RESULTS && 2 * late >= n && covered >= RUN_TIME)
      return i;
  }
  return playout->end;
}

/* Results keep coming later. Where they come later than nearly all did before, these do not count
 * any more, but that the delay is to be as far beyond the middle of lags as it was: few results do
 * not show that. */
static gboolean
follow_late_run (FalPlayout *playout, gint64 now)
{
  guint64 first = find_late_run (playout, now);
  Sorted before, run;
  gint64 room = 0;

  if (first == playout->end)
    return FALSE;
  sort_lags (playout, playout->begin, first, &before);
  sort_lags (playout, first, playout->end, &run);
  if (before.n > 0 && get_percentile (&run, 50) <= get_percentile (&before, 90))
    return grow (playout, find_delay (&playout->sorted));
  if (before.n >= ENOUGH)
    room = find_delay (&before) - get_percentile (&before, 50);
  begin_anew (playout, first);
  return grow (playout, MAX (find_delay (&run), get_percentile (&run, 50) + room));
}

/* Too many of them are late, though not in a row. */
static gboolean
follow_late_ones (FalPlayout *playout)
{
  gint64 delay;

  if (playout->sorted.n < ENOUGH)
    return FALSE;
  delay = find_delay (&playout->sorted);
  return delay > playout->delay && grow (playout, delay);
}

/* Number of the first of the results that tell of a model that got faster: that long ago, and that
 * many, and none that needs nearly the delay; that of the next one where there is no such run. */
static guint64
find_ease_run (const FalPlayout *playout, gint64 now)
{
  for (guint64 i = playout->end; i-- > playout->begin;) {
    if (get_lag (playout, i)->lag > playout->delay - MUCH)
      break;
    if (count_since (playout, i) >= EASE_RESULTS && now - get_lag (playout, i)->at >= EASE_TIME)
      return i;
  }
  return playout->end;
}

/* Whether all results since number @first were sooner than three of four before it. */
static gboolean
are_sooner (const FalPlayout *playout, guint64 first)
{
  gint64 longest = G_MININT64;
  guint sooner = 0;

  for (guint64 i = first; i < playout->end; i++)
    longest = MAX (longest, get_lag (playout, i)->lag);
  for (guint64 i = playout->begin; i < first; i++)
    sooner += get_lag (playout, i)->lag < longest;
  return 4 * sooner <= first - playout->begin;
}

/* Where few came before that run they are what the change itself held up. */
static gboolean
follow_ease (FalPlayout *playout, gint64 now)
{
  guint64 first = find_ease_run (playout, now);

  if (first == playout->end || first == playout->begin)
    return FALSE;
  if (first - playout->begin >= EASE_RESULTS && !are_sooner (playout, first))
    return FALSE;
  begin_anew (playout, first);
  return set_delay (playout, find_delay (&playout->sorted));
}

/* The delay is longer than it need be, and has been for long. */
static gboolean
follow_spare (FalPlayout *playout, gint64 now)
{
  gint64 patience = playout->sorted.n < MANY ? SPARE_TIME_OF_FEW : SPARE_TIME, delay;

  if (playout->sorted.n < ENOUGH)
    return FALSE;
  delay = limit (playout, find_delay (&playout->sorted));
  if (delay > playout->delay - SPARE)
    playout->spare_since = G_MAXINT64;
  else if (playout->spare_since == G_MAXINT64)
    playout->spare_since = now;
  return playout->spare_since <= now - patience && set_delay (playout, delay);
}

gboolean
fal_playout_note (FalPlayout *playout, gint64 lag, gint64 now)
{
  add_lag (playout, lag, now);
  if (lag > playout->delay)
    return follow_late_run (playout, now) || follow_late_ones (playout);
  return follow_ease (playout, now) || follow_spare (playout, now);
}

gint64
fal_playout_get_delay (const FalPlayout *playout)
{
  return playout->delay;
}

guint64
fal_playout_get_changes (const FalPlayout *playout)
{
  return playout->changes;
}

void
fal_playout_reset_changes (FalPlayout *playout)
{
  playout->changes = 0;
}

gint64
fal_playout_get_held (gint64 delay, gint64 room)
{
  if (room < 0)
    return delay;
  return MAX (room - SINK_SHARE, MIN (room, delay));
}
