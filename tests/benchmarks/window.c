/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the window, and other ways to decide when to send, through simulated scenarios, and
 * prints a line of comma-separated values for each story, or each answer.
 *
 * usage: bench-window grid|special SECONDS STRIDE: each STRIDE-th cell
 *        bench-window ages SECONDS */
#include "unit/policy/window-marks.h"
#include <stdio.h>
#include <stdlib.h>

/* Before this nothing is judged, ms. */
#define WARM 5000
/* A slow model needs more time for as many answers. */
#define ANSWERS 400

static const struct {
  const gchar *name;
  Sender sender;
} senders[] = {
  { "room", { SENDER_ROOM, 0 } },
  { "fixed 1", { SENDER_FIXED, 1 } },
  { "fixed 2", { SENDER_FIXED, 2 } },
  { "fixed 4", { SENDER_FIXED, 4 } },
  { "js 128", { SENDER_THROTTLE, 128 } },
  { "js 0", { SENDER_THROTTLE, 0 } },
};

static const gdouble rates[] = { 30, 60 };
static const gdouble services[] = { 20, 50, 100, 250 };
static const gdouble rtts[] = { 0, 20, 100, 200 };
static const guint queues[] = { 2, 0 };
static const gdouble jitters[] = { 0, 0.1, 0.3 };

/* The @i-th of all there is of @array, and what is left of @i for the next. */
#define PICK(array, i) (array)[pick (&(i), G_N_ELEMENTS (array))]

static guint
pick (guint *i, guint n)
{
  guint picked = *i % n;

  *i /= n;
  return picked;
}

static Scenario
base_cell (guint *i, gdouble seconds)
{
  Scenario s = { .fps = 30 };

  s.service = PICK (services, *i);
  s.rtt = PICK (rtts, *i);
  s.queue = PICK (queues, *i);
  s.seconds = MAX (seconds, ANSWERS * s.service * seconds / 60000);
  return s;
}

static void
print_story (const gchar *name, const Scenario *s, const gchar *sender)
{
  g_autoptr (Story) story = tell (s);
  gboolean steps = s->changes > 0;
  Scenario judged = steps ? after_change (s) : *s;
  gdouble since = steps ? (s->changes + s->seconds * 1000) / 2 : s->wakes + WARM;
  Marks marks = mark (&judged, story, since);
  Foresight best = without_foresight (&judged);
  gdouble settled = steps ? time_to_settle (s, story) : 0;

  printf ("%s,%s,%g,%g,%g,%u,%g,%g,%g,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.4f,%.1f,%.2f,%.0f\n", name,
      sender, s->fps, s->service, s->rtt, s->queue, s->jitter, s->stalls, s->path_jitter,
      floor_of (&judged), best.p50, best.p95, MIN (marks.p50, 1e6), MIN (marks.p95, 1e6),
      MIN (marks.mean, 1e6), marks.rate, marks.gap, period (&judged), MIN (settled, 1e6));
}

static void
print_stories (const gchar *name, Scenario s)
{
  for (guint i = 0; i < G_N_ELEMENTS (senders); i++) {
    s.sender = senders[i].sender;
    print_story (name, &s, senders[i].name);
  }
}

static void
run_grid (gdouble seconds, guint stride)
{
  for (guint cell = 0; cell < 512; cell += stride) {
    guint i = cell, jitter;
    Scenario s = base_cell (&i, seconds);

    s.fps = PICK (rates, i);
    s.path_jitter = 10 * pick (&i, 2);
    jitter = pick (&i, 4);
    s.jitter = jitter < 3 ? jitters[jitter] : 0;
    s.stalls = jitter < 3 ? 0 : 0.01;
    print_stories ("grid", s);
  }
}

/* A change comes in the middle, of service and rtt. */
static void
change (Scenario *s, gdouble factor, gdouble more)
{
  s->changes = s->seconds * 500;
  s->service2 = s->service * factor;
  s->rtt2 = s->rtt + more;
  s->size2 = 1;
}

static void
narrow_uplink (Scenario *s)
{
  s->upload = 200;
}

static void
slower (Scenario *s)
{
  change (s, 2, 0);
}

static void
faster (Scenario *s)
{
  change (s, 0.5, 0);
}

static void
longer (Scenario *s)
{
  change (s, 1, 100);
}

static void
shorter (Scenario *s)
{
  change (s, 1, -MIN (100, s->rtt));
}

static void
larger (Scenario *s)
{
  s->upload = 5;
  s->download = 10;
  change (s, 1, 0);
  s->size2 = 3;
}

static void
batch (Scenario *s)
{
  s->batches = TRUE;
}

