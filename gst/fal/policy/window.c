/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The window: a small model of the app, fitted to the last answers, and the moment of the
 * next request that follows from it. Called with the session's mutex held, by whichever
 * thread has something to say.
 *
 * In the client's own clock an answer comes at
 *   answer[i] = max (sent[i] + delay, answer[i - 1]) + service
 * where service is the time of the bottleneck (the model, or the uplink) and delay the
 * rest of the way there and back. With early[i] = answer[i - 1] - sent[i]:
 *   round trip[i] = service + max (delay, early[i])
 * This is a hinge. Left of its knee the model idled, right of it the request waited. The
 * shortest round trip or the spacing of answers alone cannot tell service from delay, and
 * a sender built on either locks in to a low rate; the knee can. All times and spans are
 * double here, in microseconds: exact for centuries, and no difference overflows. */
#include "window.h"

#include <math.h>
#include <string.h>

#define MS 1000.0

/* The fit. Few samples follow a change soon, many stand noise: 24 is about a second. */
#define N_SAMPLES 24
/* After a change only what showed it is kept, and that many surprises in a row show it:
 * two happen by chance. */
#define N_CHANGED 3
/* That many answers without a surprise in a row, and the count begins anew. A longer path
 * surprises with every other answer only. */
#define N_CALM 2
/* Below that many samples the fit is taken as it is, from there on smoothed by ALPHA. */
#define N_YOUNG 4
#define ALPHA 0.33
/* Where several knees fit alike: prefer the known one, and a short delay, which sends
 * later and is found wrong soon (the model idles), where a long one queues unseen. A
 * microsecond of either costs so much of the mean residual. */
#define COST_OF_MOVING (0.2 / N_SAMPLES)
#define COST_OF_DELAY (0.4 / N_SAMPLES)
/* No request ever waited, and service takes a good part of the spacing (else the camera is
 * the slower one): nothing tells how much of it is delay. Suppose that some is, or the rate
 * never rises. */
#define PART_OF_SPACING 0.5
#define OPTIMISM 0.3
/* Faster than any model, and more than the timers' grain. */
#define MIN_SERVICE (1 * MS)

/* The margin by which a request goes early, for timers and for noise: an idle model costs
 * more than a little waiting. What the path spreads delays no model, so the margin for the
 * spread counts as far as the spread is the model's. */
#define MARGIN_MIN (0.5 * MS)
#define MARGIN_OF_SERVICE 0.03
#define MARGIN_OF_SPREAD 1

/* Probes keep both sides of the knee in sight: one request in PROBE_INTERVAL goes early,
 * and half an interval later one goes late. */
#define PROBE_INTERVAL 24
#define EARLY_OF_SERVICE 0.25
#define LATE_OF_SERVICE 0.2
/* What comes of an early one is older than most. After so many answers without a surprise the fit
 * is known, and early by this is enough to see it still holds: by a time beyond the timers' grain,
 * and beyond the noise. */
#define N_KNOWN 24
#define EARLY_KNOWN (15 * MS)
#define EARLY_OF_SPREAD 3
/* As long as it finds the model busy and the noise is small the next late one is later by
 * this, up to a whole service. */
#define LATE_GROWTH 2
#define LATE_MAX 1
/* After a change one goes late that soon: a path that got shorter shows nothing else. */
#define LATE_SOON 4

/* A residual beyond this is a surprise; for the spread alone, beyond noise. */
#define SURPRISE_OF_SERVICE 0.2
#define SURPRISE_OF_SPREAD 3
#define SURPRISE_MIN (2 * MS)

/* What an answer that comes late tells of the model: all (1) where the model was late, little
 * where the path was, for then the next is on time. Each pair of residuals moves it, if they
 * are of one sign up. */
#define TRUST_MIN 0.3
#define TRUST_STEP 0.1
/* Steadily up: too much trust only costs some noise, too little a standing error. */
#define TRUST_RISE 0.01
/* Residuals below this are nothing. */
#define TRUST_GRAIN (0.5 * MS)

/* Silence: a request or its answer was lost, or the model still loads. One request goes
 * each RETRY, doubled up to RETRY_MAX: 14 in a silent minute. */
#define RETRY_FIRST (1000 * MS)
#define RETRY_MAX (5000 * MS)
/* A slow model is not a silent one: so many answers may be missed first. */
#define RETRY_ANSWERS 4

/* Where answers carry no id: how many may be out; of service, how long after a request the model
 * has taken it at the latest where it was idle, and how long no late answer comes before it is
 * certain that none does. */
