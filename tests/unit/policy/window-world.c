/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The world: a clock that goes from event to event, and what is under way at it. */
#include "window-world.h"

/* What the caller gives up after; the JavaScript client never does. */
#define TIMEOUT (10 * SECOND)
/* TCP waits at least that long, and one round trip, before it sends a packet again; all that
 * comes later waits behind it. */
#define RESEND_WAIT 200
/* A stalled service takes so many of its times. */
#define STALL 5

typedef struct {
  gint64 frame, sent, at; /* at: of its next event */
} Request;

/* One direction of the line: what is on it arrives in order. */
typedef struct {
  GArray *requests; /* Request */
  gint64 free, last_arrival;
} Line;

typedef struct {
  const Scenario *scenario;
  Story *story;
  FalWindow *window;
  GRand *rand;
  gint64 now, last_sent;
  guint64 n_frames, n_services, n_pauses;
  gint64 next_frame;
  gint64 slot;  /* when the frame that waits was taken; NEVER: none */
  gint64 timer; /* when the sender looks again */
  Line up, down;
  GArray *late;    /* Request, overtaken answers */
  GArray *waiting; /* Request, before the model */
  Request running;
  gint64 notices;     /* when an idle model looks for work; NEVER: it does not */
  GArray *unanswered; /* gint64, times sent */
  guint mistaken;     /* answers in a row */
} World;

static void
world_init (World *w, const Scenario *scenario)
{
  *w = (World){ .scenario = scenario, .story = g_new0 (Story, 1) };
  w->story->answers = g_array_new (FALSE, FALSE, sizeof (Answer));
  w->window = fal_window_new ();
  w->rand = g_rand_new_with_seed (20261123 + scenario->seed);
  w->last_sent = G_MININT64;
  w->slot = w->timer = w->running.at = w->notices = NEVER;
  w->up.requests = g_array_new (FALSE, FALSE, sizeof (Request));
  w->down.requests = g_array_new (FALSE, FALSE, sizeof (Request));
  w->late = g_array_new (FALSE, FALSE, sizeof (Request));
  w->waiting = g_array_new (FALSE, FALSE, sizeof (Request));
  w->unanswered = g_array_new (FALSE, FALSE, sizeof (gint64));
}

static void
world_clear (World *w)
{
  fal_window_free (w->window);
  g_rand_free (w->rand);
  g_array_unref (w->up.requests);
  g_array_unref (w->down.requests);
  g_array_unref (w->late);
  g_array_unref (w->waiting);
  g_array_unref (w->unanswered);
}

/* 1, but for a uniform jitter of @part. */
static gdouble
draw (World *w, gdouble part)
{
  return part > 0 ? 1 + part * g_rand_double_range (w->rand, -1, 1) : 1;
}

static gboolean
happens (World *w, gdouble part)
{
  return part > 0 && g_rand_double (w->rand) < part;
}

static gboolean
has_changed (const World *w)
{
  return w->scenario->changes > 0 && w->now >= w->scenario->changes * MS;
}

static gdouble
rtt_now (const World *w)
{
  return has_changed (w) ? w->scenario->rtt2 : w->scenario->rtt;
}

/* How long the model stands still, in ms, before it goes on. */
static gdouble
draw_pause (World *w)
{
  if (w->scenario->pauses == 0 || w->now < (gint64) (w->n_pauses + 1) * 60 * SECOND)
    return 0;
  w->n_pauses++;
  return w->scenario->pauses;
}

static gint64
draw_service (World *w)
{
  const Scenario *s = w->scenario;
  gdouble service = has_changed (w) ? s->service2 : s->service;
  gdouble factor = draw (w, s->jitter) * (happens (w, s->stalls) ? STALL : 1);

  w->n_services++;
  w->story->slowness += (factor - w->story->slowness) / w->n_services;
  return (service * factor + draw_pause (w)) * MS;
}

