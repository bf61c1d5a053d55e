/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pacer with several connections, in a simulated minute: what a user gets for the runners that
 * are paid for. */
#include "runners-world.h"

#include <stdlib.h>

/* Until then the windows have learnt. */
#define BEGIN (10 * SECOND)

typedef struct {
  gdouble rate;  /* answers a second */
  gdouble shown; /* those of them that no newer frame's came before */
  gdouble age;   /* the median, ms */
} Figures;

static gint
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return x < y ? -1 : x > y;
}

static gdouble
median_of (GArray *values)
{
  g_assert_cmpuint (values->len, >, 0);
  qsort (values->data, values->len, sizeof (gint64), compare);
  return g_array_index (values, gint64, values->len / 2) / (gdouble) MS;
}

static Figures
measure (const RunnersStory *story, gint64 begin, gint64 end)
{
  g_autoptr (GArray) ages = g_array_new (FALSE, FALSE, sizeof (gint64));
  gdouble seconds = (end - begin) / (gdouble) SECOND;
  guint64 newest = 0;
  guint shown = 0;

  for (guint i = 0; i < story->answers->len; i++) {
    const RunnersAnswer *answer = &g_array_index (story->answers, RunnersAnswer, i);

    if (answer->at < begin || answer->at >= end)
      continue;
    g_array_append_val (ages, answer->age);
    shown += answer->serial > newest;
    newest = MAX (newest, answer->serial);
  }
  return (Figures) { ages->len / seconds, shown / seconds, median_of (ages) };
}

static Figures
run (const RunnersScenario *scenario)
{
  g_autoptr (RunnersStory) story = runners_tell (scenario);

  return measure (story, BEGIN, scenario->seconds * SECOND);
}

/* What can be had of so many, by the camera or by the models. */
static gdouble
best_rate (const RunnersScenario *s)
{
  gdouble models = s->lanes * 1000 / MAX (s->service, s->throttle);

  return s->fps > 0 ? MIN (models, s->fps) : models;
}

/* The age of a single runner's results at the best: a frame waits half an interval in the mean. */
static gdouble
floor_of (const RunnersScenario *s)
{
  return UPLOAD + s->rtt + s->service + DOWNLOAD + 500 / s->fps;
}

static const gdouble services[] = { 100, 250 };

static void
test_a_file_gets_the_rate_of_all_runners (void)
{
  for (guint k = 0; k < G_N_ELEMENTS (services); k++) {
    for (guint n = 1; n <= 8; n++) {
      const RunnersScenario s = {
        .lanes = n, .service = services[k], .rtt = 20, .jitter = 0.1, .seconds = 60
      };

      g_test_message ("%u of %g ms", n, services[k]);
      g_assert_cmpfloat (run (&s).rate, >=, 0.95 * best_rate (&s));
    }
  }
}

static void
test_live_they_give_their_rate_at_the_age_of_one (void)
{
  for (guint k = 0; k < G_N_ELEMENTS (services); k++) {
    for (guint n = 1; n <= 8; n++) {
      const RunnersScenario s = {
        .lanes = n, .fps = 60, .service = services[k], .rtt = 20, .seconds = 60
      };
      Figures figures = run (&s);

      g_test_message ("%u of %g ms: %.2f a second, %.2f shown, age %.1f ms", n, services[k],
          figures.rate, figures.shown, figures.age);
      g_assert_cmpfloat (figures.shown, >=, 0.95 * best_rate (&s));
      g_assert_cmpfloat (figures.age, <=, 1.10 * floor_of (&s));
    }
  }
}

/* The models' time varies by a tenth: then results of one runner overtake another's, but as many
 * come for each runner as of one that is alone. */
static void
test_live_they_give_their_rate_where_it_varies (void)
{
  for (guint k = 0; k < G_N_ELEMENTS (services); k++) {
    RunnersScenario s = {
      .lanes = 1, .fps = 240, .service = services[k], .rtt = 20, .jitter = 0.1, .seconds = 60
    };
    gdouble alone = run (&s).rate;

    for (s.lanes = 2; s.lanes <= 8; s.lanes++) {
      Figures figures = run (&s);

      g_test_message ("%u of %g ms: %.2f a second, age %.1f ms", s.lanes, services[k], figures.rate,
          figures.age);
      g_assert_cmpfloat (figures.rate, >=, 0.95 * s.lanes * alone);
      g_assert_cmpfloat (figures.age, <=, 1.10 * floor_of (&s));
    }
  }
}