#define MAX_IN_ORDER 2
#define TAKEN_AFTER 0.5
#define QUIET 1.5

typedef struct {
  double early;
  double round_trip;
} Sample;

/* The samples in two orders. For a knee at any delay, the residuals of those left of it have the
 * order of their round trips, and of those right of it that of the round trip less early: so they
 * are sorted once for all knees, and merged for each. */
typedef struct {
  double key, early;
} Ranked;

typedef struct {
  Ranked idled[N_SAMPLES];  /* by round trip */
  Ranked waited[N_SAMPLES]; /* by round trip less early */
  guint n;
} Ranking;

typedef enum { PROBE_NONE, PROBE_EARLY, PROBE_LATE } Probe;

struct _FalWindow {
  double unanswered[FAL_WINDOW_MAX_UNANSWERED]; /* times sent, oldest first */
  guint n_unanswered;
  Sample samples[N_SAMPLES]; /* oldest first */
  guint n_samples;

  double service, delay; /* 0: nothing answered yet */
  double spread;         /* the median residual of the fit */
  double trust, last_residual;

  double free;                     /* when the model got free, seen from here; -INFINITY: unknown */
  double newest_answered;          /* when it was sent */
  double last_sent, last_progress; /* progress: an answer, or a new try; -INFINITY: none */
  double retry;

  guint sends;
  Probe due;      /* with the next request but one */
  double late_by; /* of service, the next late one */
  double lead;    /* of the next request, beyond the margin; below 0: late */
  guint calm;     /* answers since the last surprise */
  gint surprises; /* in a row, the sign is theirs */

  /* Where answers carry no id. */
  guint overlapping; /* requests since nothing was out */
  gboolean answers;  /* the connection has answered one */
  gboolean overdue;  /* an answer was, since nothing was out */
  gboolean doubtful; /* what was given up may still be answered */
  double quiet;      /* no request before it; -INFINITY: no such time */
};

FalWindow *
fal_window_new (void)
{
  FalWindow *window = g_new0 (FalWindow, 1);

  window->free = -INFINITY;
  window->trust = 1;
  window->late_by = LATE_OF_SERVICE;
  window->newest_answered = -INFINITY;
  fal_window_reset (window);
  return window;
}

void
fal_window_free (FalWindow *window)
{
  g_free (window);
}

void
fal_window_reset (FalWindow *window)
{
  window->n_unanswered = 0;
  window->last_sent = -INFINITY;
  window->last_progress = -INFINITY;
  window->retry = RETRY_FIRST;
  window->lead = 0;
  window->answers = window->doubtful = FALSE;
  window->quiet = -INFINITY;
}

static gboolean
has_learnt (const FalWindow *window)
{
  return window->service > 0;
}

static void
forget_oldest (FalWindow *window, guint n)
{
  window->n_unanswered -= n;
  memmove (window->unanswered, window->unanswered + n,
      window->n_unanswered * sizeof window->unanswered[0]);
}

/* Silence is borne until then, before one more request goes. */
static double
end_of_patience (const FalWindow *window)
{
  return fmax (window->last_progress + window->retry,
      window->last_sent + RETRY_ANSWERS * (window->service + window->delay));
}

static double
early_lead (const FalWindow *window)
{
  double lead = EARLY_OF_SERVICE * window->service;

  if (window->calm < N_KNOWN)
    return lead;
  return fmin (lead, fmax (EARLY_KNOWN, EARLY_OF_SPREAD * window->spread));
}

/* The lead of the request after the @sends-th. */
static double
choose_lead (FalWindow *window)
{
  guint phase = window->sends % PROBE_INTERVAL;
  Probe due = window->due;

  window->due = PROBE_NONE;
  if (due == PROBE_EARLY || (due == PROBE_NONE && phase == 0))
    return early_lead (window);
  if (due == PROBE_LATE || phase == PROBE_INTERVAL / 2)
    return -window->late_by * window->service;
  return 0;
}

void
fal_window_sent (FalWindow *window, gint64 now)
{
  if (now >= end_of_patience (window)) {
    if (window->n_unanswered > 0)
      window->retry = fmin (2 * window->retry, RETRY_MAX);
    window->last_progress = now;
  }
  window->last_sent = now;
  if (window->n_unanswered == FAL_WINDOW_MAX_UNANSWERED)
    forget_oldest (window, 1);
  window->overlapping = window->n_unanswered > 0 ? window->overlapping + 1 : 0;
  window->overdue &= window->n_unanswered > 0;
  window->unanswered[window->n_unanswered++] = now;
  window->sends++;
  window->lead = choose_lead (window);
}

