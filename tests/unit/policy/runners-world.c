/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The world: a clock that goes from event to event, and what is under way at it. */
#include "runners-world.h"
#include "fal/policy/request-id.h"
#include "fal/policy/window.h"

/* What a request is given up after. */
#define TIMEOUT (10 * SECOND)

/* As the session has it. */
#define FILE_IN_FLIGHT 2

typedef struct {
  guint64 id;
  gint64 at; /* of its next event */
} Request;

typedef struct {
  guint number;
  gboolean online;
  GArray *up, *down; /* Request, on the way */
  GArray *waiting;   /* Request, before the model */
  Request running;   /* at NEVER: none */
} Runner;

typedef struct {
  const RunnersScenario *scenario;
  RunnersStory *story;
  FalPacer *pacer;
  GRand *rand;
  gint64 now, next_frame, timer;
  GArray *frames; /* gint64: when each came, the first is number 1 */
  Runner *runners;
} World;

static void
frame_free (gpointer frame)
{
}

static FalPacerConfig
make_config (const RunnersScenario *s)
{
  gboolean live = s->fps > 0;

  return (FalPacerConfig) {
    .throttle_interval = s->throttle * MS,
    .max_waiting = 1,
    .max_in_flight = live ? FAL_WINDOW_MAX_UNANSWERED : FILE_IN_FLIGHT,
    .adaptive = live,
    .leaky = live,
    .identified = !s->nameless,
    .echo_known = !s->nameless,
    .request_timeout = TIMEOUT,
  };
}

static GArray *
new_requests (void)
{
  return g_array_new (FALSE, FALSE, sizeof (Request));
}

static void
world_init (World *w, const RunnersScenario *s)
{
  const FalPacerConfig config = make_config (s);

  *w = (World) { .scenario = s, .story = g_new0 (RunnersStory, 1), .timer = NEVER };
  w->story->answers = g_array_new (FALSE, FALSE, sizeof (RunnersAnswer));
  w->story->sends = g_array_new (FALSE, FALSE, sizeof (gint64));
  w->story->sent = g_new0 (guint, s->lanes);
  w->story->lanes = s->lanes;
  w->pacer = fal_pacer_new (frame_free, s->lanes);
  fal_pacer_configure (w->pacer, &config);
  w->rand = g_rand_new_with_seed (20261127);
  w->frames = g_array_new (FALSE, FALSE, sizeof (gint64));
  w->runners = g_new0 (Runner, s->lanes);
  for (guint i = 0; i < s->lanes; i++)
    w->runners[i] =
        (Runner) { i, FALSE, new_requests (), new_requests (), new_requests (), { 0, NEVER } };
}

static void
world_clear (World *w)
{
  for (guint i = 0; i < w->scenario->lanes; i++) {
    g_array_unref (w->runners[i].up);
    g_array_unref (w->runners[i].down);
    g_array_unref (w->runners[i].waiting);
  }
  g_free (w->runners);
  g_array_unref (w->frames);
  g_rand_free (w->rand);
  fal_pacer_free (w->pacer);
}

static void
check_sums (World *w)
{
  const FalPacerCounts *c = fal_pacer_get_counts (w->pacer);
  guint64 sent = 0, answered = 0;

  for (guint i = 0; i < w->scenario->lanes; i++) {
    FalPacerLane lane;

    fal_pacer_get_lane (w->pacer, i, &lane);
    sent += lane.sent;
    answered += lane.answered;
    w->story->most_in_flight = MAX (w->story->most_in_flight, lane.in_flight);
  }
  g_assert_cmpuint (sent, ==, c->sent);
  g_assert_cmpuint (answered, ==, c->answered);
  g_assert_cmpuint (c->in, ==,
      c->sent + c->dropped_throttled + c->dropped_replaced + c->dropped_offline +
          fal_pacer_get_waiting (w->pacer));
  g_assert_cmpuint (c->sent, ==,
      c->answered + c->failed + c->expired + c->lost + fal_pacer_get_in_flight (w->pacer));
}

/* ---- the runners ---- */

static gint64
draw_service (World *w, const Runner *runner)
{
  const RunnersScenario *s = w->scenario;
  gdouble service = s->service;

  if (runner->number == 0 && s->slowness > 0)
    service *= s->slowness;
  if (s->jitter > 0)
    service *= 1 + s->jitter * g_rand_double_range (w->rand, -1, 1);
  return service * MS;
}

static void
start_model (World *w, Runner *runner)
{
  if (runner->running.at != NEVER || runner->waiting->len == 0)
    return;
  runner->running = g_array_index (runner->waiting, Request, 0);
  g_array_remove_index (runner->waiting, 0);
  runner->running.at = w->now + draw_service (w, runner);
}

static gint64
get_way (const World *w, gdouble size)
{
  return (size + w->scenario->rtt / 2) * MS;
}

static void
finish (World *w, Runner *runner)
{
  Request request = { runner->running.id, w->now + get_way (w, DOWNLOAD) };

  g_array_append_val (runner->down, request);
  runner->running.at = NEVER;
  start_model (w, runner);
}

/* Whether the runner's connection is there at this time. */
static gboolean
stands (const World *w, const Runner *runner)
{
  const RunnersScenario *s = w->scenario;
  gdouble now = w->now / (gdouble) MS;

  if (runner->number == 0 && (s->refuses || (s->dies > 0 && now >= s->dies && now < s->returns)))
    return FALSE;
  return now >= runner->number * s->step;
}

