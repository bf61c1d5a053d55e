/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs simulated models and ways, and asks the playout room how long each result is to be delayed.
 * Prints a line of comma-separated values for each result: what changes (nothing in the grid), the
 * model's time (ms) and its part that varies, stalls (ms a minute), whether the way is long, who
 * sends, the number of the world, when the result came, how old its frame was then, and the delay
 * that was asked for before it came (ms). Chance is another in each world.
 *
 * usage: bench-evenness grid|changes SECONDS WORLDS: what changes does so in their middle */
#include "fal/policy/playout.h"
#include "unit/policy/window-world.h"
#include <stdio.h>
#include <stdlib.h>

/* What max-latency is by default. */
#define MOST (5 * SECOND)

static const struct {
  const gchar *name;
  Sender sender;
} senders[] = {
  { "element", { SENDER_ROOM, 0 } },
  { "client", { SENDER_THROTTLE, 0 } },
};

static const gdouble services[] = { 50, 125, 250 };

static const struct {
  gdouble jitter, pauses;
} kinds[] = { { 0, 0 }, { 0.3, 0 }, { 0, 1000 } };

static const struct {
  gdouble rtt, path_jitter;
} ways[] = { { 0, 0 }, { 100, 40 } };

/* What becomes of model and way. */
static const struct {
  const gchar *name;
  gdouble factor, more;
} changes[] = {
  { "model x 2", 2, 0 },
  { "model / 2", 0.5, 0 },
  { "way + 100 ms", 1, 100 },
  { "way - 100 ms", 1, -100 },
};

static void
print_results (const gchar *change, const gchar *sender, const Scenario *s)
{
  g_autoptr (Story) story = tell (s);
  g_autoptr (FalPlayout) playout = fal_playout_new ();

  fal_playout_configure (playout, 0, MOST);
  for (guint i = 0; i < story->answers->len; i++) {
    Answer answer = g_array_index (story->answers, Answer, i);

    printf ("%s,%g,%g,%g,%d,%s,%u,%.3f,%.3f,%.3f\n", change, s->service, s->jitter, s->pauses,
        s->rtt > 0, sender, s->seed, (gdouble) answer.at / MS, (gdouble) answer.age / MS,
        (gdouble) fal_playout_get_delay (playout) / MS);
    fal_playout_note (playout, answer.age, answer.at);
  }
}

static void
print_stories (const gchar *change, Scenario s)
{
  for (guint i = 0; i < G_N_ELEMENTS (senders); i++) {
    s.sender = senders[i].sender;
    print_results (change, senders[i].name, &s);
  }
}

static void
print_changes (Scenario s)
{
  s.changes = s.seconds * 500;
  for (guint i = 0; i < G_N_ELEMENTS (changes); i++) {
    s.service2 = s.service * changes[i].factor;
    s.rtt2 = s.rtt + changes[i].more;
    if (s.rtt2 >= 0)
      print_stories (changes[i].name, s);
  }
}

static void
print_worlds (gboolean change, Scenario s, guint worlds)
{
  for (s.seed = 0; s.seed < worlds; s.seed++)
    if (change)
      print_changes (s);
    else
      print_stories ("", s);
}

static Scenario
make_scenario (guint service, guint kind, guint way, gdouble seconds)
{
  return (Scenario) {
    .fps = 30,
    .service = services[service],
    .jitter = kinds[kind].jitter,
    .pauses = kinds[kind].pauses,
    .rtt = ways[way].rtt,
    .path_jitter = ways[way].path_jitter,
    .queue = 2,
    .seconds = seconds,
  };
}

int
main (int argc, char **argv)
{
  const gchar *mode = argc > 1 ? argv[1] : "";
  gdouble seconds = argc > 2 ? g_ascii_strtod (argv[2], NULL) : 60;
  guint worlds = argc > 3 ? MAX (atoi (argv[3]), 1) : 1;

  if (!g_str_equal (mode, "grid") && !g_str_equal (mode, "changes"))
    return 2;
  for (guint service = 0; service < G_N_ELEMENTS (services); service++)
    for (guint kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
      for (guint way = 0; way < G_N_ELEMENTS (ways); way++) {
        Scenario scenario = make_scenario (service, kind, way, seconds);

        print_worlds (g_str_equal (mode, "changes"), scenario, worlds);
      }
  return 0;
}