/* The throttle is that of each connection, so that the default one leaves each runner what it would
 * leave one that is alone. */
static void
test_the_throttle_is_of_each_connection (void)
{
  for (guint n = 1; n <= 8; n++) {
    const RunnersScenario s = {
      .lanes = n, .fps = 240, .service = 100, .rtt = 20, .throttle = 128, .seconds = 60
    };

    g_assert_cmpfloat (run (&s).shown, >=, 0.95 * best_rate (&s));
  }
}

static void
test_requests_are_spaced_evenly (void)
{
  const RunnersScenario s = { .lanes = 4, .fps = 240, .service = 100, .rtt = 20, .seconds = 60 };
  g_autoptr (RunnersStory) story = runners_tell (&s);
  const gint64 *sends = (const gint64 *) story->sends->data;
  guint n = 0, near = 0;

  for (guint i = 1; i < story->sends->len; i++) {
    gint64 gap = sends[i] - sends[i - 1];

    if (sends[i] < BEGIN)
      continue;
    n++;
    near += gap >= 15 * MS && gap <= 45 * MS; /* of 25 */
  }
  g_assert_cmpuint (near, >=, 0.95 * n);
  for (guint i = 0; i < s.lanes; i++) {
    g_test_message ("%u over connection %u", story->sent[i], i);
    g_assert_cmpfloat (story->sent[i], >=, 0.95 * story->sends->len / s.lanes);
  }
}

/* What a camera gives is less than they could do: then each frame goes at once. */
static void
test_where_they_could_do_more_each_frame_is_answered (void)
{
  const RunnersScenario s = { .lanes = 8, .fps = 30, .service = 100, .rtt = 20, .seconds = 60 };
  Figures figures = run (&s);

  g_assert_cmpfloat (figures.shown, >=, 29.9);
  g_assert_cmpfloat (figures.age, <=, UPLOAD + 20 + 100 + DOWNLOAD + 1);
}

/* ---- runners that are not like the others ---- */

static void
test_a_slow_one_gets_fewer_and_holds_up_no_other (void)
{
  static const gdouble fps[] = { 0, 60 };

  for (guint i = 0; i < G_N_ELEMENTS (fps); i++) {
    const RunnersScenario s = {
      .lanes = 4, .fps = fps[i], .service = 100, .rtt = 20, .slowness = 2.5, .seconds = 60
    };
    g_autoptr (RunnersStory) story = runners_tell (&s);

    g_assert_cmpuint (story->sent[0], <, 250);
    for (guint k = 1; k < s.lanes; k++)
      g_assert_cmpuint (story->sent[k], >=, 0.95 * 590);
  }
}

static void
test_one_that_refuses_is_left_out (void)
{
  static const gdouble fps[] = { 0, 60 };

  for (guint i = 0; i < G_N_ELEMENTS (fps); i++) {
    const RunnersScenario s = {
      .lanes = 4, .fps = fps[i], .service = 100, .rtt = 20, .refuses = TRUE, .seconds = 60
    };
    g_autoptr (RunnersStory) story = runners_tell (&s);

    g_assert_cmpuint (story->sent[0], ==, 0);
    g_assert_cmpfloat (measure (story, BEGIN, 60 * SECOND).shown, >=, 0.95 * 30);
  }
}

/* Each begins when it is ready: they come up a second after one another. */
static void
test_each_begins_when_it_is_ready (void)
{
  const RunnersScenario s = {
    .lanes = 8, .fps = 240, .service = 100, .rtt = 20, .step = 1000, .seconds = 60
  };
  g_autoptr (RunnersStory) story = runners_tell (&s);
  gboolean seen[8] = { FALSE };

  for (guint i = 0; i < story->answers->len; i++) {
    const RunnersAnswer *answer = &g_array_index (story->answers, RunnersAnswer, i);

    if (seen[answer->lane])
      continue;
    seen[answer->lane] = TRUE;
    g_assert_cmpint (answer->at, <=, (answer->lane * 1000 + 300) * MS);
  }
  for (guint i = 0; i < s.lanes; i++)
    g_assert_true (seen[i]);
  g_assert_cmpfloat (measure (story, 20 * SECOND, 60 * SECOND).rate, >=, 0.95 * 80);
}