static void
set_online (World *w, Runner *runner, gboolean online)
{
  runner->online = online;
  fal_pacer_set_online (w->pacer, runner->number, online);
  if (online)
    return;
  fal_pacer_lose (w->pacer, runner->number, TRUE, w->frames->len);
  g_array_set_size (runner->up, 0);
  g_array_set_size (runner->down, 0);
  g_array_set_size (runner->waiting, 0);
  runner->running.at = NEVER;
}

/* ---- the sender ---- */

static void
offer (World *w)
{
  guint serial;

  g_array_append_val (w->frames, w->now);
  serial = w->frames->len;
  fal_pacer_offer (w->pacer, GUINT_TO_POINTER (serial), serial, serial, w->now);
}

/* FALSE: nothing goes now. */
static gboolean
send_frame (World *w)
{
  Request request = { 0, w->now + get_way (w, UPLOAD) };
  guint lane;

  if (fal_pacer_take (w->pacer, w->now, &request.id, &lane) == NULL)
    return FALSE;
  g_array_append_val (w->runners[lane].up, request);
  g_array_append_val (w->story->sends, w->now);
  w->story->sent[lane]++;
  return TRUE;
}

static void
look (World *w)
{
  gboolean is_file = w->scenario->fps == 0;

  do {
    while (is_file && fal_pacer_has_room (w->pacer))
      offer (w);
  } while (send_frame (w));
  w->timer = fal_pacer_next_time (w->pacer, w->now);
  while (fal_pacer_pop_dropped (w->pacer))
    ;
  check_sums (w);
}

static void
deliver (World *w, Runner *runner, guint64 id)
{
  g_autofree gchar *text = w->scenario->nameless ? NULL : fal_request_id_format (id, 0);
  RunnersAnswer answer = { .at = w->now, .lane = runner->number };
  FalPacerAnswer match;

  fal_pacer_answer (w->pacer, runner->number, text, FALSE, w->now, &match);
  if (match.match == FAL_MATCH_ANSWERS) {
    answer.serial = match.serial;
    answer.age = w->now - g_array_index (w->frames, gint64, match.serial - 1);
    g_array_append_val (w->story->answers, answer);
  }
  look (w);
}

static void
take_picture (World *w)
{
  offer (w);
  w->next_frame = w->frames->len * (gdouble) SECOND / w->scenario->fps;
  look (w);
}

/* ---- the clock ---- */

static gint64
next_at (GArray *requests)
{
  return requests->len > 0 ? g_array_index (requests, Request, 0).at : NEVER;
}

static Request
shift (GArray *requests)
{
  Request first = g_array_index (requests, Request, 0);

  g_array_remove_index (requests, 0);
  return first;
}

/* The one thing that happens at the runner at this time; FALSE: nothing. */
static gboolean
step_runner (World *w, Runner *runner)
{
  if (stands (w, runner) != runner->online) {
    set_online (w, runner, !runner->online);
    look (w);
  } else if (next_at (runner->down) <= w->now) {
    deliver (w, runner, shift (runner->down).id);
  } else if (runner->running.at <= w->now) {
    finish (w, runner);
  } else if (next_at (runner->up) <= w->now) {
    Request request = shift (runner->up);

    g_array_append_val (runner->waiting, request);
    start_model (w, runner);
  } else {
    return FALSE;
  }
  return TRUE;
}

static void
step (World *w)
{
  for (guint i = 0; i < w->scenario->lanes; i++)
    while (step_runner (w, &w->runners[i]))
      ;
  if (w->scenario->fps > 0 && w->next_frame <= w->now)
    take_picture (w);
  if (w->timer <= w->now)
    look (w);
  if (fal_pacer_next_expiry (w->pacer) <= w->now) {
    for (guint i = 0; i < w->scenario->lanes; i++)
      fal_pacer_expire (w->pacer, i, FALSE, w->now);
    look (w);
  }
}

/* When the runner's connection comes or goes next. */
static gint64
next_change (const World *w, const Runner *runner)
{
  const RunnersScenario *s = w->scenario;
  const gdouble times[] = { runner->number * s->step, s->dies, s->returns };

  for (guint i = 0; i < G_N_ELEMENTS (times); i++)
    if (w->now < (gint64) (times[i] * MS))
      return times[i] * MS;
  return NEVER;
}

static gint64
next_time (const World *w)
{
  gint64 time = MIN (w->timer, fal_pacer_next_expiry (w->pacer));

  if (w->scenario->fps > 0)
    time = MIN (time, w->next_frame);
  for (guint i = 0; i < w->scenario->lanes; i++) {
    const Runner *runner = &w->runners[i];

    time = MIN (time, MIN (next_at (runner->up), next_at (runner->down)));
    time = MIN (time, MIN (runner->running.at, next_change (w, runner)));
  }
  return time;
}

RunnersStory *
runners_tell (const RunnersScenario *scenario)
{
  World w;

  world_init (&w, scenario);
  while (w.now < scenario->seconds * SECOND) {
    step (&w);
    w.now = MAX (w.now, next_time (&w));
  }
  w.story->counts = *fal_pacer_get_counts (w.pacer);
  world_clear (&w);
  return w.story;
}

void
runners_story_free (RunnersStory *story)
{
  g_array_unref (story->answers);
  g_array_unref (story->sends);
  g_free (story->sent);
  g_free (story);
}