/* FALSE: the request is not unanswered. */
static gboolean
forget_request (FalWindow *window, gint64 sent)
{
  guint i = 0;

  while (i < window->n_unanswered && window->unanswered[i] != sent)
    i++;
  if (i == window->n_unanswered)
    return FALSE;
  window->n_unanswered--;
  memmove (window->unanswered + i, window->unanswered + i + 1,
      (window->n_unanswered - i) * sizeof window->unanswered[0]);
  return TRUE;
}

void
fal_window_gave_up (FalWindow *window, gint64 sent)
{
  window->doubtful |= forget_request (window, sent);
}

void
fal_window_took_back (FalWindow *window, gint64 sent)
{
  forget_request (window, sent);
}

/* @sorted: at least one. */
static double
middle_of (const double *sorted, guint n)
{
  return n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* Sorts @values. */
static double
median (double *values, guint n)
{
  for (guint i = 1; i < n; i++) {
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.Assign): the caller has filled all @n */
    double value = values[i];
    guint k = i;

    for (; k > 0 && values[k - 1] > value; k--)
      values[k] = values[k - 1];
    values[k] = value;
  }
  return middle_of (values, n);
}

static double
residual_of (Sample sample, double delay, double service)
{
  return sample.round_trip - MAX (delay, sample.early) - service;
}

/* @ranked: @n of them, the least key first. */
static void
insert_ranked (Ranked *ranked, guint n, double key, double early)
{
  for (; n > 0 && ranked[n - 1].key > key; n--)
    ranked[n] = ranked[n - 1];
  ranked[n] = (Ranked){ key, early };
}

static void
rank (const FalWindow *window, Ranking *ranking)
{
  ranking->n = window->n_samples;
  for (guint i = 0; i < ranking->n; i++) {
    Sample sample = window->samples[i];

    insert_ranked (ranking->idled, i, sample.round_trip, sample.early);
    insert_ranked (ranking->waited, i, sample.round_trip - sample.early, sample.early);
  }
}

/* The residuals for the knee at @delay and no service, the least first. */
static void
list_rests (const Ranking *ranking, double delay, double *rests)
{
  double idled[N_SAMPLES], waited[N_SAMPLES];
  guint n_idled = 0, n_waited = 0, i = 0, k = 0;

  for (guint m = 0; m < ranking->n; m++) {
    if (ranking->idled[m].early <= delay)
      idled[n_idled++] = ranking->idled[m].key - delay;
    if (ranking->waited[m].early > delay)
      waited[n_waited++] = ranking->waited[m].key;
  }
  while (i < n_idled && k < n_waited)
    *rests++ = idled[i] <= waited[k] ? idled[i++] : waited[k++];
  while (i < n_idled)
    *rests++ = idled[i++];
  while (k < n_waited)
    *rests++ = waited[k++];
}

/* The best service for the knee at @delay, and what that pair costs. */
static double
cost_of (const FalWindow *window, const Ranking *ranking, double delay, double *service)
{
  double rests[N_SAMPLES];
  double sum = 0;

  list_rests (ranking, delay, rests);
  *service = middle_of (rests, ranking->n);
  if (*service < MIN_SERVICE)
    return INFINITY;
  for (guint i = 0; i < ranking->n; i++)
    sum += fabs (rests[i] - *service);
  return sum / ranking->n + COST_OF_DELAY * delay +
         COST_OF_MOVING * (fabs (delay - window->delay) + fabs (*service - window->service));
}

static gboolean
contains (const double *values, guint n, double value)
{
  while (n > 0)
    if (values[--n] == value)
      return TRUE;
  return FALSE;
}

/* The knee is at one of the samples, or where it was. Many are alike: most requests do not wait. */
static void
find_knee (const FalWindow *window, double *delay, double *service)
{
  double tried[N_SAMPLES + 1];
  double least = INFINITY;
  guint n_tried = 0;
  Ranking ranking;

  rank (window, &ranking);
  *delay = window->delay;
  *service = window->service;
  for (guint i = 0; i <= window->n_samples; i++) {
    double d = i < window->n_samples ? MAX (window->samples[i].early, 0) : window->delay;
    double s, cost;

    if (contains (tried, n_tried, d))
      continue;
    tried[n_tried++] = d;
    cost = cost_of (window, &ranking, d, &s);
    if (cost < least) {
      least = cost;
      *delay = d;
      *service = s;
    }
  }
}