/* Puts @request on @line, where its picture takes @size ms. */
static void
dispatch (World *w, Line *line, Request request, gdouble size)
{
  const Scenario *s = w->scenario;
  gdouble one_way = rtt_now (w) / 2 + s->path_jitter / 2 * (draw (w, 1) - 1);

  if (has_changed (w) && s->size2 > 0)
    size *= s->size2;
  line->free = MAX (w->now, line->free) + (gint64) (size * draw (w, s->size_jitter) * MS);
  if (happens (w, s->resent))
    one_way += RESEND_WAIT + rtt_now (w);
  request.at = MAX (line->free + (gint64) (MAX (one_way, 0) * MS), line->last_arrival);
  line->last_arrival = request.at;
  g_array_append_val (line->requests, request);
}

static gboolean
is_asleep (const World *w)
{
  return w->now < w->scenario->wakes * MS;
}

static gint64
next_send (const World *w)
{
  const Scenario *s = w->scenario;

  if (w->slot == NEVER)
    return NEVER;
  switch (s->sender.kind) {
  case SENDER_FIXED:
    return w->unanswered->len < s->sender.setting ? w->now : NEVER;
  case SENDER_THROTTLE:
    return w->last_sent == G_MININT64 ? w->now
                                      : MAX (w->now, w->last_sent + s->sender.setting * MS);
  default:
    if (s->nameless)
      return fal_window_next_time_in_order (w->window, w->now);
    return fal_window_next_time (w->window, s->cap ? s->cap : FAL_WINDOW_MAX_UNANSWERED, w->now);
  }
}

static gint64
next_at (GArray *requests)
{
  return requests->len > 0 ? g_array_index (requests, Request, 0).at : NEVER;
}

static gint64
next_expiry (const World *w)
{
  if (w->unanswered->len == 0 || w->scenario->sender.kind == SENDER_THROTTLE)
    return NEVER;
  return g_array_index (w->unanswered, gint64, 0) + TIMEOUT;
}

static Request
shift (GArray *requests)
{
  Request first = g_array_index (requests, Request, 0);

  g_array_remove_index (requests, 0);
  return first;
}

/* All but the newest request are taken for lost. */
static void
give_up_older (World *w)
{
  while (w->unanswered->len > 1) {
    fal_window_gave_up (w->window, g_array_index (w->unanswered, gint64, 0));
    g_array_remove_index (w->unanswered, 0);
  }
}

static void
send_frame (World *w)
{
  const Scenario *s = w->scenario;
  Request request = { w->slot, w->now, NEVER };
  Story *story = w->story;
  gboolean lost = s->nameless && fal_window_get_loss_time (w->window) <= w->now;

  dispatch (w, &w->up, request, s->upload > 0 ? s->upload : UPLOAD);
  w->slot = NEVER;
  w->last_sent = w->now;
  g_array_append_val (w->unanswered, w->now);
  story->sends++;
  story->sends_asleep += is_asleep (w);
  fal_window_sent (w->window, w->now);
  if (lost)
    give_up_older (w);
  story->most_unanswered = MAX (story->most_unanswered, w->unanswered->len);
}

/* The sender was woken by a frame, an answer or its timer: it sends, or sleeps again. */
static void
look (World *w)
{
  gint64 due = next_send (w);

  if (due <= w->now) {
    send_frame (w);
    due = next_send (w);
  }
  w->timer = due;
  if (due < NEVER && w->scenario->late_timers > 0)
    w->timer += g_rand_double_range (w->rand, 1, w->scenario->late_timers) * MS;
}

static void
start_model (World *w)
{
  if (w->running.at != NEVER || w->waiting->len == 0 || is_asleep (w))
    return;
  if (w->notices > w->now && w->scenario->asleep > 0) {
    w->notices = MIN (w->notices, w->now + (gint64) (w->scenario->asleep * MS));
    return;
  }
  w->notices = NEVER;
  if (w->scenario->batches)
    g_array_remove_range (w->waiting, 0, w->waiting->len - 1);
  w->running = shift (w->waiting);
  w->running.at = w->now + draw_service (w);
}

static void
arrive (World *w)
{
  Request request = shift (w->up.requests);

  if (is_asleep (w) && w->scenario->swallows)
    return;
  g_array_append_val (w->waiting, request);
  start_model (w);
  if (w->scenario->queue > 0 && w->waiting->len > w->scenario->queue)
    shift (w->waiting);
}

/* An overtaken answer comes some time after the next. */
static void
hold_back (World *w, Request request)
{
  if (w->late->len > 0)
    return;
  request.at = w->now + (rtt_now (w) / 2 + 2 * w->scenario->service + 30) * MS;
  g_array_append_val (w->late, request);
}