/* Of a file each frame is answered, once: what was out when one died goes to the others. */
static void
test_no_frame_of_a_file_is_lost_with_a_runner (void)
{
  const RunnersScenario s = {
    .lanes = 4, .service = 100, .rtt = 20, .dies = 20000, .returns = 30000, .seconds = 60
  };
  g_autoptr (RunnersStory) story = runners_tell (&s);
  g_autofree guint8 *answered = g_new0 (guint8, story->counts.in + 1);

  for (guint i = 0; i < story->answers->len; i++)
    g_assert_cmpuint (answered[g_array_index (story->answers, RunnersAnswer, i).serial]++, ==, 0);
  for (guint64 i = 1; i + 2 * 4 + 1 < story->counts.in; i++) /* the last ones are still out */
    g_assert_cmpuint (answered[i], ==, 1);
  g_assert_cmpuint (story->counts.repeated, >, 0);
  g_assert_cmpuint (story->counts.lost, ==, 0);
  g_assert_cmpfloat (measure (story, 21 * SECOND, 29 * SECOND).rate, >=, 0.95 * 30);
  g_assert_cmpfloat (measure (story, 32 * SECOND, 60 * SECOND).rate, >=, 0.95 * 40);
}

static void
test_live_a_runner_that_dies_takes_only_what_was_out (void)
{
  const RunnersScenario s = { .lanes = 4,
    .fps = 240,
    .service = 100,
    .rtt = 20,
    .dies = 20000,
    .returns = 30000,
    .seconds = 60 };
  g_autoptr (RunnersStory) story = runners_tell (&s);

  g_assert_cmpuint (story->counts.lost, >=, 1);
  g_assert_cmpuint (story->counts.lost, <=, story->most_in_flight);
  g_assert_cmpfloat (measure (story, 22 * SECOND, 30 * SECOND).rate, >=, 0.95 * 30);
  g_assert_cmpfloat (measure (story, 35 * SECOND, 60 * SECOND).rate, >=, 0.95 * 40);
}

/* Answers without ids are told apart by the order of their own connection. */
static void
test_without_ids_each_connection_counts_by_itself (void)
{
  const RunnersScenario s = {
    .lanes = 4, .service = 100, .rtt = 20, .nameless = TRUE, .seconds = 60
  };
  g_autoptr (RunnersStory) story = runners_tell (&s);
  g_autofree guint8 *answered = g_new0 (guint8, story->counts.in + 1);

  g_assert_cmpuint (story->most_in_flight, ==, 1);
  for (guint i = 0; i < story->answers->len; i++)
    g_assert_cmpuint (answered[g_array_index (story->answers, RunnersAnswer, i).serial]++, ==, 0);
  /* Of a file one is out at a time: the way there and back counts. */
  g_assert_cmpfloat (measure (story, BEGIN, 60 * SECOND).rate, >=,
      0.95 * s.lanes * 1000 / (UPLOAD + s.rtt + s.service + DOWNLOAD));
}

static void
test_hundreds_share_a_stream (void)
{
  const RunnersScenario s = { .lanes = 256, .service = 250, .rtt = 20, .seconds = 20 };
  g_autoptr (RunnersStory) story = runners_tell (&s);

  g_assert_cmpfloat (measure (story, BEGIN, 20 * SECOND).rate, >=, 0.95 * 1024);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/runners/" #name, test_##name)
  ADD (a_file_gets_the_rate_of_all_runners);
  ADD (live_they_give_their_rate_at_the_age_of_one);
  ADD (live_they_give_their_rate_where_it_varies);
  ADD (the_throttle_is_of_each_connection);
  ADD (requests_are_spaced_evenly);
  ADD (where_they_could_do_more_each_frame_is_answered);
  ADD (a_slow_one_gets_fewer_and_holds_up_no_other);
  ADD (one_that_refuses_is_left_out);
  ADD (each_begins_when_it_is_ready);
  ADD (no_frame_of_a_file_is_lost_with_a_runner);
  ADD (live_a_runner_that_dies_takes_only_what_was_out);
  ADD (without_ids_each_connection_counts_by_itself);
  ADD (hundreds_share_a_stream);
  return g_test_run ();
}