static double
find_spread (const FalWindow *window, double delay, double service)
{
  double off[N_SAMPLES];

  for (guint i = 0; i < window->n_samples; i++)
    off[i] = fabs (residual_of (window->samples[i], delay, service));
  return median (off, window->n_samples);
}

/* Whether no sample shows how much of @service is in truth delay. */
static gboolean
is_undecided (const FalWindow *window, double delay, double service)
{
  double spacing = 0;

  for (guint i = 0; i < window->n_samples; i++) {
    if (window->samples[i].early > delay)
      return FALSE;
    spacing += window->samples[i].round_trip - window->samples[i].early;
  }
  return window->n_samples >= N_SAMPLES / 2 &&
         service > PART_OF_SPACING * spacing / window->n_samples;
}

static void
fit (FalWindow *window)
{
  double alpha = window->n_samples < N_YOUNG ? 1 : ALPHA;
  double delay, service, shift;

  find_knee (window, &delay, &service);
  window->spread = find_spread (window, delay, service);
  shift = is_undecided (window, delay, service) ? OPTIMISM * service : 0;
  window->delay += alpha * (delay + shift - window->delay);
  window->service += alpha * (service - shift - window->service);
  window->service = fmax (window->service, MIN_SERVICE);
}

static void
keep_newest (FalWindow *window, guint n)
{
  if (window->n_samples <= n)
    return;
  memmove (window->samples, window->samples + window->n_samples - n, n * sizeof (Sample));
  window->n_samples = n;
}

static double
surprise_limit (const FalWindow *window)
{
  return fmax (SURPRISE_OF_SERVICE * window->service, SURPRISE_OF_SPREAD * window->spread) +
         SURPRISE_MIN;
}

/* 1: the answer came surprisingly late; -1: early. */
static gint
surprise_of (const FalWindow *window, double residual)
{
  double limit = surprise_limit (window);

  return residual > limit ? 1 : residual < -limit ? -1 : 0;
}

/* What was learnt is of a past that is over: look on both sides of the knee soon. */
static void
begin_anew (FalWindow *window)
{
  keep_newest (window, N_CHANGED);
  window->surprises = 0;
  window->due = PROBE_EARLY;
  window->sends = PROBE_INTERVAL / 2 - LATE_SOON;
  window->late_by = LATE_GROWTH * LATE_OF_SERVICE;
}

/* Counts surprises; after enough of one sign the older samples tell of a past that is over.
 * A single early answer may be all that shows a shorter path: look for it. */
static void
watch_for_change (FalWindow *window, gint surprise)
{
  window->calm = surprise == 0 ? window->calm + 1 : 0;
  if (surprise * window->surprises < 0 || window->calm >= N_CALM)
    window->surprises = 0;
  window->surprises += surprise;
  if (surprise < 0)
    window->due = PROBE_LATE;
  if (ABS (window->surprises) >= N_CHANGED)
    begin_anew (window);
}

/* A late request either found the model idle, or the path is shorter than thought, who knows
 * how much: then the next goes later still, and so on, or a fall by 100 ms would take many
 * probes to find. */
static void
judge_late (FalWindow *window, Sample sample)
{
  double gap = window->delay - sample.early;
  double idled = sample.round_trip - window->service - sample.early;

  if (gap <= LATE_OF_SERVICE * window->service / 2)
    return;
  if (idled >= gap / 2) {
    window->late_by = LATE_OF_SERVICE;
    return;
  }
  window->due = PROBE_LATE;
  if (gap > SURPRISE_OF_SPREAD * window->spread)
    window->late_by = fmin (LATE_GROWTH * window->late_by, LATE_MAX);
}

/* When the model got free: when its answer came, less what the path held it up. */
static void
follow (FalWindow *window, double residual, gint surprise, double now)
{
  double scale = window->spread + TRUST_GRAIN;
  double likeness = CLAMP (residual * window->last_residual / (scale * scale), -1, 1);

  if (surprise != 0) {
    window->free = now;
    window->last_residual = 0;
    return;
  }
  window->trust = CLAMP (window->trust + TRUST_STEP * likeness + TRUST_RISE, TRUST_MIN, 1);
  window->free = now - (1 - window->trust) * residual;
  window->last_residual = residual;
}