static void
finish (World *w)
{
  const Scenario *s = w->scenario;
  Request request = w->running;

  w->running.at = NEVER;
  if (happens (w, s->overtaken))
    hold_back (w, request);
  else if (!happens (w, s->loss))
    dispatch (w, &w->down, request, s->download > 0 ? s->download : DOWNLOAD);
  start_model (w);
}

/* Counts an answer that was taken for the request sent at @sent. */
static void
count_mistaken (World *w, Request request, gint64 sent)
{
  w->mistaken = sent != request.sent ? w->mistaken + 1 : 0;
  w->story->mistaken += sent != request.sent;
  w->story->in_a_row = MAX (w->story->in_a_row, w->mistaken);
}

static void
deliver (World *w, Request request)
{
  Answer answer = { w->now, w->now - request.frame };
  gint64 oldest = w->unanswered->len > 0 ? g_array_index (w->unanswered, gint64, 0) : NEVER;
  gint64 sent = w->scenario->nameless ? oldest : request.sent;

  if (w->scenario->nameless && oldest == NEVER) {
    w->story->surplus++;
    fal_window_note_surplus (w->window, w->now);
    return;
  }
  if (!w->scenario->nameless && oldest > request.sent)
    return;
  count_mistaken (w, request, sent);
  while (w->unanswered->len > 0 && g_array_index (w->unanswered, gint64, 0) <= sent)
    g_array_remove_index (w->unanswered, 0);
  g_array_append_val (w->story->answers, answer);
  fal_window_answered (w->window, sent, w->now);
  look (w);
}

/* Nothing that is under way counts any more. */
static void
connect_anew (World *w)
{
  GArray *const all[] = { w->up.requests, w->down.requests, w->late, w->waiting, w->unanswered };

  for (guint i = 0; i < G_N_ELEMENTS (all); i++)
    g_array_set_size (all[i], 0);
  w->running.at = NEVER;
  fal_window_reset (w->window);
  look (w);
}

static void
expire (World *w)
{
  if (w->scenario->nameless) {
    connect_anew (w);
    return;
  }
  fal_window_gave_up (w->window, g_array_index (w->unanswered, gint64, 0));
  g_array_remove_index (w->unanswered, 0);
  look (w);
}

static void
take_picture (World *w)
{
  gdouble interval = SECOND / w->scenario->fps;

  w->slot = w->now;
  w->n_frames++;
  w->next_frame = MAX (
      w->now, (gint64) (interval * (w->n_frames + draw (w, w->scenario->frame_jitter / 2) - 1)));
  look (w);
}

/* The one thing that happens at this time; FALSE: nothing. */
static gboolean
step (World *w)
{
  if (next_expiry (w) <= w->now)
    expire (w);
  else if (next_at (w->down.requests) <= w->now)
    deliver (w, shift (w->down.requests));
  else if (next_at (w->late) <= w->now)
    deliver (w, shift (w->late));
  else if (w->running.at <= w->now)
    finish (w);
  else if (w->notices <= w->now)
    start_model (w);
  else if (next_at (w->up.requests) <= w->now)
    arrive (w);
  else if (w->next_frame <= w->now)
    take_picture (w);
  else if (w->timer <= w->now)
    look (w);
  else
    return FALSE;
  return TRUE;
}

static gint64
next_time (const World *w)
{
  gint64 time = MIN (MIN (w->next_frame, w->timer), MIN (w->running.at, next_expiry (w)));

  time = MIN (time, MIN (next_at (w->up.requests), next_at (w->down.requests)));
  time = MIN (time, MIN (next_at (w->late), w->notices));
  return is_asleep (w) ? MIN (time, (gint64) (w->scenario->wakes * MS)) : time;
}

Story *
tell (const Scenario *scenario)
{
  World w;

  world_init (&w, scenario);
  while (w.now < scenario->seconds * SECOND) {
    while (step (&w))
      ;
    w.now = next_time (&w);
    start_model (&w);
  }
  world_clear (&w);
  return w.story;
}

void
story_free (Story *story)
{
  g_array_unref (story->answers);
  g_free (story);
}