static void
nameless (Scenario *s)
{
  s->nameless = TRUE;
}

static void
cold (Scenario *s)
{
  s->wakes = 60000;
  s->seconds += 60;
}

static void
lossy (Scenario *s)
{
  s->loss = 0.01;
}

static void
resent (Scenario *s)
{
  s->resent = 0.005;
}

static void
overtaken (Scenario *s)
{
  s->overtaken = 0.02;
}

static void
late_timers (Scenario *s)
{
  s->late_timers = 4;
}

static void
jumping_frames (Scenario *s)
{
  s->frame_jitter = 0.3;
}

static void
changing_sizes (Scenario *s)
{
  s->upload = 10;
  s->download = 20;
  s->size_jitter = 0.5;
}

static const struct {
  const gchar *name;
  void (*apply) (Scenario *scenario);
} specials[] = {
  { "uplink 2 Mbit/s", narrow_uplink },
  { "model x 2", slower },
  { "model / 2", faster },
  { "path + 100 ms", longer },
  { "path - 100 ms", shorter },
  { "pictures x 3", larger },
  { "sizes +-50 %", changing_sizes },
  { "batching", batch },
  { "no ids", nameless },
  { "cold for 60 s", cold },
  { "1 % lost", lossy },
  { "2 % overtaken", overtaken },
  { "0.5 % sent again", resent },
  { "timers 1-4 ms late", late_timers },
  { "frames +-30 %", jumping_frames },
};

static void
run_special (gdouble seconds, guint stride)
{
  for (guint k = 0; k < G_N_ELEMENTS (specials); k++)
    for (guint cell = 0; cell < 96; cell += stride) {
      guint i = cell;
      Scenario s = base_cell (&i, seconds);

      s.jitter = PICK (jitters, i);
      if (specials[k].apply == shorter && s.rtt < 100)
        continue;
      specials[k].apply (&s);
      print_stories (specials[k].name, s);
    }
}

/* The scenarios whose ages are drawn. */
static const struct {
  const gchar *name;
  Scenario scenario;
} drawn[] = {
  { "model 100 ms then 200 ms; path 100 ms; queue without bound",
      { .fps = 30, .service = 100, .service2 = 200, .rtt = 100, .rtt2 = 100, .jitter = 0.1 } },
  { "the same before a queue that keeps the newest two", { .fps = 30,
                                                             .service = 100,
                                                             .service2 = 200,
                                                             .rtt = 100,
                                                             .rtt2 = 100,
                                                             .jitter = 0.1,
                                                             .queue = 2 } },
  { "model 50 ms; path 20 ms then 120 ms; queue without bound",
      { .fps = 30, .service = 50, .service2 = 50, .rtt = 20, .rtt2 = 120, .jitter = 0.1 } },
  { "model 20 ms with 1 % stalls of 100 ms; path 200 ms +-10 ms; 60 fps", { .fps = 60,
                                                                              .service = 20,
                                                                              .service2 = 20,
                                                                              .rtt = 200,
                                                                              .rtt2 = 200,
                                                                              .stalls = 0.01,
                                                                              .path_jitter = 10 } },
};

static void
run_ages (gdouble seconds)
{
  for (guint k = 0; k < G_N_ELEMENTS (drawn); k++)
    for (guint i = 0; i < G_N_ELEMENTS (senders); i++) {
      Scenario s = drawn[k].scenario, after;
      g_autoptr (Story) story = NULL;

      s.seconds = seconds;
      s.changes = seconds * 500;
      s.sender = senders[i].sender;
      after = after_change (&s);
      story = tell (&s);
      for (guint n = 0; n < story->answers->len; n++) {
        Answer answer = g_array_index (story->answers, Answer, n);

        printf ("%s,%s,%.3f,%.3f,%.3f\n", drawn[k].name, senders[i].name,
            (gdouble) answer.at / SECOND, (gdouble) answer.age / MS,
            floor_of (answer.at < s.changes * MS ? &s : &after));
      }
    }
}

int
main (int argc, char **argv)
{
  const gchar *mode = argc > 1 ? argv[1] : "";
  gdouble seconds = argc > 2 ? g_ascii_strtod (argv[2], NULL) : 60;
  guint stride = argc > 3 ? MAX (atoi (argv[3]), 1) : 1;

  if (g_str_equal (mode, "grid"))
    run_grid (seconds, stride);
  else if (g_str_equal (mode, "special"))
    run_special (seconds, stride);
  else if (g_str_equal (mode, "ages"))
    run_ages (seconds);
  else
    return 2;
  return 0;
}