static void
learn (FalWindow *window, Sample sample, double now)
{
  double residual = residual_of (sample, window->delay, window->service);
  gint surprise = surprise_of (window, residual);

  window->overdue |= surprise > 0;
  follow (window, residual, surprise, now);
  keep_newest (window, N_SAMPLES - 1);
  window->samples[window->n_samples++] = sample;
  if (window->n_samples > N_YOUNG) {
    judge_late (window, sample);
    watch_for_change (window, surprise);
  }
  fit (window);
}

/* The first answer: half of its round trip is as good a guess as any, and a request that
 * waits tells more. */
static void
guess (FalWindow *window, double round_trip, double now)
{
  window->service = fmax (round_trip / 2, MIN_SERVICE);
  window->delay = round_trip / 2;
  window->due = PROBE_EARLY;
  window->lead = EARLY_OF_SERVICE * window->service;
  window->free = now;
}

void
fal_window_answered (FalWindow *window, gint64 sent, gint64 now)
{
  Sample sample = { window->free - sent, (double) now - sent };
  guint n = 0;

  while (n < window->n_unanswered && window->unanswered[n] <= sent)
    n++;
  forget_oldest (window, n);
  if (sent <= window->newest_answered || now < sent)
    return;
  window->newest_answered = sent;
  window->retry = RETRY_FIRST;
  if (!has_learnt (window))
    guess (window, sample.round_trip, now);
  else
    learn (window, sample, now);
  window->last_progress = now;
  if (window->doubtful)
    window->quiet = now + QUIET * window->service;
  window->answers = TRUE;
  window->doubtful = FALSE;
}

/* When the model will have done all that is unanswered, as seen from here. A head that is
 * overdue holds what follows. */
static double
time_free (const FalWindow *window, double now)
{
  double ready = window->free;

  for (guint i = 0; i < window->n_unanswered; i++) {
    ready = fmax (window->unanswered[i] + window->delay, ready) + window->service;
    if (i == 0)
      ready = fmax (ready, now);
  }
  return ready;
}

static double
margin (const FalWindow *window)
{
  double spread = window->trust * window->spread;

  return fmax (MARGIN_MIN, fmax (MARGIN_OF_SERVICE * window->service, MARGIN_OF_SPREAD * spread));
}

/* When a request arrives just as the model gets free. */
static double
just_in_time (const FalWindow *window, double now)
{
  if (!has_learnt (window))
    return INFINITY;
  if (window->n_unanswered == 0)
    return now;
  return time_free (window, now) - window->delay - margin (window) - window->lead;
}

static gint64
to_time (double time, gint64 now)
{
  if (time >= (double) G_MAXINT64)
    return G_MAXINT64;
  return time > now ? (gint64) ceil (time) : now;
}

gint64
fal_window_get_service (const FalWindow *window)
{
  return window->service;
}

gint64
fal_window_get_trip (const FalWindow *window)
{
  return window->service + window->delay;
}

gint64
fal_window_next_time (const FalWindow *window, guint cap, gint64 now)
{
  double time;

  if (window->n_unanswered >= MIN (MAX (cap, 1), FAL_WINDOW_MAX_UNANSWERED))
    return G_MAXINT64;
  time = fmin (just_in_time (window, now), end_of_patience (window));
  return to_time (time, now);
}

/* ---- answers without ids ---- */

/* Whether nothing may go until all that is out is answered; something is out. */
static gboolean
must_run_empty (const FalWindow *window, double now)
{
  double due = fmax (window->unanswered[0] + window->delay, window->free) + window->service;

  return window->n_unanswered >= MAX_IN_ORDER || !window->answers || window->doubtful ||
         window->overdue || window->overlapping >= FAL_WINDOW_MAX_OVERLAPPING ||
         now > due + surprise_limit (window);
}

static double
loss_time (const FalWindow *window)
{
  if (window->n_unanswered == 0 || !window->answers || window->doubtful)
    return INFINITY;
  return end_of_patience (window);
}

gint64
fal_window_get_loss_time (const FalWindow *window)
{
  return to_time (loss_time (window), G_MININT64);
}

gint64
fal_window_next_time_in_order (const FalWindow *window, gint64 now)
{
  double time = just_in_time (window, now);

  if (window->n_unanswered == 0)
    return to_time (fmax (fmin (time, end_of_patience (window)), window->quiet), now);
  if (must_run_empty (window, now))
    return to_time (loss_time (window), now);
  time = fmax (time, window->last_sent + TAKEN_AFTER * window->service);
  return to_time (fmin (time, loss_time (window)), now);
}

void
fal_window_note_surplus (FalWindow *window, gint64 now)
{
  window->quiet = now + QUIET * window->service;
}
